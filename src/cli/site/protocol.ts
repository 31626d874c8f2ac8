import type { SystemConfig } from "../config.ts";

/** The parts of a site; each is a worker thread that can be restarted alone. */
export type PartName = "node" | "proxy" | "dns";

/** What a worker of the site is given. */
export interface WorkerConfig {
  readonly part: PartName;
  readonly config: SystemConfig;
  readonly nodeAddresses: readonly string[];
  /** Forwarding was off before us: forward for our own interfaces only. */
  readonly forwardOnlyOurs: boolean;
}

export type WorkerOrder = "stop" | "remove";
export type WorkerReport =
  | "ready"
  | "stopped"
  | {
      readonly failed: string;
      /** The user can mend it, and no other try will do: for the user. */
      readonly sentence?: string;
    };
