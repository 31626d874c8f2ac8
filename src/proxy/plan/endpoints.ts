import { candidates, type Candidate, type Place, type PortOfService } from "./candidates.ts";
import { clusterTargets, localTargets, type Standing } from "./choose.ts";
import type { EndpointAddress, Target } from "./plan.ts";
import type { ReadSlice } from "./slice.ts";

/** The two lists a policy chooses from, and what else is to be known of the endpoints. All in a fixed order. */
export interface EndpointLists {
  /** PRX-020. */
  readonly cluster: readonly Target[];
  /** PRX-021. */
  readonly local: readonly Target[];
  /** PRX-203, PRX-204. */
  readonly serving: readonly EndpointAddress[];
  /** Addresses of ready endpoints on this node. */
  readonly localReady: readonly string[];
}

/** The lists of one Service port in one family. */
export function endpointLists(
  slices: readonly ReadSlice[],
  port: PortOfService,
  place: Place,
  standing: Standing,
): EndpointLists {
  const all: readonly Candidate[] = candidates(slices, port, place.nodeName);
  const cluster = clusterTargets(all, place, standing);
  const serving = all.filter(({ endpoint }) => endpoint.ready || endpoint.serving);
  return {
    cluster,
    local: localTargets(all, standing),
    // All that are chosen serve; mostly it is all that serve, and one list in memory.
    serving:
      serving.length === cluster.length ? cluster : serving.map(({ ip, port: number }) => ({ ip, port: number })),
    localReady: all.filter(({ local, endpoint }) => local && endpoint.ready).map(({ ip }) => ip),
  };
}
