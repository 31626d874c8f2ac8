import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type {
  ControllerRevision,
  Event,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
} from "../../src/api/generated/types.ts";
import { controllerRevisions, events, persistentVolumeClaims, pods, statefulSets } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { playNode } from "./played-node.ts";
import { createWorld, eventually } from "./world.ts";

type Spec = Partial<NonNullable<StatefulSet["spec"]>>;

const AT = { namespace: "default", name: "web" };

const template = (image: string): NonNullable<StatefulSet["spec"]>["template"] => ({
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "c", image }] },
});

async function begin(t: TestContext, spec: Spec = {}) {
  const world = await createWorld(t);
  const node = await playNode(t, world.client);
  await world.client.create<StatefulSet>(statefulSets, {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: AT,
    spec: {
      replicas: 3,
      serviceName: "nginx",
      selector: { matchLabels: { app: "web" } },
      template: template("one"),
      ...spec,
    },
  });
  return { ...world, node };
}

const read = (client: Client): Promise<StatefulSet> => client.get<StatefulSet>(statefulSets, AT);
const change = (client: Client, spec: object): Promise<StatefulSet> =>
  client.patch<StatefulSet>(statefulSets, AT, "merge", { spec });
const setImage = (client: Client, image: string): Promise<StatefulSet> => change(client, { template: template(image) });
const podsOf = async (client: Client): Promise<Pod[]> => (await client.list<Pod>(pods)).items;
const namesOf = async (client: Client): Promise<string[]> =>
  (await podsOf(client)).map(({ metadata }) => metadata.name ?? "").sort();
const imagesOf = async (client: Client): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await podsOf(client)).map(({ metadata, spec }) => [metadata.name ?? "", spec?.containers[0]?.image ?? ""]),
  );

const isDone = ({ metadata, spec, status }: StatefulSet): boolean =>
  status?.observedGeneration === metadata.generation &&
  status?.currentRevision === status?.updateRevision &&
  [status?.replicas, status?.updatedReplicas, status?.availableReplicas].every(
    (count) => (count ?? 0) === (spec?.replicas ?? 1),
  );
const done = (client: Client): Promise<StatefulSet> => eventually("the rollout", () => read(client), isDone);

test("CTL-125: pods come one after another, each with its name, hostname, subdomain and labels", async (t) => {
  const { client, node, complaints } = await begin(t);
  const seen: string[] = [];
  node.onChange(() => {
    const up = node.pods().filter(({ status }) => status?.phase === "Running").length;
    // Nobody comes before all below it are up.
    if (node.pods().length > up + 1) seen.push(`${node.pods().length} pods, ${up} of them up`);
  });
  const set = await done(client);
  assert.deepEqual(seen, []);
  const made = (await podsOf(client)).sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
  assert.deepEqual(
    made.map(({ metadata, spec }) => [metadata.name, spec?.hostname, spec?.subdomain]),
    [0, 1, 2].map((at) => [`web-${at}`, `web-${at}`, "nginx"]),
  );
  assert.deepEqual(made[1]?.metadata.labels, {
    app: "web",
    "statefulset.kubernetes.io/pod-name": "web-1",
    "apps.kubernetes.io/pod-index": "1",
    "controller-revision-hash": set.status?.updateRevision,
  });
  assert.equal(made[1]?.metadata.ownerReferences?.[0]?.uid, set.metadata.uid);
  assert.deepEqual(
    { ...set.status, currentRevision: undefined, updateRevision: undefined },
    {
      observedGeneration: 1,
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      collisionCount: 0,
      currentRevision: undefined,
      updateRevision: undefined,
    },
  );
  const revisions = (await client.list<ControllerRevision>(controllerRevisions)).items;
  assert.deepEqual(
    revisions.map(({ metadata, revision }) => [metadata.name, revision]),
    [[set.status?.updateRevision, 1]],
  );
  const told = await eventually(
    "the events",
    async () => (await client.list<Event>(events, { namespace: "default" })).items.map(({ message }) => message),
    (said) => said.includes("Create Pod web-2 in StatefulSet web successful"),
  );
  assert.ok(told.includes("Create Pod web-0 in StatefulSet web successful"));
  assert.deepEqual(complaints, []);
});

test("CTL-125: ordinals begin where the set says, and Parallel waits for nobody", async (t) => {
  const { client, node } = await begin(t, { podManagementPolicy: "Parallel", ordinals: { start: 5 } });
  node.turnReady(() => false);
  await eventually(
    "all pods",
    () => namesOf(client),
    (names) => names.join() === "web-5,web-6,web-7",
  );
  node.turnReady(() => true);
  await done(client);
});

test("CTL-125: a set scales down from its highest ordinal, one after another", async (t) => {
  const { client, node } = await begin(t);
  await done(client);
  const gone: string[] = [];
  node.onChange(() => {
    const ending = node.pods().filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
    for (const { metadata } of ending) if (gone.at(-1) !== metadata.name) gone.push(metadata.name ?? "");
  });
  await change(client, { replicas: 1 });
  await done(client);
  assert.deepEqual(await namesOf(client), ["web-0"]);
  assert.deepEqual(gone, ["web-2", "web-1"]);
});

test("CTL-125: a pod that ended or was deleted comes again under its name", async (t) => {
  const { client } = await begin(t);
  await done(client);
  const before = await client.get<Pod>(pods, { namespace: "default", name: "web-1" });
  await client.patch(
    pods,
    { namespace: "default", name: "web-1" },
    "merge",
    { status: { phase: "Failed" } },
    { subresource: "status" },
  );
  const again = await eventually(
    "its successor",
    async () => (await podsOf(client)).find(({ metadata }) => metadata.name === "web-1"),
    (pod) => pod !== undefined && pod.metadata.uid !== before.metadata.uid && pod.status?.phase === "Running",
  );
  assert.equal(again?.spec?.hostname, "web-1");
  await done(client);
});

