import type { Client } from "../client/client.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Caches } from "./caches.ts";
import type { EndpointOptions } from "./endpoint-options.ts";

/** What every controller is given. */
export interface ControllerEnvironment {
  readonly client: Client;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** What the controllers of EndpointSlices and Endpoints are given beside that. */
export interface EndpointEnvironment extends ControllerEnvironment {
  readonly metrics: Metrics;
  readonly endpoints: EndpointOptions;
}
