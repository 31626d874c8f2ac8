import { ApiError } from "../../api/status.ts";
import type { RequestInfo } from "../access/attributes.ts";
import type { Identity } from "../identity/identity.ts";

/** How many requests may be answered at the same time (upstream's `--max-requests-inflight`, `--max-mutating-requests-inflight`). */
export interface InFlightLimits {
  readonly reading: number;
  readonly writing: number;
}

const DEFAULT_LIMITS: InFlightLimits = { reading: 400, writing: 200 };

/** Requests that live for long, by what they are meant to. */
const STREAMS = new Set(["attach", "exec", "log", "portforward", "proxy"]);
const HEALTH = /^\/(healthz|livez|readyz)(\/|$)/;
const READING = new Set(["get", "head", "list"]);
const MASTERS = "system:masters";

const tooMany = (): ApiError =>
  new ApiError("TooManyRequests", "Too many requests, please try again later.", { retryAfterSeconds: 1 });

const NOTHING = (): void => {};

/**
 * Counts the requests under way and refuses what is too many, so that a flood leaves room for others. Watches and streams are not
 * counted, and neither are health checks and the administrators who would have to end the flood.
 */
export class InFlight {
  readonly #limits: InFlightLimits;
  #reading = 0;
  #writing = 0;

  constructor(limits: InFlightLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Takes a place for a request; the answer gives it back. @throws ApiError TooManyRequests */
  take(info: RequestInfo, identity: Identity): () => void {
    const lives = info.verb === "watch" || (info.resource !== undefined && STREAMS.has(info.subresource));
    if (lives || HEALTH.test(info.path) || identity.groups.includes(MASTERS)) return NOTHING;
    if (READING.has(info.verb)) {
      if (this.#reading >= this.#limits.reading) throw tooMany();
      this.#reading += 1;
      return () => void (this.#reading -= 1);
    }
    if (this.#writing >= this.#limits.writing) throw tooMany();
    this.#writing += 1;
    return () => void (this.#writing -= 1);
  }
}
