import type { Service } from "../generated/types.ts";
import { cidrWarnings, ipWarnings } from "../meta/warnings.ts";
import { isHeadless } from "./needs.ts";
import { TOPOLOGY_AWARE_HINTS, TOPOLOGY_MODE } from "./validate.ts";

const list = (values: readonly string[] | undefined, path: string, check: typeof ipWarnings): string[] =>
  (values ?? []).flatMap((value, index) => check(`${path}[${index}]`, value));

/** SVC-213, SVC-214: addresses that different readers could read differently. */
function addressWarnings(service: Service): string[] {
  const spec = service.spec ?? {};
  return [
    ...(isHeadless(service) ? [] : list(spec.clusterIPs, "spec.clusterIPs", ipWarnings)),
    ...list(spec.externalIPs, "spec.externalIPs", ipWarnings),
    ...(spec.loadBalancerIP ? ipWarnings("spec.loadBalancerIP", spec.loadBalancerIP) : []),
    ...list(
      spec.loadBalancerSourceRanges?.map((range) => range.trim()),
      "spec.loadBalancerSourceRanges",
      cidrWarnings,
    ),
    ...(service.status?.loadBalancer?.ingress ?? []).flatMap((entry, index) =>
      entry.ip ? ipWarnings(`status.loadBalancer.ingress[${index}].ip`, entry.ip) : [],
    ),
  ];
}

/** SVC-215 … SVC-217: fields that say nothing for this kind of Service. */
function ignoredWarnings(service: Service): string[] {
  const spec = service.spec ?? {};
  const hasExternalIPs = (spec.externalIPs?.length ?? 0) > 0;
  const said: string[] = [];
  const ignored = (field: string, kind: string): void =>
    void said.push(`spec.${field} is ignored for ${kind} services`);
  const headless = spec.type === "ClusterIP" && isHeadless(service);
  if (headless) {
    if (spec.loadBalancerIP) ignored("loadBalancerIP", "headless");
    if (hasExternalIPs) ignored("externalIPs", "headless");
    if (spec.sessionAffinity && spec.sessionAffinity !== "None") ignored("SessionAffinity", "headless");
  }
  if (hasExternalIPs && spec.type === "ExternalName") ignored("externalIPs", "ExternalName");
  if (hasExternalIPs && !headless && spec.type !== "ExternalName") {
    said.push("spec.externalIPs is deprecated in v1.36+");
  }
  if (spec.externalName && spec.type !== "ExternalName") {
    said.push(`spec.externalName is ignored when spec.type is not "ExternalName"`);
  }
  return said;
}

/** What is allowed and yet probably not meant (SVC-212 … SVC-219); the same on update as on create. */
export function warnings(service: Service): string[] {
  const said: string[] = [];
  if (service.metadata.annotations?.[TOPOLOGY_AWARE_HINTS] !== undefined) {
    said.push(`annotation ${TOPOLOGY_AWARE_HINTS} is deprecated, please use ${TOPOLOGY_MODE} instead`);
  }
  if (service.spec?.trafficDistribution === "PreferClose") {
    said.push(`spec.trafficDistribution: "PreferClose" is deprecated, use "PreferSameZone"`);
  }
  return [...said, ...addressWarnings(service), ...ignoredWarnings(service)];
}
