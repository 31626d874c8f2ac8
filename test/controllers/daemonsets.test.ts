import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { ControllerRevision, DaemonSet, Node, Pod } from "../../src/api/generated/types.ts";
import { controllerRevisions, daemonSets, nodes, pods } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { playNode } from "./played-node.ts";
import { addNode, createWorld, eventually } from "./world.ts";

type Spec = Partial<NonNullable<DaemonSet["spec"]>>;

const AT = { namespace: "default", name: "agent" };

const template = (image: string, more: object = {}): NonNullable<DaemonSet["spec"]>["template"] => ({
  metadata: { labels: { app: "agent" } },
  spec: { containers: [{ name: "c", image }], ...more },
});

/** Nodes node-1 to node-3, the third with a label. */
async function begin(t: TestContext, spec: Spec = {}) {
  const world = await createWorld(t);
  const { client } = world;
  for (const name of ["node-2", "node-3"]) await addNode(client, name);
  await client.patch(nodes, { name: "node-3" }, "merge", { metadata: { labels: { disk: "ssd" } } });
  const node = await playNode(t, client);
  await client.create<DaemonSet>(daemonSets, {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: AT,
    spec: { selector: { matchLabels: { app: "agent" } }, template: template("one"), ...spec },
  });
  return { ...world, node };
}

const read = (client: Client): Promise<DaemonSet> => client.get<DaemonSet>(daemonSets, AT);
const change = (client: Client, spec: object): Promise<DaemonSet> =>
  client.patch<DaemonSet>(daemonSets, AT, "merge", { spec });
const podsOf = async (client: Client): Promise<Pod[]> => (await client.list<Pod>(pods)).items;

/** `node image`, of the pods that are to stay. */
const placesOf = async (client: Client): Promise<string> =>
  (await podsOf(client))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ spec }) => `${spec?.nodeName ?? "none"} ${spec?.containers[0]?.image ?? ""}`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join();

const places = (client: Client, expected: string): Promise<string> =>
  eventually(
    `pods on ${expected}`,
    () => placesOf(client),
    (found) => found === expected,
  );

const done = (client: Client, wanted: number): Promise<DaemonSet> =>
  eventually(
    "the rollout",
    () => read(client),
    ({ metadata, status }) =>
      status?.observedGeneration === metadata.generation &&
      status?.desiredNumberScheduled === wanted &&
      (status.updatedNumberScheduled ?? 0) === wanted &&
      (status.numberAvailable ?? 0) === wanted,
  );

const taint = (client: Client, name: string, taints: NonNullable<Node["spec"]>["taints"]) =>
  client.patch(nodes, { name }, "merge", { spec: { taints } });

test("CTL-126: a DaemonSet has a pod on every node, on a new one too, meant for that node alone", async (t) => {
  const { client, complaints } = await begin(t);
  const set = await done(client, 3);
  await places(client, "node-1 one,node-2 one,node-3 one");
  const pod = (await podsOf(client)).find(({ spec }) => spec?.nodeName === "node-2");
  assert.match(pod?.metadata.name ?? "", /^agent-[a-z0-9]{5}$/);
  assert.deepEqual(pod?.spec?.affinity, {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["node-2"] }] }],
      },
    },
  });
  assert.deepEqual(
    pod.spec.tolerations?.map(({ key, effect }) => `${key} ${effect}`),
    [
      "node.kubernetes.io/not-ready NoExecute",
      "node.kubernetes.io/unreachable NoExecute",
      "node.kubernetes.io/disk-pressure NoSchedule",
      "node.kubernetes.io/memory-pressure NoSchedule",
      "node.kubernetes.io/pid-pressure NoSchedule",
      "node.kubernetes.io/unschedulable NoSchedule",
    ],
  );
  const revisions = (await client.list<ControllerRevision>(controllerRevisions)).items;
  const hash = revisions[0]?.metadata.labels?.["controller-revision-hash"];
  assert.equal(revisions[0]?.metadata.name, `agent-${hash}`);
  assert.equal(pod.metadata.labels?.["controller-revision-hash"], hash);
  assert.deepEqual(set.status, {
    observedGeneration: 1,
    desiredNumberScheduled: 3,
    currentNumberScheduled: 3,
    numberMisscheduled: 0,
    numberReady: 3,
    updatedNumberScheduled: 3,
    numberAvailable: 3,
  });
  await addNode(client, "node-4");
  await done(client, 4);
  assert.deepEqual(complaints, []);
});

