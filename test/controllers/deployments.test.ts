import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { Deployment, Event, Pod, ReplicaSet, ResourceQuota } from "../../src/api/generated/types.ts";
import { deployments, events, pods, replicaSets, resourceQuotas } from "../../src/api/resources.ts";
import { resourceQuota } from "../../src/apiserver/admission/resource-quota/resource-quota.ts";
import type { Client } from "../../src/client/client.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { createWorld, eventually } from "./world.ts";
import { playNode } from "./played-node.ts";

type Spec = Partial<NonNullable<Deployment["spec"]>>;

const AT = { namespace: "default", name: "web" };

const template = (image = "one", app = "web"): NonNullable<Deployment["spec"]>["template"] => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: "c", image }] },
});

const addDeployment = (client: Client, spec: Spec = {}): Promise<Deployment> =>
  client.create<Deployment>(deployments, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: AT,
    spec: { replicas: 3, selector: { matchLabels: { app: "web" } }, template: template(), ...spec },
  });

const change = (client: Client, spec: object): Promise<Deployment> =>
  client.patch<Deployment>(deployments, AT, "merge", { spec });

const setImage = (client: Client, image: string): Promise<Deployment> =>
  client.patch<Deployment>(deployments, AT, "strategic", { spec: { template: template(image) } });

const read = (client: Client): Promise<Deployment> => client.get<Deployment>(deployments, AT);
const setsOf = async (client: Client): Promise<ReplicaSet[]> => (await client.list<ReplicaSet>(replicaSets)).items;
const podsOf = async (client: Client): Promise<Pod[]> => (await client.list<Pod>(pods)).items;

const isDone = ({ metadata, spec, status = {} }: Deployment): boolean =>
  status.observedGeneration === metadata.generation &&
  (status.updatedReplicas ?? 0) === spec?.replicas &&
  (status.replicas ?? 0) === spec?.replicas &&
  (status.availableReplicas ?? 0) === spec?.replicas;

const done = (client: Client): Promise<Deployment> => eventually("the rollout is complete", () => read(client), isDone);

const conditionOf = (deployment: Deployment, type: string) =>
  deployment.status?.conditions?.find((condition) => condition.type === type);

const imagesOf = (sets: readonly ReplicaSet[]): Record<string, number> =>
  Object.fromEntries(sets.map(({ spec }) => [spec?.template?.spec?.containers[0]?.image ?? "", spec?.replicas ?? -1]));

async function begin(t: TestContext, spec: Spec = {}) {
  const world = await createWorld(t);
  const node = await playNode(t, world.client);
  await addDeployment(world.client, spec);
  return { ...world, node };
}

