import { ApiError } from "../api/status.ts";
import { OutcomeUnknown, TooLarge, Unavailable } from "../store/store.ts";

/** What a client is told when the store itself failed; undefined for other errors. */
export function storeError(error: unknown): ApiError | undefined {
  if (error instanceof Unavailable) {
    return new ApiError("ServiceUnavailable", error.message, { retryAfterSeconds: 1 }, { cause: error });
  }
  // Without a time to retry after: clients would send it again by themselves, and it may have been done.
  if (error instanceof OutcomeUnknown) return new ApiError("Timeout", error.message, undefined, { cause: error });
  if (error instanceof TooLarge)
    return new ApiError("RequestEntityTooLarge", error.message, undefined, { cause: error });
  return undefined;
}
