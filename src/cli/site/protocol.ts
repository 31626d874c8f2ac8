import type { OpenSocket } from "../../host/held-sockets.ts";
import type { SystemConfig } from "../config.ts";

/** The parts of a site; each is a worker thread that can be restarted alone. */
export type PartName = "node" | "proxy" | "dns" | "ingress";

/** What a worker of the site is given. */
export interface WorkerConfig {
  readonly part: PartName;
  readonly config: SystemConfig;
  readonly nodeAddresses: readonly string[];
  /** Forwarding was off before us: forward for our own interfaces only. */
  readonly forwardOnlyOurs: boolean;
  /** Those of cluster DNS, or of Ingress, open in this process; undefined: it makes its own. */
  readonly sockets: readonly OpenSocket[] | undefined;
  /** The ports of Ingress. */
  readonly door?: { readonly http: number; readonly https: number };
}

export type WorkerOrder =
  /** All parts of the site carry. */
  "site-ready" | "stop" | "remove";
export type WorkerReport =
  | "ready"
  | "stopped"
  | {
      readonly failed: string;
      /** The user can mend it, and no other try will do: for the user. */
      readonly sentence?: string;
    };