test("CTL-124, CTL-127: a Deployment has a ReplicaSet with its template's hash, and that one pods", async (t) => {
  const { client, complaints } = await begin(t);
  const deployment = await done(client);
  const [set, ...others] = await setsOf(client);
  assert.deepEqual(others, []);
  const hash = set?.metadata.labels?.["pod-template-hash"] ?? "";
  assert.match(hash, /^[a-z0-9]{6,10}$/);
  assert.equal(set?.metadata.name, `web-${hash}`);
  assert.deepEqual(set.spec?.selector.matchLabels, { app: "web", "pod-template-hash": hash });
  assert.deepEqual(set.metadata.annotations, {
    "deployment.kubernetes.io/desired-replicas": "3",
    "deployment.kubernetes.io/max-replicas": "4",
    "deployment.kubernetes.io/revision": "1",
  });
  assert.equal(deployment.metadata.annotations?.["deployment.kubernetes.io/revision"], "1");
  assert.deepEqual(set.metadata.ownerReferences, [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      name: "web",
      uid: deployment.metadata.uid,
      controller: true,
      blockOwnerDeletion: true,
    },
  ]);
  const made = await podsOf(client);
  assert.equal(made.length, 3);
  for (const pod of made) {
    assert.match(pod.metadata.name ?? "", new RegExp(`^web-${hash}-[a-z0-9]{5}$`));
    assert.equal(pod.metadata.generateName, `web-${hash}-`);
    assert.deepEqual(pod.metadata.labels, { app: "web", "pod-template-hash": hash });
    assert.equal(pod.metadata.ownerReferences?.[0]?.uid, set.metadata.uid);
  }
  assert.deepEqual(
    { ...deployment.status, conditions: undefined },
    {
      availableReplicas: 3,
      conditions: undefined,
      observedGeneration: 1,
      readyReplicas: 3,
      replicas: 3,
      terminatingReplicas: 0,
      updatedReplicas: 3,
    },
  );
  const settled = await eventually(
    "the set's status",
    async () => (await setsOf(client))[0],
    (found) => found?.status?.availableReplicas === 3,
  );
  assert.deepEqual(settled?.status, {
    availableReplicas: 3,
    fullyLabeledReplicas: 3,
    observedGeneration: 1,
    readyReplicas: 3,
    replicas: 3,
    terminatingReplicas: 0,
  });
  assert.deepEqual(
    [conditionOf(deployment, "Available")?.reason, conditionOf(deployment, "Progressing")?.reason],
    ["MinimumReplicasAvailable", "NewReplicaSetAvailable"],
  );
  assert.equal(
    conditionOf(deployment, "Progressing")?.message,
    `ReplicaSet "${set.metadata.name}" has successfully progressed.`,
  );
  const told = await eventually(
    "the events",
    async () =>
      (await client.list<Event>(events, { namespace: "default" })).items.map(
        ({ reason, message }) => `${reason}: ${message}`,
      ),
    (said) => said.filter((text) => text.startsWith("SuccessfulCreate")).length === 3,
  );
  assert.ok(told.includes(`ScalingReplicaSet: Scaled up replica set web-${hash} from 0 to 3`));
  assert.deepEqual(complaints, []);
});

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
const stays = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined;

test("CTL-124: a rolling update keeps within maxSurge and maxUnavailable, pod by pod, and ends", async (t) => {
  const { client, node, complaints } = await begin(t, { replicas: 10 });
  await done(client);
  const broken: string[] = [];
  node.onChange(() => {
    const present = node.pods().filter(stays);
    const ready = present.filter(isReady).length;
    if (present.length > 13 || ready < 8) broken.push(`${present.length} pods, ${ready} ready`);
  });
  for (const image of ["two", "three"]) {
    await setImage(client, image);
    const deployment = await done(client);
    assert.equal(conditionOf(deployment, "Progressing")?.reason, "NewReplicaSetAvailable");
  }
  assert.deepEqual(imagesOf(await setsOf(client)), { one: 0, two: 0, three: 10 });
  assert.deepEqual(broken, []);
  assert.deepEqual(complaints, []);
});

test("CTL-124: Recreate starts no new pod while an old one is there, not even one that is ending", async (t) => {
  const { client, node } = await begin(t, { strategy: { type: "Recreate" } });
  await done(client);
  const mixed: string[] = [];
  node.onChange(() => {
    const images = new Set(node.pods().map(({ spec }) => spec?.containers[0]?.image));
    if (images.size > 1) mixed.push([...images].join());
  });
  node.letEnd(false);
  await setImage(client, "two");
  await eventually(
    "all old pods are asked to end",
    () => podsOf(client),
    (found) => found.every((pod) => !stays(pod)),
  );
  assert.deepEqual(imagesOf(await setsOf(client)), { one: 0 });
  node.letEnd(true);
  await done(client);
  assert.deepEqual(imagesOf(await setsOf(client)), { one: 0, two: 3 });
  assert.deepEqual(mixed, []);
});

test("CTL-124: a paused rollout waits, is scaled by shares, and goes on", async (t) => {
  const { client, node } = await begin(t, {
    replicas: 10,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
  });
  await done(client);
  node.turnReady((pod) => pod.spec?.containers[0]?.image === "one");
  await setImage(client, "two");
  const shows = (...sizes: number[]) =>
    eventually(
      `sizes ${sizes.join()}`,
      async () => Object.values(imagesOf(await setsOf(client))),
      (found) => found.join() === sizes.join() || found.toReversed().join() === sizes.join(),
    );
  await shows(8, 5);
  await change(client, { paused: true });
  await eventually(
    "it says that it is paused",
    () => read(client),
    (found) => conditionOf(found, "Progressing")?.reason === "DeploymentPaused",
  );
  await change(client, { replicas: 15 });
  await shows(11, 7);
  node.turnReady(() => true);
  await eventually(
    "new pods are ready",
    () => read(client),
    ({ status }) => status?.availableReplicas === 18,
  );
  await shows(11, 7);
  await change(client, { paused: false });
  await done(client);
  await shows(0, 15);
});

