import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { Event, Pod, ReplicaSet, ReplicationController } from "../../src/api/generated/types.ts";
import { events, pods, replicaSets, replicationControllers } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { playNode } from "./played-node.ts";
import { addNode, addPod, createWorld, eventually } from "./world.ts";

const template = (labels: Record<string, string>) => ({
  metadata: { labels },
  spec: { containers: [{ name: "c", image: "none" }] },
});

const addSet = (client: Client, name: string, replicas: number, spec: object = {}): Promise<ReplicaSet> =>
  client.create<ReplicaSet>(replicaSets, {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { namespace: "default", name },
    spec: { replicas, selector: { matchLabels: { app: "web" } }, template: template({ app: "web" }), ...spec },
  });

const podsOf = async (client: Client): Promise<Pod[]> => (await client.list<Pod>(pods)).items;
const readSet = (client: Client, name: string): Promise<ReplicaSet> =>
  client.get<ReplicaSet>(replicaSets, { namespace: "default", name });
const owners = (found: readonly Pod[]): Record<string, string | undefined> =>
  Object.fromEntries(found.map(({ metadata }) => [metadata.name, metadata.ownerReferences?.[0]?.name]));
const counts = (status: ReplicaSet["status"]) => [
  status?.replicas ?? 0,
  status?.readyReplicas ?? 0,
  status?.availableReplicas ?? 0,
];

async function settled(client: Client, name: string, replicas: number): Promise<ReplicaSet> {
  return eventually(
    `${name} has ${replicas} available pods`,
    () => readSet(client, name),
    ({ status }) => counts(status).every((count) => count === replicas),
  );
}

async function begin(t: TestContext) {
  const world = await createWorld(t);
  return { ...world, node: await playNode(t, world.client) };
}

test("CTL-124, CTL-127: a ReplicaSet adopts pods it selects, frees those that it selects no longer, and replaces them", async (t) => {
  const { client, complaints } = await begin(t);
  await addPod(client, "orphan", { app: "web" });
  await addPod(client, "stranger", { app: "other" });
  await addSet(client, "web", 2);
  await settled(client, "web", 2);
  const adopted = await podsOf(client);
  assert.equal(adopted.length, 3);
  assert.equal(owners(adopted)["orphan"], "web");
  assert.equal(owners(adopted)["stranger"], undefined);

  await client.patch(pods, { namespace: "default", name: "orphan" }, "merge", {
    metadata: { labels: { app: "mine" } },
  });
  const freed = await eventually(
    "it is free",
    () => podsOf(client),
    (found) => found.length === 4 && owners(found)["orphan"] === undefined,
  );
  assert.equal(Object.values(owners(freed)).filter((owner) => owner === "web").length, 2);
  await settled(client, "web", 2);

  // Back again it is one too many.
  await client.patch(pods, { namespace: "default", name: "orphan" }, "merge", { metadata: { labels: { app: "web" } } });
  await eventually(
    "one goes",
    () => podsOf(client),
    (found) => found.length === 3 && found.filter(({ metadata }) => metadata.labels?.["app"] === "web").length === 2,
  );
  await settled(client, "web", 2);
  assert.deepEqual(complaints, []);
});

test("CTL-124: of two ReplicaSets that select the same, each keeps to its own pods", async (t) => {
  const { client } = await begin(t);
  await addSet(client, "one", 2);
  await addSet(client, "two", 3);
  await settled(client, "one", 2);
  await settled(client, "two", 3);
  const found = Object.values(owners(await podsOf(client)));
  assert.deepEqual([found.filter((name) => name === "one").length, found.length], [2, 5]);
});

test("CTL-124: pods that ended or were deleted are replaced", async (t) => {
  const { client, node } = await begin(t);
  await addSet(client, "web", 3);
  await settled(client, "web", 3);
  const [first, second, third] = await podsOf(client);
  for (const [pod, phase] of [
    [first, "Failed"],
    [second, "Succeeded"],
  ] as const) {
    await client.patch(
      pods,
      { namespace: "default", name: pod!.metadata.name! },
      "merge",
      { status: { phase } },
      { subresource: "status" },
    );
  }
  node.letEnd(false);
  await client.delete(pods, { namespace: "default", name: third!.metadata.name! });
  const found = await eventually(
    "three new ones beside them",
    () => podsOf(client),
    ({ length }) => length === 6,
  );
  assert.equal(found.length, 6);
  const leaving = await eventually(
    "three are available and one is leaving",
    () => readSet(client, "web"),
    ({ status }) => status?.availableReplicas === 3 && status.terminatingReplicas === 1,
  );
  assert.equal(leaving.status?.replicas, 3);
  node.letEnd(true);
  await eventually(
    "none is leaving",
    () => readSet(client, "web"),
    ({ status }) => status?.terminatingReplicas === 0,
  );
});

