import type { Retry, RetryReason } from "../../../settings/settings.ts";

/** One try that came to nothing. */
export interface FailedTry {
  readonly reason: RetryReason;
  readonly method: string;
  /** The endpoint has certainly not acted on it. */
  readonly isUnseen: boolean;
  /** So far, this one counted. */
  readonly tries: number;
  /** Milliseconds since the first one. */
  readonly elapsed: number;
  /** There is an endpoint that was not tried. */
  readonly hasOther: boolean;
  /** The request can be sent from its beginning. */
  readonly isRepeatable: boolean;
}

/** As nginx takes them. */
const ACTING: ReadonlySet<string> = new Set(["POST", "LOCK", "PATCH"]);

/**
 * A server that closes a connection it kept open, just as a request goes out on it, has hardly seen it: once more, unless settings say never.
 * What certainly was not sent because its connection was closed before goes out on another without having failed.
 */
const CLOSED_TRIES = 2;

/** Whether a request is tried once more. */
export function triesAgain(retry: Retry, failed: FailedTry): boolean {
  if (!failed.isRepeatable) return false;
  const isHarmless = failed.isUnseen || retry.nonIdempotent || !ACTING.has(failed.method);
  if (!isHarmless || retry.on.size === 0) return false;
  if (failed.reason === "error" && !failed.isUnseen && failed.tries < CLOSED_TRIES) return true;
  if (!retry.on.has(failed.reason)) return false;
  if (retry.timeout !== 0 && failed.elapsed >= retry.timeout) return false;
  return retry.tries === 0 ? failed.hasOther : failed.tries < retry.tries;
}

const STATUSES: ReadonlyMap<number, RetryReason> = new Map([
  [403, "http_403"],
  [404, "http_404"],
  [429, "http_429"],
  [500, "http_500"],
  [502, "http_502"],
  [503, "http_503"],
  [504, "http_504"],
]);

/** The reason that a status is, where it can be one. */
export const reasonOf = (status: number): RetryReason | undefined => (status < 403 ? undefined : STATUSES.get(status));
