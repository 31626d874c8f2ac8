import type { UpstreamFailure } from "./upstream.ts";

const TIMEOUTS: ReadonlySet<string> = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "ETIMEDOUT",
]);

/** The request itself cannot be put on the wire. */
const UNSENDABLE: ReadonlySet<string> = new Set(["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED"]);

/** What an error of a connection to an endpoint means for its request. */
export function failureOf(error: Error, isUnseen: boolean): UpstreamFailure {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const reason = TIMEOUTS.has(code)
    ? "timeout"
    : code.startsWith("HPE_") || code === "UND_ERR_HEADERS_OVERFLOW"
      ? "invalid_header"
      : "error";
  return { reason, isFinal: UNSENDABLE.has(code), isUnseen, error };
}