test("CTL-124: when there are too many, the ones that do least go first, and cost counts", async (t) => {
  const { client, node } = await begin(t);
  await addNode(client, "node-2");
  await addSet(client, "web", 4);
  await settled(client, "web", 4);
  node.turnReady(() => false);
  await client.patch(replicaSets, { namespace: "default", name: "web" }, "merge", { spec: { replicas: 6 } });
  const six = await eventually(
    "six",
    () => podsOf(client),
    (found) => found.length === 6,
  );
  const isReady = ({ status }: Pod): boolean =>
    status?.conditions?.some(({ type, status: said }) => type === "Ready" && said === "True") === true;
  const ready = six.filter(isReady).map(({ metadata }) => metadata.name!);
  assert.equal(ready.length, 4);
  await client.patch(pods, { namespace: "default", name: ready[2]! }, "merge", {
    metadata: { annotations: { "controller.kubernetes.io/pod-deletion-cost": "-1" } },
  });
  await client.patch(replicaSets, { namespace: "default", name: "web" }, "merge", { spec: { replicas: 3 } });
  const three = await eventually(
    "three",
    () => podsOf(client),
    (found) => found.length === 3,
  );
  assert.deepEqual(new Set(three.map(({ metadata }) => metadata.name)), new Set([ready[0], ready[1], ready[3]]));
  await eventually(
    "events tell of it",
    async () => (await client.list<Event>(events, { namespace: "default" })).items,
    (said) => said.filter(({ reason }) => reason === "SuccessfulDelete").length === 3,
  );
});

test("CTL-126, CTL-127: a ReplicationController does what a ReplicaSet does", async (t) => {
  const { client, complaints } = await begin(t);
  await addPod(client, "orphan", { app: "web" });
  const created = await client.create<ReplicationController>(replicationControllers, {
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata: { namespace: "default", name: "web" },
    spec: { replicas: 3, template: template({ app: "web" }) },
  });
  const at = { namespace: "default", name: "web" };
  const read = () => client.get<ReplicationController>(replicationControllers, at);
  const ready = await eventually("three are available", read, ({ status }) => status?.availableReplicas === 3);
  assert.deepEqual(ready.status, {
    availableReplicas: 3,
    fullyLabeledReplicas: 3,
    observedGeneration: 1,
    readyReplicas: 3,
    replicas: 3,
  });
  const found = await podsOf(client);
  assert.equal(found.length, 3);
  for (const { metadata } of found) {
    assert.deepEqual(metadata.ownerReferences, [
      {
        apiVersion: "v1",
        kind: "ReplicationController",
        name: "web",
        uid: created.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
  }
  await client.patch(replicationControllers, at, "merge", { spec: { replicas: 1 } });
  await eventually("one is left", read, ({ status }) => status?.replicas === 1);
  await client.delete(replicationControllers, at, { propagationPolicy: "Background" });
  await eventually(
    "all is gone",
    () => podsOf(client),
    ({ length }) => length === 0,
  );
  assert.deepEqual(complaints, []);
});

test("CTL-124: what is at rest is not written to", async (t) => {
  const { client, restartControllers } = await begin(t);
  for (const name of ["a", "b", "c"]) {
    await addSet(client, name, 2, { selector: { matchLabels: { app: name } }, template: template({ app: name }) });
  }
  for (const name of ["a", "b", "c"]) await settled(client, name, 2);
  const versions = async (): Promise<(string | undefined)[]> =>
    [...(await client.list<ReplicaSet>(replicaSets)).items, ...(await podsOf(client))].map(
      ({ metadata }) => metadata.resourceVersion,
    );
  const before = await versions();
  await restartControllers();
  // What comes later is done after what the start had to do.
  await addSet(client, "d", 1, { selector: { matchLabels: { app: "d" } }, template: template({ app: "d" }) });
  await settled(client, "d", 1);
  const after = await versions();
  assert.deepEqual(
    before.filter((version) => !after.includes(version)),
    [],
  );
});