test("CTL-124: a template that was there before uses its ReplicaSet again, and old ones beyond the limit go", async (t) => {
  const { client, complaints } = await begin(t, { revisionHistoryLimit: 2 });
  await done(client);
  for (const image of ["two", "one", "three", "four"]) {
    await setImage(client, image);
    await done(client);
  }
  const sets = await eventually(
    "two old ones are left",
    () => setsOf(client),
    ({ length }) => length === 3,
  );
  const revision = "deployment.kubernetes.io/revision";
  const said = Object.fromEntries(
    sets.map(({ metadata, spec }) => [
      spec?.template?.spec?.containers[0]?.image,
      [metadata.annotations?.[revision], metadata.annotations?.[`${revision}-history`]],
    ]),
  );
  assert.deepEqual(said, { one: ["3", "1"], three: ["4", undefined], four: ["5", undefined] });
  assert.equal((await read(client)).metadata.annotations?.[revision], "5");
  assert.deepEqual(complaints, []);
});

test("CTL-124: a rollout whose pods never turn ready says so when its deadline has passed", async (t) => {
  const { client, node } = await begin(t, { progressDeadlineSeconds: 1 });
  node.turnReady(() => false);
  const late = await eventually(
    "the deadline has passed",
    () => read(client),
    (found) => conditionOf(found, "Progressing")?.reason === "ProgressDeadlineExceeded",
  );
  assert.equal(conditionOf(late, "Progressing")?.status, "False");
  assert.deepEqual(
    [late.status?.unavailableReplicas, conditionOf(late, "Available")?.reason],
    [3, "MinimumReplicasUnavailable"],
  );
  node.turnReady(() => true);
  const deployment = await done(client);
  await eventually(
    "it is well",
    () => read(client),
    (found) => conditionOf(found, "Progressing")?.reason === "NewReplicaSetAvailable",
  );
  assert.equal(conditionOf(deployment, "Available")?.status, "True");
});

test("CTL-129: pods are ready at once, and available after minReadySeconds", async (t) => {
  const { client } = await begin(t, { minReadySeconds: 2 });
  const ready = await eventually(
    "three are ready",
    () => read(client),
    ({ status }) => status?.readyReplicas === 3,
  );
  assert.equal(ready.status?.availableReplicas, undefined);
  const deployment = await done(client);
  const since = (await podsOf(client)).map(({ status }) =>
    Date.parse(status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime ?? ""),
  );
  const available = Date.parse(conditionOf(deployment, "Available")?.lastTransitionTime ?? "");
  assert.ok(available >= Math.max(...since) + 2000, "not before two seconds have passed");
});

test("CTL-124: pods that a quota refuses are named as missing, tried few times, and made when there is room", async (t) => {
  const { client } = await createWorld(t, systemClock, { admissions: [resourceQuota] });
  await playNode(t, client);
  await client.create<ResourceQuota>(resourceQuotas, {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { namespace: "default", name: "few" },
    spec: { hard: { pods: "2" } },
  });
  await eventually(
    "the quota is counted",
    () => client.get<ResourceQuota>(resourceQuotas, { namespace: "default", name: "few" }),
    ({ status }) => status?.hard !== undefined,
  );
  await addDeployment(client, { replicas: 20 });
  const short = await eventually(
    "the Deployment says so",
    () => read(client),
    (found) => conditionOf(found, "ReplicaFailure") !== undefined,
  );
  const failure = conditionOf(short, "ReplicaFailure");
  assert.equal(failure?.reason, "FailedCreate");
  assert.match(failure?.message ?? "", /exceeded quota: few/);
  assert.equal((await podsOf(client)).length, 2);
  await eventually(
    "an event tells why",
    async () => (await client.list<Event>(events, { namespace: "default" })).items,
    (said) =>
      said.some(({ reason, message }) => reason === "FailedCreate" && /^Error creating: .*quota/.test(message ?? "")),
  );
  await client.delete(resourceQuotas, { namespace: "default", name: "few" });
  const well = await done(client);
  await eventually(
    "the failure is forgotten",
    () => read(client),
    (found) => conditionOf(found, "ReplicaFailure") === undefined,
  );
  assert.equal(well.status?.replicas, 20);
});

