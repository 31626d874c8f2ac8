import type { Client } from "../client/client.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Caches } from "./caches.ts";

/** What every controller is given. */
export interface ControllerEnvironment {
  readonly client: Client;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}
