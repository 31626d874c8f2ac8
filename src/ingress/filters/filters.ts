import type { Answer, OutgoingHead, RequestHead, ResponseHead } from "../request.ts";

/**
 * What the settings of one route do to its requests, for an engine that does them itself. Each is absent where no setting of the route has
 * anything to do there, so that a plain route costs nothing.
 */
export interface RouteFilters {
  /** Before a backend is chosen: an answer instead of one, or undefined. In the order: redirects, sources and auth, rates, CORS. */
  readonly admit?: (request: RequestHead) => Answer | undefined | Promise<Answer | undefined>;
  /** After hop-by-hop headers were taken away and X-Forwarded-* were set. */
  readonly forward?: (outgoing: OutgoingHead, request: RequestHead) => void;
  /** Before a response's head is sent; of answers of `admit` too. */
  readonly respond?: (response: ResponseHead, request: RequestHead) => void;
  /** A request that was admitted has ended, well or not. */
  readonly ended?: (request: RequestHead) => void;
}