test("CTL-124: a ReplicaSet that has the name already, but is not ours, is left alone, and another name is found", async (t) => {
  const { client } = await begin(t);
  await done(client);
  const [set] = await setsOf(client);
  await client.delete(deployments, AT, { propagationPolicy: "Foreground" });
  await eventually(
    "all is gone",
    async () => [...(await setsOf(client)), ...(await podsOf(client))],
    ({ length }) => length === 0,
  );
  const labels = { app: "another" };
  await client.create<ReplicaSet>(replicaSets, {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { namespace: "default", name: set!.metadata.name, labels },
    spec: { replicas: 0, selector: { matchLabels: labels }, template: template("another", "another") },
  });
  await addDeployment(client);
  const deployment = await done(client);
  assert.equal(deployment.status?.collisionCount, 1);
  const sets = await setsOf(client);
  assert.equal(sets.length, 2);
  assert.deepEqual(imagesOf(sets), { another: 0, one: 3 });
});

test("CTL-127: what a Deployment made goes with it, and stays without owner when it is orphaned", async (t) => {
  const { client } = await begin(t);
  await done(client);
  await client.delete(deployments, AT, { propagationPolicy: "Orphan" });
  const [orphan] = await eventually(
    "the set is nobody's",
    () => setsOf(client),
    (sets) => sets[0]?.metadata.ownerReferences === undefined,
  );
  assert.equal((await podsOf(client)).length, 3);
  const again = await addDeployment(client);
  await done(client);
  const [adopted, ...others] = await setsOf(client);
  assert.deepEqual(
    [others.length, adopted?.metadata.uid, adopted?.metadata.ownerReferences?.[0]?.uid],
    [0, orphan?.metadata.uid, again.metadata.uid],
    "a Deployment of the same template adopts it",
  );
  await client.delete(deployments, AT);
  await eventually(
    "all is gone",
    async () => [...(await setsOf(client)), ...(await podsOf(client))],
    ({ length }) => length === 0,
  );
});

test("CTL-124: controllers and server that end in the middle of rollouts double no pod and lose none", async (t) => {
  const { client, node, restartControllers, restartServer } = await begin(t, { replicas: 20 });
  let most = 0;
  node.onChange(() => void (most = Math.max(most, node.pods().filter(stays).length)));
  for (let round = 0; round < 4; round += 1) {
    await eventually(
      "the server answers",
      () => setImage(client, `image-${round}`).catch(() => undefined),
      (answer) => answer !== undefined,
    );
    await eventually(
      "the rollout has begun",
      () => read(client).catch(() => undefined),
      (found) =>
        (found?.status?.updatedReplicas ?? 0) > round &&
        found?.status?.observedGeneration === found?.metadata.generation,
    );
    await (round % 2 === 0 ? restartControllers() : restartServer());
  }
  const deployment = await eventually(
    "the rollout is complete",
    () => read(client).catch(() => ({ metadata: { generation: -1 } }) as Deployment),
    isDone,
  );
  assert.equal(deployment.status?.replicas, 20);
  const left = await eventually(
    "old pods have ended",
    () => podsOf(client),
    ({ length }) => length === 20,
  );
  assert.deepEqual([...new Set(left.map(({ spec }) => spec?.containers[0]?.image))], ["image-3"]);
  assert.ok(most <= 25, `there were never more than 25 pods, but ${most}`);
});

test("CTL-124: 200 replicas are made in no time", async (t) => {
  const { client } = await begin(t, { replicas: 200 });
  const began = performance.now();
  const made = await eventually(
    "200 pods",
    () => podsOf(client),
    ({ length }) => length >= 200,
  );
  const took = performance.now() - began;
  assert.equal(made.length, 200);
  assert.ok(took < 8000, `it took ${took} ms`);
  t.diagnostic(`200 pods in ${Math.round(took)} ms`);
  await done(client);
});
