/** Milliseconds that a connection may go without an answer before somebody asks the endpoint. */
export const PATIENCE = 250;
/** Milliseconds between two questions to an endpoint that is in doubt but answers us. */
const DOUBT = 1_000;
/** Milliseconds until the first try after a penalty began; each that fails doubles it. */
const FIRST_TRY = 1_000;
const LONGEST_TRY = 30_000;
/** Milliseconds after which clients may try for themselves: who answers clients may refuse to answer us. */
const LONGEST = 300_000;
/** Connections remembered for an endpoint that does not answer: more say nothing new. */
const REMEMBERED = 32;

/** What an endpoint did to the connections that came to it since it last answered one. */
interface Doubt {
  /** When each began, by whose it is. */
  readonly failing: Map<string, number>;
  /** Not asked again before. */
  askAt: number;
}

interface Penalty {
  readonly since: number;
  tryAt: number;
  wait: number;
}

/** What should be done now; endpoints by name. */
interface Verdicts {
  /** To ask whether they take a connection. */
  readonly ask: readonly string[];
  /** To lead clients to again. */
  readonly released: readonly string[];
}

/**
 * Who is left out of new connections for a while, and why: a state machine that knows only what it is told and when. A connection that
 * nobody answers within PATIENCE, or that is refused, puts its endpoint in doubt, unless the endpoint answered any other since; then we ask
 * it ourselves, and only who does not answer us either is penalized. So one client's lost packet, a client that a firewall keeps out,
 * or an endpoint so busy that it drops some is no reason. A penalty ends as soon as the endpoint answers us; it is asked after 1 s, 2 s, 4 s
 * … 30 s, by us and not at the cost of a client.
 */
export class PenaltyBox {
  readonly #doubts = new Map<string, Doubt>();
  readonly #penalties = new Map<string, Penalty>();
  readonly #asked = new Set<string>();
  /** Penalties ever given. */
  given = 0;

  get penalized(): ReadonlyMap<string, unknown> {
    return this.#penalties;
  }

  /** Somebody may have to be asked soon. */
  get inDoubt(): boolean {
    return this.#doubts.size > 0;
  }

  /** A client's connection to the endpoint began; `whose` names it among those of the endpoint. */
  opened(endpoint: string, whose: string, at: number): void {
    if (this.#penalties.has(endpoint)) return;
    let doubt = this.#doubts.get(endpoint);
    if (doubt === undefined) this.#doubts.set(endpoint, (doubt = { failing: new Map(), askAt: 0 }));
    if (doubt.failing.size < REMEMBERED) doubt.failing.set(whose, at);
  }

  /** The endpoint took a connection, anybody's. */
  answered(endpoint: string): void {
    const doubt = this.#doubts.get(endpoint);
    if (doubt === undefined) return;
    if (doubt.askAt === 0) this.#doubts.delete(endpoint);
    else doubt.failing.clear();
  }

  /** Nobody waits for this connection any more. */
  forgotten(endpoint: string, whose: string): void {
    this.#doubts.get(endpoint)?.failing.delete(whose);
  }

  /** Not all that happened was told: what looks unanswered may have been answered. */
  lost(): void {
    this.#doubts.clear();
  }

  /** The endpoint is nobody's any more. */
  gone(endpoint: string): void {
    this.#doubts.delete(endpoint);
    this.#penalties.delete(endpoint);
    this.#asked.delete(endpoint);
  }

  /** An endpoint that was to be asked did or did not take our connection. Answers whether it is penalized because of it. */
  heard(endpoint: string, took: boolean, at: number): "penalized" | "released" | undefined {
    if (!this.#asked.delete(endpoint)) return undefined;
    const penalty = this.#penalties.get(endpoint);
    if (penalty !== undefined) {
      if (took) {
        this.#penalties.delete(endpoint);
        return "released";
      }
      penalty.wait = Math.min(penalty.wait * 2, LONGEST_TRY);
      penalty.tryAt = at + penalty.wait;
      return undefined;
    }
    const doubt = this.#doubts.get(endpoint);
    if (doubt === undefined) return undefined;
    if (took) {
      doubt.failing.clear();
      doubt.askAt = at + DOUBT;
      return undefined;
    }
    // It answered somebody while we asked.
    if (doubt.failing.size === 0) return undefined;
    this.#doubts.delete(endpoint);
    this.#penalties.set(endpoint, { since: at, tryAt: at + FIRST_TRY, wait: FIRST_TRY });
    this.given++;
    return "penalized";
  }

  /** Whom to ask now, and whom to release since too long has passed. `isSpared`: who would be the last one standing. */
  decide(now: number, isSpared: (endpoint: string) => boolean): Verdicts {
    const ask: string[] = [];
    const released: string[] = [];
    for (const [endpoint, { failing, askAt }] of this.#doubts) {
      if (failing.size === 0 && askAt <= now) this.#doubts.delete(endpoint);
      const [first] = failing.values();
      if (first === undefined || now - first < PATIENCE || now < askAt) continue;
      if (!this.#asked.has(endpoint) && !isSpared(endpoint)) ask.push(endpoint);
    }
    for (const [endpoint, { since, tryAt }] of this.#penalties) {
      if (now - since >= LONGEST) {
        this.#penalties.delete(endpoint);
        released.push(endpoint);
      } else if (tryAt <= now && !this.#asked.has(endpoint)) ask.push(endpoint);
    }
    for (const endpoint of ask) this.#asked.add(endpoint);
    return { ask, released };
  }
}
