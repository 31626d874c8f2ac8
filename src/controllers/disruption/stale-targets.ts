import type { Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { pods as podResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import { timestamp } from "../../observe/clock.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { isFinished, isTerminating } from "../pods/ready.ts";

/** Milliseconds after which a pod that was to be disrupted, and is still there, is no longer said to be. */
const TIMEOUT = 2 * 60_000;

/** When the pod's condition DisruptionTarget has to be taken back (KEP-3329); undefined when it need not be. */
function targetEndsAt(pod: Pod): number | undefined {
  if (isTerminating(pod) || isFinished(pod)) return undefined;
  const said = pod.status?.conditions?.find(({ type }) => type === "DisruptionTarget");
  // A node that ends a pod may take its time over it.
  if (said?.status !== "True" || said.reason === "TerminationByKubelet") return undefined;
  const since = Date.parse(said.lastTransitionTime ?? "");
  return (Number.isNaN(since) ? 0 : since) + TIMEOUT;
}

/** Takes back what was said of pods that were to be disrupted and were not. The cache of pods has synced. */
export function startStaleTargets(environment: ControllerEnvironment): Part {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "disruption-targets" });
  const { pods } = caches;

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const pod = pods.get(key);
    const endsAt = pod === undefined ? undefined : targetEndsAt(pod);
    if (pod === undefined || endsAt === undefined) return;
    const left = endsAt - clock.now();
    if (left > 0) return queue.addAfter(key, left);
    const { namespace, name = "", uid } = pod.metadata;
    const condition = { type: "DisruptionTarget", status: "False", lastTransitionTime: timestamp(clock.now()) };
    const patch = { metadata: { uid }, status: { conditions: [{ ...condition, reason: null, message: null }] } };
    try {
      await client.patch(podResource, { namespace, name }, "strategic", patch, { subresource: "status" }, signal);
    } catch (error) {
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
  };
  const queue = createWorkQueue({ concurrency: 1, clock, random, log, work });
  const consider = (pod: Pod): void => {
    if (targetEndsAt(pod) !== undefined) queue.add(keyOf(pod));
  };
  for (const pod of pods.values()) consider(pod);
  const stop = pods.onChange((change) => {
    if (change.type !== "removed") consider(change.object);
  });
  return {
    async stop() {
      stop();
      await queue.stop();
    },
  };
}
