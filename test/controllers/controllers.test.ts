import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints, EndpointSlice, Event, Namespace, Pod } from "../../src/api/generated/types.ts";
import {
  configMaps,
  endpoints,
  endpointSlices,
  events,
  namespaces,
  nodes,
  pods,
  serviceAccounts,
  services,
} from "../../src/api/resources.ts";
import type { KubeObject } from "../../src/api/object.ts";
import { isApiError } from "../../src/api/status.ts";
import { addNode, addPod, addService, createWorld, eventually, runPod, shown, shows, slicesOf } from "./world.ts";

test("CTL-007, CTL-042: pods are bound, their Service gets slices and Endpoints, and labels and selectors move them", async (t) => {
  const { client, complaints } = await createWorld(t);
  await addService(client, "web", { app: "web" });
  const [placeholder] = await eventually(
    "the placeholder",
    () => slicesOf(client),
    (slices) => slices.length === 1,
  );
  assert.deepEqual([placeholder?.endpoints ?? [], placeholder?.ports ?? []], [[], []]);
  for (const name of ["a", "b"]) await addPod(client, name, { app: "web" });
  await addPod(client, "c", { app: "other" });
  await eventually(
    "all pods are bound",
    async () => (await client.list<Pod>(pods)).items,
    (items) => items.every(({ spec }) => spec?.nodeName === "node-1"),
  );
  for (const [name, ip] of [
    ["a", "10.1.0.1"],
    ["b", "10.1.0.2"],
    ["c", "10.1.0.3"],
  ] as const) {
    await runPod(client, name, ip);
  }
  const [slice, ...others] = await shows(client, "a=true", "b=true");
  assert.equal(others.length, 0);
  assert.equal(slice?.metadata.name, placeholder?.metadata.name, "the placeholder became the slice");
  assert.deepEqual(slice?.ports, [{ name: "", port: 8080, protocol: "TCP" }]);
  assert.ok(slice.metadata.annotations?.["endpoints.kubernetes.io/last-change-trigger-time"]);
  const legacy = await eventually(
    "the Endpoints",
    () => client.get<Endpoints>(endpoints, { namespace: "default", name: "web" }),
    ({ subsets }) => subsets?.[0]?.addresses?.length === 2,
  );
  assert.deepEqual(
    legacy.subsets?.[0]?.addresses?.map(({ ip }) => ip),
    ["10.1.0.1", "10.1.0.2"],
  );

  await runPod(client, "b", "10.1.0.2", false);
  await shows(client, "a=true", "b=false");
  const label = (name: string, app: string): Promise<unknown> =>
    client.patch(pods, { namespace: "default", name }, "merge", { metadata: { labels: { app } } });
  await label("a", "nothing");
  await shows(client, "b=false");
  await label("c", "web");
  await shows(client, "b=false", "c=true");
  await client.patch(services, { namespace: "default", name: "web" }, "merge", {
    spec: { selector: { app: "nothing" } },
  });
  await shows(client, "a=true");
  await client.delete(pods, { namespace: "default", name: "a" }, { gracePeriodSeconds: 0 });
  await shows(client);
  assert.deepEqual(complaints, []);
});

test("CTL-038, CTL-044, CTL-065: a deleted Service leaves no slice and no Endpoints, and one of the same name never shows the old ones", async (t) => {
  const { client, complaints } = await createWorld(t);
  await addPod(client, "a", { app: "a" });
  await runPod(client, "a", "10.1.0.1");
  for (let round = 0; round < 10; round += 1) {
    const service = await addService(client, "web", { app: "a" });
    const [slice] = await eventually(
      "a slice of this very Service",
      () => slicesOf(client),
      (slices) => slices.length === 1 && slices[0]?.metadata.ownerReferences?.[0]?.uid === service.metadata.uid,
    );
    assert.deepEqual(shown([slice!]), ["a=true"]);
    await client.delete(services, { namespace: "default", name: "web" });
  }
  await eventually(
    "no slices",
    () => slicesOf(client),
    (slices) => slices.length === 0,
  );
  await eventually(
    "no Endpoints",
    async () => (await client.list(endpoints, { namespace: "default" })).items,
    (items) => items.length === 0,
  );
  assert.deepEqual(complaints, []);
});

