import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { EndpointSlice, Event, Lease, Node, Pod, StatefulSet } from "../../src/api/generated/types.ts";
import { endpointSlices, events, leases, namespaces, nodes, pods, statefulSets } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { microTimestamp } from "../../src/observe/clock.ts";
import type { JumpingClock } from "./jumping-clock.ts";
import { jumpingClock } from "./jumping-clock.ts";
import { addNode, addPod, addService, createWorld, eventually, runPod } from "./world.ts";

const KUBE_NODE_LEASE = "kube-node-lease";

/** `node-1` is alive by its Lease as long as the test renews it; `node-2` by its own. */
async function begin(t: TestContext) {
  const clock = jumpingClock();
  const world = await createWorld(t, clock);
  const { client } = world;
  await client
    .create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: KUBE_NODE_LEASE } })
    .catch(() => {});
  await addNode(client, "node-2");
  for (const name of ["node-1", "node-2"]) {
    await client.create<Lease>(leases, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { namespace: KUBE_NODE_LEASE, name },
      spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTimestamp(clock.now()) },
    });
  }
  return { ...world, clock };
}

const renew = (client: Client, clock: JumpingClock, name: string): Promise<Lease> =>
  client.patch<Lease>(leases, { namespace: KUBE_NODE_LEASE, name }, "merge", {
    spec: { renewTime: microTimestamp(clock.now()) },
  });

const read = (client: Client, name: string): Promise<Node> => client.get<Node>(nodes, { name });
const readyOf = ({ status }: Node): string | undefined =>
  status?.conditions?.find(({ type }) => type === "Ready")?.status;
const taintsOf = ({ spec }: Node): string =>
  (spec?.taints ?? [])
    .map(({ key, effect }) => `${key.replace("node.kubernetes.io/", "")}:${effect}`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join();
const podOf = (client: Client, name: string): Promise<Pod | undefined> =>
  client.get<Pod>(pods, { namespace: "default", name }).catch(() => undefined);
const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** Time goes by as for a node that lives: in steps that no controller would miss, each with a sign of life of those named. */
async function pass(client: Client, clock: JumpingClock, seconds: number, alive: readonly string[]): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 10) {
    clock.jump(10_000);
    for (const name of alive) await renew(client, clock, name);
    // What was written has been seen by whoever watches when a later write has been.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const silent = async (client: Client, clock: JumpingClock, name: string, alive: readonly string[]): Promise<Node> =>
  eventually(
    `${name} to be unknown`,
    async () => {
      await pass(client, clock, 10, alive);
      return read(client, name);
    },
    (node) => readyOf(node) === "Unknown" && taintsOf(node) !== "",
  );

test("CTL-117: a silent node is unknown and tainted, its pods are not ready and go after 300 s", async (t) => {
  const { client, clock } = await begin(t);
  await addPod(client, "lost", { app: "web" }, { nodeName: "node-2" });
  await runPod(client, "lost", "10.1.0.1");
  await addPod(client, "patient", {}, { nodeName: "node-2", tolerations: [{ operator: "Exists" }] });
  const node = await silent(client, clock, "node-2", ["node-1"]);
  assert.equal(taintsOf(node), "unreachable:NoExecute,unreachable:NoSchedule");
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  assert.deepEqual([ready?.reason, ready?.message], ["NodeStatusUnknown", "Kubelet stopped posting node status."]);
  assert.equal(readyOf(await read(client, "node-1")), "True");
  assert.equal(taintsOf(await read(client, "node-1")), "");
  const pod = await eventually(
    "the pod not to be ready",
    () => podOf(client, "lost"),
    (found) => !isReady(found),
  );
  assert.equal(pod?.metadata.deletionTimestamp, undefined, "it is given 300 s");
  await pass(client, clock, 310, ["node-1"]);
  const gone = await eventually(
    "the pod to be told to end",
    () => podOf(client, "lost"),
    (found) => found?.metadata.deletionTimestamp !== undefined,
  );
  assert.equal(
    gone?.status?.conditions?.find(({ type }) => type === "DisruptionTarget")?.reason,
    "DeletionByTaintManager",
  );
  assert.equal((await podOf(client, "patient"))?.metadata.deletionTimestamp, undefined);
  const told = (await client.list<Event>(events, { namespace: "default" })).items.map(({ reason }) => reason);
  assert.ok(told.includes("NodeNotReady"));
});

test("CTL-117: a node that is heard of again loses its taints when it says that it is ready", async (t) => {
  const { client, clock } = await begin(t);
  await silent(client, clock, "node-2", ["node-1"]);
  await renew(client, clock, "node-2");
  await client.patch(
    nodes,
    { name: "node-2" },
    "strategic",
    { status: { conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }] } },
    { subresource: "status" },
  );
  await eventually(
    "no taints",
    () => read(client, "node-2"),
    (node) => taintsOf(node) === "",
  );
});

