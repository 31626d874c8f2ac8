import type { Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { nodes as nodeResource, pods as podResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import { timestamp } from "../../observe/clock.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { isFinished } from "../pods/ready.ts";
import { KEPT, surplusOf, wasteOf } from "./decide.ts";

/** Milliseconds that a node must be missing before its pods go, and between two counts of pods that have ended. */
const QUARANTINE = 40_000;
const PERIOD = 20_000;

/** The key under which pods that have ended are counted; no pod has it. */
const COUNT = "";

/** CTL-117: removes pods that no node will: of nodes that are gone, that never had one, and those that ended beyond a limit. */
export async function startPodGarbage(environment: ControllerEnvironment, kept = KEPT): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "podgarbage" });
  const { nodes, pods } = caches;
  await Promise.all([nodes.synced(), pods.synced()]);
  /** When nodes that pods speak of were first missed. */
  const missing = new Map<string, number>();
  let ended = 0;

  const remove = async (pod: Pod, isOrphan: boolean, signal: AbortSignal): Promise<void> => {
    const { namespace, name = "", uid = "" } = pod.metadata;
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByPodGC",
      message: "PodGC: node no longer exists",
      lastTransitionTime: timestamp(clock.now()),
    };
    try {
      // Nobody else will say that it has ended; whoever waits for it must see how.
      if (!isFinished(pod)) {
        const status = { phase: "Failed", ...(isOrphan ? { conditions: [condition] } : {}) };
        const patch = { metadata: { uid }, status };
        await client.patch(podResource, { namespace, name }, "strategic", patch, { subresource: "status" }, signal);
      }
      const options = { gracePeriodSeconds: 0, preconditions: { uid } };
      await client.delete(podResource, { namespace, name }, options, signal);
    } catch (error) {
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
  };

  const isNodeGone = async (name: string, signal: AbortSignal): Promise<boolean> => {
    try {
      await client.get(nodeResource, { name }, signal);
      return false;
    } catch (error) {
      if (isApiError(error, "NotFound")) return true;
      throw error;
    }
  };

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    if (key === COUNT) {
      await Promise.all(surplusOf(pods.values(), kept).map((pod) => remove(pod, false, signal)));
      return;
    }
    const pod = pods.get(key);
    const waste = pod === undefined ? undefined : wasteOf(pod, nodes.get(pod.spec?.nodeName ?? ""));
    if (pod === undefined || waste === undefined) return;
    if (waste.reason !== "orphaned") return remove(pod, false, signal);
    const now = clock.now();
    const since = missing.get(waste.node) ?? now;
    missing.set(waste.node, since);
    const left = since + QUARANTINE - now;
    if (left > 0) queue.addAfter(key, left);
    else if (await isNodeGone(waste.node, signal)) await remove(pod, true, signal);
  };
  const queue = createWorkQueue({ concurrency: 8, clock, random, log, work });
  const consider = (pod: Pod): void => {
    if (wasteOf(pod, nodes.get(pod.spec?.nodeName ?? "")) !== undefined) queue.add(keyOf(pod));
  };
  const count = (pod: Pod, by: number): void => {
    if (!isFinished(pod)) return;
    ended += by;
    if (by > 0 && ended > kept) queue.addAfter(COUNT, PERIOD);
  };
  for (const pod of pods.values()) {
    consider(pod);
    count(pod, 1);
  }
  const stops = [
    pods.onChange((change) => {
      if (change.type !== "added") count(change.previous, -1);
      if (change.type === "removed") return;
      count(change.object, 1);
      consider(change.object);
    }),
    nodes.onChange((change) => {
      const { name = "" } = (change.type === "removed" ? change.previous : change.object).metadata;
      if (change.type === "added") missing.delete(name);
      else if (change.type === "removed" || (change.object.spec?.taints ?? []).length > 0) {
        for (const pod of pods.by("node", name)) consider(pod);
      }
    }),
  ];
  return {
    async stop() {
      for (const stop of stops) stop();
      await queue.stop();
    },
  };
}
