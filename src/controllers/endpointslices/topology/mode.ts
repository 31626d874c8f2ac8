import type { Service } from "../../../api/generated/types.ts";

const MODE = "service.kubernetes.io/topology-mode";
const DEPRECATED = "service.kubernetes.io/topology-aware-hints";
const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];

/** Whether hints are made by the share that each zone has. CTL-077: of the annotation's values we know `Auto` alone. */
export function isAuto({ metadata }: Service): boolean {
  const mode = metadata.annotations?.[DEPRECATED] ?? metadata.annotations?.[MODE];
  return mode === "Auto" || mode === "auto";
}

/** The traffic distribution that counts: the annotation goes before it, and what we do not know is nothing. */
export function distributionOf(service: Service): string | undefined {
  const said = service.spec?.trafficDistribution;
  return said !== undefined && DISTRIBUTIONS.includes(said) && !isAuto(service) ? said : undefined;
}
