import { kinds } from "../api/kinds.ts";
import { parseCidr } from "../net/cidr.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import { createMetrics } from "../observe/metrics.ts";
import type { Store } from "../store/store.ts";
import { bootstrap } from "./bootstrap/bootstrap.ts";
import type { Advertised } from "./bootstrap/objects.ts";
import { WatchCache } from "./cache/watch-cache.ts";
import { cachedReader } from "./claims/cached-reader.ts";
import type { NodePortRange } from "./claims/plan-node-ports.ts";
import { serviceClaims } from "./claims/service-claims.ts";
import { allocatorMetrics } from "./metrics/allocator-metrics.ts";
import { createApiServer, type ApiServer, type ApiServerOptions } from "./server.ts";

export interface StartOptions extends Pick<ApiServerOptions, "tls" | "tokens" | "streams" | "version" | "random"> {
  readonly store: Store;
  /** `--service-cluster-ip-range`: the primary range first. */
  readonly serviceRanges: readonly string[];
  readonly nodePortRange: NodePortRange;
  /** Where clients within the cluster reach this server. */
  readonly advertise: Advertised;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The whole Kubernetes API over a store: what every cluster has is made, then everything stored is read. Nothing listens yet.
 *
 * @throws Error when the ranges contradict what is stored, with what to do
 */
export async function startApiServer(options: StartOptions): Promise<ApiServer> {
  const { store, serviceRanges, nodePortRange, advertise, clock, log, ...rest } = options;
  await bootstrap({ store, serviceRanges, nodePortRange, advertise, clock, log });
  const cache = new WatchCache({ store, kinds, clock, log });
  const metrics = createMetrics();
  const families = serviceRanges.map((range) => parseCidr(range).family);
  const reader = cachedReader(store, cache, families);
  const observer = allocatorMetrics(metrics, { cache, reader, nodePortRange });
  return createApiServer({
    ...rest,
    store,
    kinds,
    clock,
    log,
    cache,
    metrics,
    claims: serviceClaims({ reader, nodePortRange, clock, observer }),
    upkeep: async (context) => {
      const { startUpkeep } = await import("./upkeep/upkeep.ts");
      return startUpkeep(context, { serviceRanges, nodePortRange, advertise, reader });
    },
  });
}