test("CTL-044, CTL-051: slices that others change or delete are put right, and none is made twice", async (t) => {
  const { client, restartControllers } = await createWorld(t);
  await addPod(client, "a", { app: "a" });
  await eventually(
    "the pod is bound",
    () => client.get<Pod>(pods, { namespace: "default", name: "a" }),
    ({ spec }) => spec?.nodeName === "node-1",
  );
  await runPod(client, "a", "10.1.0.1");
  await addService(client, "web", { app: "a" });
  const [slice] = await shows(client, "a=true");
  await client.update(endpointSlices, { ...slice!, endpoints: [] });
  const [healed] = await shows(client, "a=true");
  await client.delete(endpointSlices, { namespace: "default", name: healed?.metadata.name ?? "" });
  await shows(client, "a=true");
  const before = await slicesOf(client);
  await restartControllers();
  assert.deepEqual(await slicesOf(client), before, "a restart writes nothing");
});

test("controllers work on after the server was away", async (t) => {
  const { client, restartServer } = await createWorld(t);
  await addPod(client, "a", { app: "a" });
  await runPod(client, "a", "10.1.0.1");
  await addService(client, "web", { app: "a" });
  await shows(client, "a=true");
  for (let round = 0; round < 3; round += 1) {
    await restartServer();
    const ready = round % 2 === 1;
    // A write over a connection that the old server has just closed is not sent again by itself.
    await eventually(
      "the pod's state is written",
      () =>
        runPod(client, "a", "10.1.0.1", ready).then(
          () => true,
          () => false,
        ),
      (written) => written,
    );
    await shows(client, `a=${ready}`);
  }
  assert.equal((await slicesOf(client)).length, 1);
});

test("a pod no node can have says why, and is bound when one can", async (t) => {
  const { client } = await createWorld(t);
  await addPod(client, "a", {}, { nodeSelector: { disk: "fast" } });
  const get = (): Promise<Pod> => client.get<Pod>(pods, { namespace: "default", name: "a" });
  const waiting = await eventually(
    "the condition",
    get,
    ({ status }) =>
      status?.conditions?.some(({ type, status }) => type === "PodScheduled" && status === "False") === true,
  );
  const condition = waiting.status?.conditions?.find(({ type }) => type === "PodScheduled");
  assert.equal(condition?.reason, "Unschedulable");
  assert.equal(condition.message, "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.");
  await eventually(
    "the event",
    async () => (await client.list<Event>(events, { namespace: "default" })).items,
    (items) => items.some(({ reason, message }) => reason === "FailedScheduling" && message === condition.message),
  );
  await addNode(client, "node-2");
  await client.patch(nodes, { name: "node-2" }, "merge", { metadata: { labels: { disk: "fast" } } });
  await eventually("a node", get, ({ spec }) => spec?.nodeName === "node-2");
});

test("pods are spread over the nodes that have fewest", async (t) => {
  const { client } = await createWorld(t);
  await addNode(client, "node-2");
  await addNode(client, "node-3");
  await Promise.all(Array.from({ length: 30 }, (_, index) => addPod(client, `p${index}`, {})));
  const bound = await eventually(
    "all bound",
    async () => (await client.list<Pod>(pods)).items.flatMap(({ spec }) => spec?.nodeName ?? []),
    (nodes) => nodes.length === 30,
  );
  const counts = Object.values(Object.groupBy(bound, (node) => node)).map((group) => group?.length);
  // A node whose readiness the scheduler heard of a little later may have missed the first pods.
  assert.equal(counts.length, 3);
  assert.ok(Math.max(...counts.map(Number)) <= 12, `spread as ${counts.join()}`);
});

