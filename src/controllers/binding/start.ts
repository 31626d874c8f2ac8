import type { Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { pods as podResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createEventRecorder } from "../../client/events.ts";
import { objectPath } from "../../client/paths.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import { timestamp } from "../../observe/clock.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { awaitsNode, chooseNode, SCHEDULER } from "./choose.ts";
import { countLoads } from "./load.ts";
import { candidateOf } from "./obstacle.ts";
import { unweighed } from "./unweighed.ts";

/** Gives each pod without a node one, or says why none can have it. */
export async function startBinding(environment: ControllerEnvironment): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "binding" });
  const { pods, nodes, claims } = caches;
  await Promise.all([pods.synced(), nodes.synced(), claims.synced()]);
  const loads = countLoads(pods);
  const events = createEventRecorder({ client, component: SCHEDULER, clock, log });
  /** Uids of pods that we have bound, until the cache shows it: they are not bound twice. */
  const bound = new Map<string, string | undefined>();
  const unschedulable = new Set<string>();

  const bind = async (pod: Pod, node: string, signal: AbortSignal): Promise<void> => {
    const { namespace, name = "", uid } = pod.metadata;
    loads.assume(pod, node);
    try {
      await client.raw(
        "POST",
        objectPath(podResource, { namespace, name }, "binding"),
        {
          apiVersion: "v1",
          kind: "Binding",
          metadata: { namespace, name, ...(uid === undefined ? {} : { uid }) },
          target: { apiVersion: "v1", kind: "Node", name: node },
        },
        signal,
      );
    } catch (error) {
      loads.takeBack(pod);
      // Gone, or bound by somebody else: the cache will tell.
      if (isApiError(error, "NotFound", "Conflict")) return;
      throw error;
    }
    if (pods.get(keyOf(pod))?.metadata.uid === uid) bound.set(keyOf(pod), uid);
    unschedulable.delete(keyOf(pod));
    events.event(pod, "Normal", "Scheduled", `Successfully assigned ${keyOf(pod)} to ${node}`);
    const ignored = unweighed(pod);
    if (ignored.length > 0) {
      events.event(pod, "Warning", "NotWeighed", `The place was chosen without weighing ${ignored.join(", ")}`);
    }
  };

  const refuse = async (pod: Pod, why: string, signal: AbortSignal): Promise<void> => {
    unschedulable.add(keyOf(pod));
    const said = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
    if (said?.status === "False" && said.reason === "Unschedulable" && said.message === why) return;
    events.event(pod, "Warning", "FailedScheduling", why);
    const condition = {
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message: why,
      lastTransitionTime:
        said?.status === "False" && said.lastTransitionTime !== undefined
          ? said.lastTransitionTime
          : timestamp(clock.now()),
    };
    const at = { namespace: pod.metadata.namespace, name: pod.metadata.name ?? "" };
    const patch = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } };
    try {
      await client.patch(podResource, at, "strategic", patch, { subresource: "status" }, signal);
    } catch (error) {
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
  };

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const pod = pods.get(key);
    if (pod === undefined || !awaitsNode(pod)) {
      unschedulable.delete(key);
      return;
    }
    if (bound.has(key) && bound.get(key) === pod.metadata.uid) return;
    const candidate = candidateOf(pod, (name) => claims.get(`${pod.metadata.namespace ?? ""}/${name}`));
    const choice = chooseNode(candidate, nodes.values(), (node) => loads.on(node));
    await ("node" in choice ? bind(pod, choice.node, signal) : refuse(pod, choice.refused, signal));
  };
  const queue = createWorkQueue({ concurrency: 16, clock, random, log, work });
  const retryRefused = (): void => {
    for (const key of unschedulable) queue.add(key);
  };
  for (const pod of pods.values()) if (awaitsNode(pod)) queue.add(keyOf(pod));
  const stops = [
    pods.onChange((change) => {
      if (change.type === "removed") {
        bound.delete(keyOf(change.previous));
        unschedulable.delete(keyOf(change.previous));
        retryRefused();
        return;
      }
      if (!awaitsNode(change.object)) bound.delete(keyOf(change.object));
      else if (change.type === "added" || !awaitsNode(change.previous)) queue.add(keyOf(change.object));
    }),
    claims.onChange((change) => {
      if (unschedulable.size > 0 && change.type !== "removed") retryRefused();
    }),
    nodes.onChange((change) => {
      // Heartbeats change nothing that a choice looks at; only few pods wait, so they are simply tried again.
      if (unschedulable.size > 0 && change.type !== "removed") retryRefused();
    }),
  ];
  return {
    async stop() {
      for (const stop of stops) stop();
      loads.stop();
      events.stop();
      await queue.stop();
    },
  };
}
