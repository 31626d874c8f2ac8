import type { Lease, Node, Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { leases, nodes as nodeResource, pods as podResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import { timestamp } from "../../observe/clock.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { isReady } from "../pods/ready.ts";
import { evictionsOf, silentConditions, taintsOf } from "./decide.ts";
import { startEvictions } from "./evictions.ts";
import { conditionOf, createHealth, GRACE_PERIODS, type GracePeriods } from "./health.ts";

const LEASE_NAMESPACE = "kube-node-lease";

/** What of a node is looked at between its heartbeats. */
const facts = ({ metadata, spec, status }: Node): string =>
  JSON.stringify([
    metadata.uid,
    spec?.unschedulable,
    spec?.taints,
    (status?.conditions ?? []).map(({ type, status: said }) => [type, said]),
  ]);

/** CTL-117: says of nodes that are silent that nothing is known of them, taints nodes by their conditions, and lets their pods go. */
export async function startNodeLifecycle(
  environment: ControllerEnvironment,
  periods: GracePeriods = GRACE_PERIODS,
): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "nodelifecycle" });
  const { nodes, pods } = caches;
  const held = caches.of(leases);
  await Promise.all([nodes.synced(), pods.synced(), held.synced()]);
  const health = createHealth(periods);
  const events = createEventRecorder({ client, component: "node-controller", clock, log });
  const leaseOf = (name: string): Lease | undefined => held.get(`${LEASE_NAMESPACE}/${name}`) as Lease | undefined;

  const markPod = async (pod: Pod, signal: AbortSignal): Promise<void> => {
    const { namespace, name = "", uid } = pod.metadata;
    const condition = { type: "Ready", status: "False", lastTransitionTime: timestamp(clock.now()) };
    const patch = { metadata: { uid }, status: { conditions: [condition] } };
    try {
      await client.patch(podResource, { namespace, name }, "strategic", patch, { subresource: "status" }, signal);
      events.event(pod, "Warning", "NodeNotReady", "Node is not ready");
    } catch (error) {
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
  };

  const work = async (name: string, signal: AbortSignal): Promise<void> => {
    let node = nodes.get(name);
    if (node === undefined) return;
    const now = clock.now();
    try {
      const silent = health.isSilent(node, leaseOf(name), now) ? silentConditions(node, now) : [];
      if (silent.length > 0) {
        const wasReady = conditionOf(node, "Ready")?.status === "True";
        const patch = { metadata: { uid: node.metadata.uid }, status: { conditions: silent } };
        const options = { subresource: "status" } as const;
        node = await client.patch<Node>(nodeResource, { name }, "strategic", patch, options, signal);
        if (wasReady) events.event(node, "Normal", "NodeNotReady", `Node ${name} status is now: NodeNotReady`);
      }
      const present = node;
      const all = Array.from(nodes.values(), (one) => (one.metadata.name === name ? present : one));
      const taints = taintsOf(node, evictionsOf(all)(node), now);
      if (taints !== undefined) {
        node = await client.update(nodeResource, { ...node, spec: { ...node.spec, taints } }, undefined, signal);
      }
      // A node that says itself that it is not ready still speaks for its pods; for one that is silent we do.
      if (conditionOf(node, "Ready")?.status !== "Unknown") return;
      await Promise.all(
        pods
          .by("node", name)
          .filter(isReady)
          .map((pod) => markPod(pod, signal)),
      );
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  };
  const queue = createWorkQueue({ concurrency: 16, clock, random, log, work });

  let lookedAt = clock.now();
  let cancel = (): void => {};
  const look = (): void => {
    const now = clock.now();
    // The machine slept, or we were not let run: the silence was our own.
    if (now - lookedAt > 4 * periods.period) health.excuse(now);
    lookedAt = now;
    // Only a node whose silence has grown too long has anything to be done.
    for (const node of nodes.values()) {
      const name = node.metadata.name ?? "";
      if (health.isSilent(node, leaseOf(name), now)) queue.add(name);
    }
    cancel = clock.after(periods.period, look);
  };
  look();
  for (const node of nodes.values()) queue.add(keyOf(node));
  const addAll = (): void => {
    for (const node of nodes.values()) queue.add(keyOf(node));
  };
  const stops = [
    () => cancel(),
    nodes.onChange((change) => {
      if (change.type === "removed") {
        const { name = "" } = change.previous.metadata;
        health.forget(name);
        events.event(change.previous, "Normal", "RemovingNode", `Removing Node ${name} from Controller`);
        // Whether the others may evict depends on how many there are.
        addAll();
      } else if (change.type === "added") queue.add(keyOf(change.object));
      else if (facts(change.previous) !== facts(change.object)) {
        const ready = (node: Node): string | undefined => conditionOf(node, "Ready")?.status;
        if (ready(change.previous) === ready(change.object)) queue.add(keyOf(change.object));
        else addAll();
      }
    }),
    held.onChange((change) => {
      const { namespace, name = "" } = (change.type === "removed" ? change.previous : change.object).metadata;
      const node = namespace === LEASE_NAMESPACE ? nodes.get(name) : undefined;
      if (node !== undefined) health.isSilent(node, leaseOf(name), clock.now());
    }),
    pods.onChange((change) => {
      if (change.type === "removed" || !isReady(change.object)) return;
      const node = nodes.get(change.object.spec?.nodeName ?? "");
      if (node !== undefined && conditionOf(node, "Ready")?.status === "Unknown") queue.add(keyOf(node));
    }),
  ];
  const evictions = startEvictions(environment);
  return {
    async stop() {
      for (const stop of stops) stop();
      events.stop();
      await Promise.all([queue.stop(), evictions.stop()]);
    },
  };
}
