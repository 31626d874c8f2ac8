import { kinds } from "../api/kinds.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Store } from "../store/store.ts";
import { bootstrap } from "./bootstrap/bootstrap.ts";
import type { Advertised } from "./bootstrap/objects.ts";
import { updateOlderServices } from "./bootstrap/older-services.ts";
import { readServiceRanges } from "./bootstrap/ranges.ts";
import type { NodePortRange } from "./claims/plan-node-ports.ts";
import { storeReader } from "./claims/reader.ts";
import { serviceClaims } from "./claims/service-claims.ts";
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
  const [primary] = readServiceRanges(serviceRanges);
  await bootstrap({ store, serviceRanges, nodePortRange, advertise, clock, log });
  return createApiServer({
    ...rest,
    store,
    kinds,
    clock,
    log,
    loaded: (context) => updateOlderServices(context, primary!.family),
    claims: serviceClaims({ reader: storeReader(store), nodePortRange, clock }),
  });
}