test("CTL-126: nodeSelector and taints say where a DaemonSet's pods are", async (t) => {
  const { client } = await begin(t, { template: template("one", { nodeSelector: { disk: "ssd" } }) });
  await places(client, "node-3 one");
  await client.patch(nodes, { name: "node-1" }, "merge", { metadata: { labels: { disk: "ssd" } } });
  await places(client, "node-1 one,node-3 one");
  await client.patch(nodes, { name: "node-3" }, "merge", { metadata: { labels: { disk: "tape" } } });
  await places(client, "node-1 one");
  // A pod that is there may stay where a new one may not come.
  await taint(client, "node-1", [{ key: "only", value: "others", effect: "NoSchedule" }]);
  await eventually(
    "it to be misplaced",
    () => read(client),
    ({ status }) => status?.numberMisscheduled === 1 && status.desiredNumberScheduled === 0,
  );
  await places(client, "node-1 one");
  await taint(client, "node-1", [{ key: "only", value: "others", effect: "NoExecute" }]);
  await places(client, "");
});

test("CTL-126: cordon does not keep a DaemonSet's pod away", async (t) => {
  const { client } = await begin(t);
  await done(client, 3);
  await client.patch(nodes, { name: "node-2" }, "merge", { spec: { unschedulable: true } });
  const pod = (await podsOf(client)).find(({ spec }) => spec?.nodeName === "node-2");
  await client.delete(pods, { namespace: "default", name: pod?.metadata.name ?? "" });
  await eventually(
    "its successor",
    () => podsOf(client),
    (found) =>
      found.some(({ metadata, spec }) => spec?.nodeName === "node-2" && metadata.uid !== pod?.metadata.uid) &&
      found.length === 3,
  );
});

test("CTL-126: a rolling update replaces no more than maxUnavailable at once", async (t) => {
  const { client, node } = await begin(t);
  await done(client, 3);
  let fewest = 3;
  node.onChange(() => {
    const up = node
      .pods()
      .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase === "Running");
    fewest = Math.min(fewest, up.length);
  });
  await change(client, { template: template("two") });
  await done(client, 3);
  await places(client, "node-1 two,node-2 two,node-3 two");
  assert.equal(fewest, 2);
  // A template that comes back is the revision that it was.
  await change(client, { template: template("one") });
  await done(client, 3);
  const revisions = (await client.list<ControllerRevision>(controllerRevisions)).items;
  assert.deepEqual(
    revisions.map(({ revision }) => revision).sort((a, b) => a - b),
    [2, 3],
  );
});

test("CTL-126: with maxSurge the new pod is there before the old one goes", async (t) => {
  const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
  const { client, node } = await begin(t, { updateStrategy: { type: "RollingUpdate", rollingUpdate } });
  await done(client, 3);
  let fewest = 3;
  node.onChange(() => {
    const up = node.pods().filter(({ metadata, status }) => {
      const ready = status?.conditions?.some(({ type, status: said }) => type === "Ready" && said === "True");
      return metadata.deletionTimestamp === undefined && ready === true;
    });
    fewest = Math.min(fewest, new Set(up.map(({ spec }) => spec?.nodeName)).size);
  });
  await change(client, { template: template("two") });
  await places(client, "node-1 two,node-2 two,node-3 two");
  assert.equal(fewest, 3);
});

test("CTL-126: OnDelete leaves pods until they are deleted", async (t) => {
  const { client } = await begin(t, { updateStrategy: { type: "OnDelete" } });
  await done(client, 3);
  await change(client, { template: template("two") });
  await eventually(
    "the status",
    () => read(client),
    ({ metadata, status }) =>
      status?.observedGeneration === metadata.generation && status?.updatedNumberScheduled === undefined,
  );
  await places(client, "node-1 one,node-2 one,node-3 one");
  const pod = (await podsOf(client)).find(({ spec }) => spec?.nodeName === "node-1");
  await client.delete(pods, { namespace: "default", name: pod?.metadata.name ?? "" });
  await places(client, "node-1 two,node-2 one,node-3 one");
});

test("CTL-126: a failed pod of a DaemonSet is replaced, and controllers started anew double none", async (t) => {
  const { client, node, restartControllers } = await begin(t);
  await done(client, 3);
  const [pod] = await podsOf(client);
  await client.patch(
    pods,
    { namespace: "default", name: pod?.metadata.name ?? "" },
    "merge",
    { status: { phase: "Failed" } },
    { subresource: "status" },
  );
  await eventually(
    "its successor",
    () => podsOf(client),
    (found) => found.length === 3 && found.every(({ metadata }) => metadata.uid !== pod?.metadata.uid),
  );
  let most = 0;
  node.onChange(() => {
    const staying = node.pods().filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    most = Math.max(most, staying.length);
  });
  for (const image of ["two", "three"]) {
    await change(client, { template: template(image) });
    await restartControllers();
  }
  await done(client, 3);
  await places(client, "node-1 three,node-2 three,node-3 three");
  assert.ok(most <= 3, `${most} pods at once`);
});
