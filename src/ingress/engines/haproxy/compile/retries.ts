import type { Retry, RetryReason } from "../../../settings/settings.ts";

/** Reasons as HAProxy names them for `retry-on`. */
const NAMES: Readonly<Partial<Record<RetryReason, string>>> = {
  error: "conn-failure empty-response",
  timeout: "response-timeout",
  invalid_header: "junk-response",
  http_403: "403",
  http_404: "404",
  http_500: "500",
  http_502: "502",
  http_503: "503",
  http_504: "504",
};

/** What may have been acted on is sent once. */
const HARMLESS = ["http-request disable-l7-retry if { method POST LOCK PATCH }"];

/** How often at most, where as often as there are endpoints is asked for. */
const EVERY_ENDPOINT = 10;

/** Whether HAProxy can retry as this says. */
export const hasRetries = ({ on, timeout }: Retry): boolean =>
  on.size === 0 || (timeout === 0 && [...on].every((reason) => NAMES[reason] !== undefined));

/** Lines of a backend; two that retry the same way have the same lines. */
export function retryLines({ on, nonIdempotent, tries }: Retry): string[] {
  const more = tries === 0 ? EVERY_ENDPOINT : tries - 1;
  if (on.size === 0 || more === 0) return ["retries 0"];
  const reasons = [...on].toSorted().map((reason) => NAMES[reason]);
  return [`retries ${more}`, `retry-on ${reasons.join(" ")}`, ...(nonIdempotent ? [] : HARMLESS)];
}
