import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { Pod, PodDisruptionBudget, StatefulSet } from "../../src/api/generated/types.ts";
import { podDisruptionBudgets, pods, statefulSets } from "../../src/api/resources.ts";
import { isApiError } from "../../src/api/status.ts";
import type { Client } from "../../src/client/client.ts";
import { jumpingClock } from "./jumping-clock.ts";
import { playNode } from "./played-node.ts";
import { addPod, createWorld, eventually, runPod } from "./world.ts";

type Spec = Partial<NonNullable<PodDisruptionBudget["spec"]>>;

const AT = { namespace: "default", name: "web" };

const addBudget = (client: Client, spec: Spec): Promise<PodDisruptionBudget> =>
  client.create<PodDisruptionBudget>(podDisruptionBudgets, {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: AT,
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
  });

const read = (client: Client): Promise<PodDisruptionBudget> =>
  client.get<PodDisruptionBudget>(podDisruptionBudgets, AT);
const allowed = (client: Client, count: number): Promise<PodDisruptionBudget> =>
  eventually(
    `${count} disruptions allowed`,
    () => read(client),
    ({ metadata, status }) =>
      status?.observedGeneration === metadata.generation && status?.disruptionsAllowed === count,
  );

const evict = (client: Client, name: string): Promise<unknown> =>
  client.raw("POST", `/api/v1/namespaces/default/pods/${name}/eviction`, {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { namespace: "default", name },
  });

async function withSet(t: TestContext, replicas: number) {
  const world = await createWorld(t);
  const node = await playNode(t, world.client);
  await world.client.create<StatefulSet>(statefulSets, {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: AT,
    spec: {
      replicas,
      serviceName: "web",
      podManagementPolicy: "Parallel",
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "one" }] } },
    },
  });
  return { ...world, node };
}

test("a budget by number counts healthy pods, whoever made them, and eviction goes by it", async (t) => {
  const { client, complaints } = await createWorld(t);
  await addBudget(client, { minAvailable: 1 });
  const empty = await allowed(client, 0);
  assert.equal(empty.status?.conditions?.[0]?.reason, "InsufficientPods");
  for (const name of ["a", "b"]) {
    await addPod(client, name, { app: "web" });
    await runPod(client, name, "10.1.0.1");
  }
  const { status } = await allowed(client, 1);
  assert.deepEqual(
    { ...status, conditions: status?.conditions?.map(({ type, status: said, reason }) => [type, said, reason]) },
    {
      currentHealthy: 2,
      desiredHealthy: 1,
      expectedPods: 2,
      disruptionsAllowed: 1,
      observedGeneration: 1,
      conditions: [["DisruptionAllowed", "True", "SufficientPods"]],
    },
  );
  await evict(client, "a");
  await allowed(client, 0);
  await assert.rejects(evict(client, "b"), (error) => isApiError(error, "TooManyRequests"));
  assert.deepEqual(complaints, []);
});

test("a budget by share goes by what the owners of its pods ask for", async (t) => {
  const { client } = await withSet(t, 4);
  await addBudget(client, { maxUnavailable: "50%" });
  const { status } = await allowed(client, 2);
  assert.equal(status?.expectedPods, 4);
  assert.equal(status?.desiredHealthy, 2);
  await client.patch(statefulSets, AT, "merge", { spec: { replicas: 8 } });
  await allowed(client, 4);
  await client.patch(podDisruptionBudgets, AT, "merge", { spec: { maxUnavailable: null, minAvailable: "30%" } });
  // 3 of 8, rounded up.
  await allowed(client, 5);
});

test("a budget over pods whose owner has no scale allows nothing, and says why", async (t) => {
  const { client } = await createWorld(t);
  const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "gone", uid: "1", controller: true };
  await addBudget(client, { maxUnavailable: 1 });
  await client.create<Pod>(pods, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      namespace: "default",
      name: "agent",
      labels: { app: "web" },
      finalizers: ["example.com/kept"],
      ownerReferences: [{ ...owner, kind: "Unscaled" }],
    },
    spec: { containers: [{ name: "c", image: "one" }] },
  });
  const budget = await eventually(
    "the failure",
    () => read(client),
    ({ status }) => status?.conditions?.[0]?.reason === "SyncFailed",
  );
  assert.equal(budget.status?.disruptionsAllowed, 0);
  assert.match(budget.status?.conditions?.[0]?.message ?? "", /does not implement the scale subresource/);
});

test("an evicted pod of which nothing is seen counts as healthy again after two minutes", async (t) => {
  const clock = jumpingClock();
  const { client } = await createWorld(t, clock);
  await addBudget(client, { minAvailable: 1 });
  for (const name of ["a", "b"]) {
    await addPod(client, name, { app: "web" });
    await runPod(client, name, "10.1.0.1");
  }
  const budget = await allowed(client, 1);
  const now = new Date().toISOString().replace(/\.\d+/, "");
  await client.updateStatus(podDisruptionBudgets, {
    ...budget,
    status: { ...budget.status, disruptedPods: { a: now } },
  });
  await allowed(client, 0);
  assert.deepEqual((await read(client)).status?.disruptedPods, { a: now });
  clock.jump(3 * 60_000);
  await allowed(client, 1);
  assert.equal((await read(client)).status?.disruptedPods, undefined);
});
