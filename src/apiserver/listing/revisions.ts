import { ApiError, isApiError } from "../../api/status.ts";
import type { Context } from "../context.ts";

/** What is beyond 64 bits. */
const NO_REVISION = 2n ** 64n;

/** Why a text is no revision, in upstream's words; undefined for one that is. */
function faultOf(said: string): string | undefined {
  const why = /^\d+$/.test(said) ? (BigInt(said) < NO_REVISION ? undefined : "value out of range") : "invalid syntax";
  const shown = JSON.stringify(said);
  return why && `resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: ${why}`;
}

/**
 * The `resourceVersion` a request says; undefined when it says none, or any (`0`).
 *
 * @param refuse how the verb refuses what is no revision: upstream's lists say it is the client's fault, its other verbs only that they failed
 */
export function revisionOf(
  said: string,
  refuse: (why: string) => ApiError = (why) => new ApiError("Unknown", why),
): number | undefined {
  if (said === "") return undefined;
  const why = faultOf(said);
  if (why !== undefined) throw refuse(why);
  const revision = Number(said);
  return revision === 0 ? undefined : revision;
}

/**
 * Resolves when everything up to a revision has been taken in.
 *
 * @param said the revision as the client said it, which may have more digits than a number keeps
 * @throws ApiError Timeout for a revision that does not come
 */
export async function reached({ cache }: Context, revision: number, said = String(revision)): Promise<void> {
  try {
    await cache.reached(revision);
  } catch (error) {
    if (!isApiError(error, "Timeout")) throw error;
    const message = `Timeout: Too large resource version: ${BigInt(said)}, current: ${cache.revision}`;
    throw new ApiError("Timeout", message, error.details);
  }
}
