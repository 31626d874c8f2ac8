import type { Answer, OutgoingHead, RequestHead, ResponseHead } from "../request.ts";

/**
 * What the settings of one route do to its requests, for an engine that does them itself. Each is absent where no setting of the route has
 * anything to do there, so that a plain route costs nothing. All four are given the very same object for one request.
 */
export interface RouteFilters {
  /** Before a backend is chosen: an answer instead of one, or undefined. In the order: redirects, sources, CORS, rates, auth. Never throws or rejects. */
  readonly admit?: (request: RequestHead) => Answer | undefined | Promise<Answer | undefined>;
  /** After hop-by-hop headers were taken away and X-Forwarded-* were set. */
  readonly forward?: (outgoing: OutgoingHead, request: RequestHead) => void;
  /** Before a response's head is sent, and before a session cookie is put in; of answers of `admit` too. */
  readonly respond?: (response: ResponseHead, request: RequestHead) => void;
  /** A request that was admitted (`admit` said undefined, even if its client had gone by then) has ended, well or not. */
  readonly ended?: (request: RequestHead) => void;
  /** How fast a response's body may go; absent: as fast as it is taken. */
  readonly sendRate?: SendRate;
}

/** The bandwidth of one response; see `pacing.ts`. */
export interface SendRate {
  readonly bytesPerSecond: number;
  /** So many bytes go as fast as they can before. */
  readonly after: number;
}
