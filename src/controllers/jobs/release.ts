import type { Pod } from "../../api/generated/types.ts";
import { pods as podResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import { TRACKING } from "./finished.ts";

/** Sets the pod free of the finalizer and answers it; undefined when it is gone. */
export async function releasePod(client: Client, pod: Pod, signal: AbortSignal): Promise<Pod | undefined> {
  const { namespace, name = "", uid } = pod.metadata;
  const patch = { metadata: { uid, "$deleteFromPrimitiveList/finalizers": [TRACKING] } };
  try {
    return await client.patch<Pod>(podResource, { namespace, name }, "strategic", patch, undefined, signal);
  } catch (error) {
    // A conflict is about the uid: another pod has the name by now.
    if (isApiError(error, "NotFound", "Conflict")) return undefined;
    throw error;
  }
}
