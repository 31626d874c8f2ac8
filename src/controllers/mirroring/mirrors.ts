import type { Endpoints, Service } from "../../api/generated/types.ts";
import { isForLeaders } from "../endpoints/leader.ts";

const SKIP = "endpointslice.kubernetes.io/skip-mirror";

/**
 * CTL-083: whether Endpoints are somebody's own work for a Service without a selector, so that slices are to be made of them.
 * The type of the Service does not matter.
 */
export function mirrors(endpoints: Endpoints | undefined, service: Service | undefined): endpoints is Endpoints {
  if (endpoints === undefined || service === undefined) return false;
  if (endpoints.metadata.labels?.[SKIP] === "true" || isForLeaders(endpoints)) return false;
  return Object.keys(service.spec?.selector ?? {}).length === 0;
}
