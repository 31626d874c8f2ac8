import type { Service } from "../generated/types.ts";
import { sameJson } from "../meta/values.ts";

/** Whether both forms, singular and plural, say the same in two Services. */
const samePlural = (one: Service, other: Service): boolean =>
  sameJson(one.spec?.clusterIPs ?? [], other.spec?.clusterIPs ?? []);

const withClusterIPs = (service: Service, clusterIPs: readonly string[]): Service => {
  const { clusterIPs: _, ...spec } = { ...service.spec };
  return { ...service, spec: clusterIPs.length === 0 ? spec : { ...spec, clusterIPs: [...clusterIPs] } };
};

/**
 * Brings `clusterIP` and `clusterIPs` together where only one was written, by a client that does not know the other
 * (SVC-162 … SVC-165). What cannot be told is left for validation. Running it twice changes nothing more.
 */
export function normalizeClusterIPs(next: Service, previous: Service | undefined): Service {
  const singular = next.spec?.clusterIP ?? "";
  const plural = next.spec?.clusterIPs ?? [];
  // On create the plural alone is not mirrored: who knows the plural must write both (SVC-162).
  if (previous === undefined) return singular !== "" && plural.length === 0 ? withClusterIPs(next, [singular]) : next;
  const was = previous.spec?.clusterIP ?? "";
  if (singular === was) {
    return plural.length === 0 && previous.spec?.clusterIPs?.length
      ? withClusterIPs(next, previous.spec.clusterIPs)
      : next;
  }
  if (!samePlural(next, previous)) return next;
  return withClusterIPs(next, singular === "" ? [] : [singular]);
}