test("CTL-128: a namespace has its ServiceAccount; deleted, it takes all with it, and goes when nothing is left", async (t) => {
  const { client, complaints } = await createWorld(t);
  const name = "shop";
  await client.create<Namespace>(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  const accounts = async () => (await client.list(serviceAccounts, { namespace: name })).items;
  await eventually("the account", accounts, (items) => items[0]?.metadata.name === "default");
  await client.delete(serviceAccounts, { namespace: name, name: "default" });
  await eventually("the account again", accounts, (items) => items.length === 1);
  for (let index = 0; index < 40; index += 1) {
    await client.create(configMaps, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: name, name: `m${index}`, ...(index === 0 ? { finalizers: ["example.com/held"] } : {}) },
    });
  }
  await client.delete(namespaces, { name });
  await eventually(
    "all but the held one are gone",
    async () => (await client.list(configMaps, { namespace: name })).items,
    (items) => items.length === 1,
  );
  assert.equal((await client.get<Namespace>(namespaces, { name })).status?.phase, "Terminating");
  await client.patch(configMaps, { namespace: name, name: "m0" }, "merge", { metadata: { finalizers: null } });
  await eventually(
    "the namespace is gone",
    async () =>
      client.get(namespaces, { name }).then(
        () => "there",
        (error: unknown) => isApiError(error, "NotFound"),
      ),
    (gone) => gone === true,
  );
  assert.deepEqual((await client.list(serviceAccounts, { namespace: name })).items, []);
  assert.deepEqual(complaints, []);
});

test("garbage: dependents go with the last owner; foreground waits for them; orphans stay", async (t) => {
  const { client, complaints } = await createWorld(t);
  const add = async (name: string, ...owners: { name: string; uid: string }[]) => {
    const created = await client.create<KubeObject>(configMaps, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        namespace: "default",
        name,
        ownerReferences: owners.map((owner) => ({
          ...owner,
          apiVersion: "v1",
          kind: "ConfigMap",
          blockOwnerDeletion: true,
        })),
      },
    });
    return { name, uid: created.metadata.uid ?? "" };
  };
  const names = async (): Promise<string> =>
    (await client.list(configMaps, { namespace: "default" })).items.map(({ metadata }) => metadata.name).join();
  const are = (wanted: string): Promise<string> => eventually(`only ${wanted}`, names, (all) => all === wanted);
  const remove = (name: string, propagationPolicy?: "Foreground" | "Orphan"): Promise<void> =>
    client.delete(configMaps, { namespace: "default", name }, propagationPolicy ? { propagationPolicy } : {});

  const a = await add("a");
  const b = await add("b");
  await add("child", a);
  const shared = await add("shared", a, b);
  await add("grandchild", shared);
  await remove("a");
  await are("b,grandchild,shared");
  const kept = await eventually(
    "the lost owner is forgotten",
    () => client.get(configMaps, { namespace: "default", name: "shared" }),
    ({ metadata }) => metadata.ownerReferences?.length === 1,
  );
  assert.equal(kept.metadata.ownerReferences?.[0]?.name, "b");
  await remove("b", "Foreground");
  await are("");
  const c = await add("c");
  await add("d", c);
  await remove("c", "Orphan");
  await are("d");
  const orphan = await client.get(configMaps, { namespace: "default", name: "d" });
  assert.deepEqual(orphan.metadata.ownerReferences ?? [], []);
  // An owner that never was.
  await add("late", { name: "c", uid: "no-such-uid" });
  await are("d");
  assert.deepEqual(complaints, []);
});

test("a pod's change is in the slices within milliseconds", async (t) => {
  const { client } = await createWorld(t);
  await addPod(client, "a", { app: "a" });
  await runPod(client, "a", "10.1.0.1");
  await addService(client, "web", { app: "a" });
  await shows(client, "a=true");
  const ending = new AbortController();
  const { metadata } = await client.list(endpointSlices);
  const watch = client.watch<EndpointSlice>(
    endpointSlices,
    { resourceVersion: metadata.resourceVersion ?? "" },
    ending.signal,
  );
  const iterator = watch[Symbol.asyncIterator]();
  const took: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const heard = iterator.next();
    await runPod(client, "a", "10.1.0.1", round % 2 === 1);
    const since = performance.now();
    await heard;
    took.push(performance.now() - since);
  }
  ending.abort();
  const median = took.sort((a, b) => a - b)[10]!;
  t.diagnostic(`API answer to slice event: median ${median.toFixed(1)} ms`);
  assert.ok(median < 100, `median ${median} ms`);
});
