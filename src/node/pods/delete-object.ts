import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { PodContext } from "./context.ts";
import { pause } from "./pause.ts";

/** How long until the API is asked again that did not answer, in milliseconds. */
const RETRY = 1_000;

/** Takes the object of a pod away of which nothing is left. Tries until it is gone, or the signal. */
export async function deleteObject(
  { client, clock, log }: Pick<PodContext, "client" | "clock" | "log">,
  pod: Pod,
  signal: AbortSignal,
  isGone: () => boolean,
): Promise<void> {
  const { namespace, name = "", uid = "" } = pod.metadata;
  while (!signal.aborted && !isGone()) {
    try {
      await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
      return;
    } catch (error) {
      if (isApiError(error, "NotFound", "Conflict")) return;
      log.warn({ namespace, pod: name, error }, "deleting a pod's object failed; trying again");
      await pause(clock, RETRY, signal);
    }
  }
}
