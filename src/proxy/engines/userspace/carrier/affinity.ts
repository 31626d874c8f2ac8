import type { Clock } from "../../../../observe/clock.ts";

/** More clients than this of one Service port are not remembered: the longest unseen is forgotten. */
const MOST = 100_000;

/**
 * Which target a client was sent to last, by its address, for so many seconds after its last new connection (PRX-096, PRX-097,
 * PRX-199). Kept in the order of use, so that the first are the oldest.
 */
export class Affinity {
  readonly #clock: Clock;
  readonly #clients = new Map<string, { readonly target: string; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The name of the client's target; undefined when there is none, or it was too long ago. */
  targetOf(client: string): string | undefined {
    const known = this.#clients.get(client);
    return known === undefined || known.until <= this.#clock.now() ? undefined : known.target;
  }

  remember(client: string, target: string, seconds: number): void {
    this.#clients.delete(client);
    this.#clients.set(client, { target, until: this.#clock.now() + seconds * 1000 });
    for (const [oldest, { until }] of this.#clients) {
      if (this.#clients.size <= MOST && until > this.#clock.now()) break;
      this.#clients.delete(oldest);
    }
  }

  forget(client: string): void {
    this.#clients.delete(client);
  }

  /** PRX-099: a target that comes back is not remembered. */
  keepOnly(targets: { has(name: string): boolean }): void {
    for (const [client, { target }] of this.#clients) if (!targets.has(target)) this.#clients.delete(client);
  }
}
