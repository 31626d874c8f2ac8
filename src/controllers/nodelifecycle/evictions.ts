import type { Node, Pod, Taint } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { pods as podResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import { timestamp } from "../../observe/clock.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { isTerminating } from "../pods/ready.ts";
import { leavesAt } from "./tolerated.ts";

const expelling = (node: Node | undefined): Taint[] =>
  (node?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");

/** CTL-117: deletes pods from nodes whose NoExecute taints they do not tolerate, or no longer. The caches have synced. */
export function startEvictions(environment: ControllerEnvironment): Part {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "tainteviction" });
  const { nodes, pods } = caches;
  const events = createEventRecorder({ client, component: "taint-eviction-controller", clock, log });

  /** When pods were first seen to have to leave, for taints that do not say since when they are there. */
  const seen = new Map<string, number>();

  const evict = async (pod: Pod, signal: AbortSignal): Promise<void> => {
    const { namespace, name = "", uid = "" } = pod.metadata;
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByTaintManager",
      message: "Taint manager: deleting due to NoExecute taint",
      lastTransitionTime: timestamp(clock.now()),
    };
    const patch = { metadata: { uid }, status: { conditions: [condition] } };
    events.event(pod, "Normal", "TaintManagerEviction", `Marking for deletion Pod ${keyOf(pod)}`);
    try {
      await client.patch(podResource, { namespace, name }, "strategic", patch, { subresource: "status" }, signal);
      await client.delete(podResource, { namespace, name }, { preconditions: { uid } }, signal);
    } catch (error) {
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
  };

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const pod = pods.get(key);
    if (pod === undefined || isTerminating(pod)) return void seen.delete(key);
    const now = clock.now();
    const first = seen.get(key) ?? now;
    const at = leavesAt(pod, expelling(nodes.get(pod.spec?.nodeName ?? "")), first);
    if (at === undefined) return void seen.delete(key);
    seen.set(key, first);
    if (at > now) queue.addAfter(key, at - now);
    else await evict(pod, signal);
  };
  const queue = createWorkQueue({ concurrency: 8, clock, random, log, work });
  const considerNode = (node: Node): void => {
    if (expelling(node).length > 0) for (const pod of pods.by("node", keyOf(node))) queue.add(keyOf(pod));
  };
  for (const node of nodes.values()) considerNode(node);
  const stops = [
    nodes.onChange((change) => {
      if (change.type === "removed") return;
      const before = change.type === "changed" ? expelling(change.previous) : [];
      if (JSON.stringify(before) === JSON.stringify(expelling(change.object))) return;
      considerNode(change.object);
      if (expelling(change.object).length === 0)
        for (const pod of pods.by("node", keyOf(change.object))) seen.delete(keyOf(pod));
    }),
    pods.onChange((change) => {
      if (change.type === "removed") return void seen.delete(keyOf(change.previous));
      const { spec } = change.object;
      const isNews =
        change.type === "added" ||
        change.previous.spec?.nodeName !== spec?.nodeName ||
        change.previous.spec?.tolerations?.length !== spec?.tolerations?.length;
      if (isNews && expelling(nodes.get(spec?.nodeName ?? "")).length > 0) queue.add(keyOf(change.object));
    }),
  ];
  return {
    async stop() {
      for (const stop of stops) stop();
      events.stop();
      await queue.stop();
    },
  };
}
