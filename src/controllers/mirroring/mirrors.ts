import type { Endpoints, Service } from "../../api/generated/types.ts";

const SKIP = "endpointslice.kubernetes.io/skip-mirror";
const LEADER = "control-plane.alpha.kubernetes.io/leader";

/**
 * CTL-083: whether Endpoints are somebody's own work for a Service without a selector, so that slices are to be made of them.
 * The type of the Service does not matter.
 */
export function mirrors(endpoints: Endpoints | undefined, service: Service | undefined): endpoints is Endpoints {
  if (endpoints === undefined || service === undefined) return false;
  const { labels, annotations } = endpoints.metadata;
  if (labels?.[SKIP] === "true" || annotations?.[LEADER] !== undefined) return false;
  return Object.keys(service.spec?.selector ?? {}).length === 0;
}