test("CTL-125: a rolling update goes down to the partition, and back by an equal revision", async (t) => {
  const { client } = await begin(t, { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1 } } });
  const first = (await done(client)).status?.updateRevision;
  await setImage(client, "two");
  await eventually(
    "pods above the partition",
    () => imagesOf(client),
    (images) => images["web-1"] === "two" && images["web-2"] === "two",
  );
  const halfway = await eventually(
    "the counts",
    () => read(client),
    ({ status }) => status?.updatedReplicas === 2 && status.currentReplicas === 1 && status.availableReplicas === 3,
  );
  assert.equal(halfway.status?.currentRevision, first);
  assert.notEqual(halfway.status?.updateRevision, first);
  assert.equal((await imagesOf(client))["web-0"], "one");
  // Below the partition a pod comes again as it was.
  await client.delete(pods, { namespace: "default", name: "web-0" });
  await eventually(
    "the old one again",
    async () => (await podsOf(client)).find(({ metadata }) => metadata.name === "web-0"),
    (pod) => pod?.metadata.deletionTimestamp === undefined && pod?.status?.phase === "Running",
  );
  assert.equal((await imagesOf(client))["web-0"], "one");
  await change(client, { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } } });
  await done(client);
  await setImage(client, "one");
  const back = await done(client);
  assert.equal(back.status?.currentRevision, first, "the equal revision is used again");
  const revisions = (await client.list<ControllerRevision>(controllerRevisions)).items;
  assert.deepEqual(
    revisions.map(({ revision }) => revision).sort((a, b) => a - b),
    [2, 3],
    "and is the newest now",
  );
});

test("CTL-125: OnDelete leaves pods until they are deleted, and the history keeps to its limit", async (t) => {
  const { client } = await begin(t, { updateStrategy: { type: "OnDelete" }, revisionHistoryLimit: 1, replicas: 1 });
  await eventually(
    "the pod",
    () => imagesOf(client),
    (images) => images["web-0"] === "one",
  );
  for (const image of ["two", "three", "four"]) {
    await setImage(client, image);
    await eventually(
      "the revision",
      () => read(client),
      ({ metadata, status }) => status?.observedGeneration === metadata.generation,
    );
  }
  assert.deepEqual(await imagesOf(client), { "web-0": "one" });
  await client.delete(pods, { namespace: "default", name: "web-0" });
  await eventually(
    "the new pod",
    () => imagesOf(client),
    (images) => images["web-0"] === "four",
  );
  await eventually(
    "the history",
    async () => (await client.list<ControllerRevision>(controllerRevisions)).items.length,
    (count) => count <= 3,
  );
});

const claimsOf = async (client: Client): Promise<PersistentVolumeClaim[]> =>
  (await client.list<PersistentVolumeClaim>(persistentVolumeClaims)).items;

const data: PersistentVolumeClaim = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};

test("CTL-125: claims by template are made before their pod, labeled, and kept on scaling down and deletion", async (t) => {
  const { client } = await begin(t, { replicas: 2, volumeClaimTemplates: [data] });
  await done(client);
  const pod = await client.get<Pod>(pods, { namespace: "default", name: "web-1" });
  assert.deepEqual(pod.spec?.volumes?.[0], {
    name: "data",
    persistentVolumeClaim: { claimName: "data-web-1" },
  });
  const claims = await claimsOf(client);
  assert.deepEqual(
    claims
      .map(({ metadata }) => [metadata.name ?? "", metadata.labels, metadata.ownerReferences] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    [0, 1].map((at) => [`data-web-${at}`, { app: "web" }, undefined]),
  );
  await change(client, { replicas: 1 });
  await done(client);
  await client.delete(statefulSets, AT);
  await eventually(
    "no pods",
    () => namesOf(client),
    (names) => names.length === 0,
  );
  assert.equal((await claimsOf(client)).length, 2);
});

test("CTL-125, CTL-127: with whenScaled Delete a claim goes with its pod, with whenDeleted with its set", async (t) => {
  const { client } = await begin(t, {
    replicas: 2,
    volumeClaimTemplates: [data],
    persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete", whenDeleted: "Delete" },
  });
  await done(client);
  const names = async (): Promise<string> =>
    (await claimsOf(client))
      .map(({ metadata }) => metadata.name ?? "")
      .sort((a, b) => (a < b ? -1 : 1))
      .join();
  assert.equal((await claimsOf(client))[0]?.metadata.ownerReferences?.[0]?.kind, "StatefulSet");
  await change(client, { replicas: 1 });
  await eventually("the claim of web-1 is gone", names, (said) => said === "data-web-0");
  await client.delete(statefulSets, AT);
  await eventually("all claims are gone", names, (said) => said === "");
});

test("CTL-125: controllers that are started anew in mid-rollout finish it, and double no pod", async (t) => {
  const { client, node, restartControllers, restartServer } = await begin(t, { replicas: 4 });
  let most = 0;
  node.onChange(() => {
    most = Math.max(most, node.pods().length);
  });
  for (const image of ["two", "three", "four"]) {
    await setImage(client, image);
    await restartControllers();
    if (image === "three") await restartServer();
  }
  await done(client);
  assert.deepEqual(await imagesOf(client), Object.fromEntries([0, 1, 2, 3].map((at) => [`web-${at}`, "four"])));
  assert.ok(most <= 4, `${most} pods at once`);
});