test("CTL-117: when no node is heard of at all, pods stay where they are", async (t) => {
  const { client, clock } = await begin(t);
  await addPod(client, "kept", {}, { nodeName: "node-2" });
  await silent(client, clock, "node-2", []);
  await silent(client, clock, "node-1", []);
  const node = await eventually(
    "the pods' reprieve",
    () => read(client, "node-2"),
    (found) => taintsOf(found) === "unreachable:NoSchedule",
  );
  assert.equal(readyOf(node), "Unknown");
  await pass(client, clock, 400, []);
  assert.equal((await podOf(client, "kept"))?.metadata.deletionTimestamp, undefined);
});

test("CTL-117: a node that says it is not ready is tainted as such, and cordon has its taint", async (t) => {
  const { client } = await begin(t);
  const say = (status: string): Promise<Node> =>
    client.patch<Node>(
      nodes,
      { name: "node-2" },
      "strategic",
      { status: { conditions: [{ type: "Ready", status }] } },
      { subresource: "status" },
    );
  await say("False");
  await eventually(
    "its taints",
    () => read(client, "node-2"),
    (node) => taintsOf(node) === "not-ready:NoExecute,not-ready:NoSchedule",
  );
  await say("True");
  await client.patch(nodes, { name: "node-2" }, "merge", { spec: { unschedulable: true } });
  await eventually(
    "the cordon",
    () => read(client, "node-2"),
    (node) => taintsOf(node) === "unschedulable:NoSchedule",
  );
  await client.patch(nodes, { name: "node-2" }, "merge", { spec: { unschedulable: false } });
  await eventually(
    "none",
    () => read(client, "node-2"),
    (node) => taintsOf(node) === "",
  );
});

test("a pod leaves a node whose NoExecute taint it does not tolerate, or no longer than it says", async (t) => {
  const { client, clock } = await begin(t);
  const toleration = { key: "work", operator: "Exists", effect: "NoExecute" };
  await addPod(client, "now", {}, { nodeName: "node-2" });
  await addPod(client, "later", {}, { nodeName: "node-2", tolerations: [{ ...toleration, tolerationSeconds: 60 }] });
  await addPod(client, "never", {}, { nodeName: "node-2", tolerations: [toleration] });
  const taints = [{ key: "work", effect: "NoExecute" }];
  await client.patch(nodes, { name: "node-2" }, "merge", { spec: { taints } });
  const told = (name: string): Promise<unknown> =>
    eventually(
      `${name} to be told`,
      () => podOf(client, name),
      (pod) => pod?.metadata.deletionTimestamp !== undefined,
    );
  await told("now");
  assert.equal((await podOf(client, "later"))?.metadata.deletionTimestamp, undefined);
  await pass(client, clock, 70, ["node-1", "node-2"]);
  await told("later");
  assert.equal((await podOf(client, "never"))?.metadata.deletionTimestamp, undefined);
});

test("CTL-117: pods of a node that is gone are removed, after a while in which it might come back", async (t) => {
  const { client, clock, restartControllers } = await begin(t);
  await addPod(client, "orphan", {}, { nodeName: "node-2" });
  await runPod(client, "orphan", "10.1.0.1");
  await client.delete(nodes, { name: "node-2" });
  await restartControllers();
  await pass(client, clock, 20, ["node-1"]);
  assert.notEqual(await podOf(client, "orphan"), undefined);
  await eventually(
    "the orphan to go",
    async () => {
      await pass(client, clock, 10, ["node-1"]);
      return podOf(client, "orphan");
    },
    (pod) => pod === undefined,
  );
});

test("CTL-116: an evicted pod is Failed, leaves its Service's endpoints, and its owner replaces it", async (t) => {
  const { client } = await begin(t);
  await client.create<StatefulSet>(statefulSets, {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { namespace: "default", name: "web" },
    spec: {
      replicas: 1,
      serviceName: "web",
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "c", image: "one", ports: [{ name: "web", containerPort: 8080 }] }] },
      },
    },
  });
  await addService(client, "web", { app: "web" });
  const endpoints = async (): Promise<number> =>
    (await client.list<EndpointSlice>(endpointSlices, { namespace: "default" })).items.flatMap(
      (slice) => slice.endpoints,
    ).length;
  const made = await eventually(
    "the pod",
    () => podOf(client, "web-0"),
    (pod) => pod !== undefined,
  );
  await runPod(client, "web-0", "10.1.0.7");
  await eventually("its endpoint", endpoints, (count) => count === 1);
  await client.patch(
    pods,
    { namespace: "default", name: "web-0" },
    "merge",
    { status: { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." } },
    { subresource: "status" },
  );
  await eventually("no endpoint", endpoints, (count) => count === 0);
  await eventually(
    "its successor",
    () => podOf(client, "web-0"),
    (pod) => pod?.status?.phase === "Pending" && pod.metadata.uid !== made?.metadata.uid,
  );
});
