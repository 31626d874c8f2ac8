import type { Host } from "../../../host/host.ts";
import type { Clock } from "../../../observe/clock.ts";
import { hasLeavers, leaversDue } from "./servers.ts";
import type { IpvsState } from "./state.ts";
import { runServers } from "./tools.ts";
import { parseConnections } from "./words.ts";

/** Milliseconds between two looks at real servers whose connections are waited for (PRX-186). */
const LOOK_EVERY = 60_000;

/**
 * Removes real servers of weight 0 once their last connection has ended. It works beside the engine's calls, never at
 * the same time as one of them.
 */
export class Leaving {
  readonly #host: Host;
  readonly #clock: Clock;
  #state: IpvsState | undefined;
  #cancel: (() => void) | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(host: Host, clock: Clock) {
    this.#host = host;
    this.#clock = clock;
  }

  /** Does this when everything before is done. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  /** From now on this is what the kernel holds. */
  watch(state: IpvsState): void {
    this.#state = state;
    if (this.#cancel !== undefined || !hasLeavers(state)) return;
    this.#cancel = this.#clock.after(LOOK_EVERY, () => void this.alone(() => this.#look()));
  }

  async #look(): Promise<void> {
    this.#cancel = undefined;
    const state = this.#state;
    if (state === undefined) return;
    try {
      const { stdout } = await this.#host.check("ipvsadm", ["-L", "-n"], { timeout: LOOK_EVERY });
      await runServers(this.#host, leaversDue(state, parseConnections(stdout)));
    } catch {
      // Those who wait do no harm, and the next look is made anyway; `intact` sees what differs.
    }
    this.watch(state);
  }

  async close(): Promise<void> {
    this.#state = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#last;
  }
}
