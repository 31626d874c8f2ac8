import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints, Namespace, Pod, Service } from "../../src/api/generated/types.ts";
import { endpoints, endpointSlices, namespaces, nodes, services } from "../../src/api/resources.ts";
import { ApiError } from "../../src/api/status.ts";
import type { Client } from "../../src/client/client.ts";
import { watched } from "./watched.ts";
import { manualClock } from "../client/waiting.ts";
import { addNode, addPod, addService, createWorld, eventAbout, eventually, runPod, shows, slicesOf } from "./world.ts";

const ZONE = "topology.kubernetes.io/zone";

const placed = (client: Client, name: string, node: string): Promise<Pod> =>
  addPod(client, name, { app: "a" }, { nodeName: node });
const labelNode = (client: Client, name: string, labels: Record<string, string | null>): Promise<unknown> =>
  client.patch(nodes, { name }, "merge", { metadata: { labels } });

test("CTL-004: a pod on a node that is not there comes in when the node does, and keeps no other out", async (t) => {
  const { client } = await createWorld(t);
  await addService(client, "web", { app: "a" });
  await placed(client, "a", "node-1");
  await placed(client, "b", "node-2");
  for (const [name, ip] of [
    ["a", "10.1.0.1"],
    ["b", "10.1.0.2"],
  ] as const) {
    await runPod(client, name, ip);
  }
  await shows(client, "a=true");
  await addNode(client, "node-2");
  await shows(client, "a=true", "b=true");
});

test("CTL-026: a node that gets, changes and loses its zone gives it to its pods' endpoints", async (t) => {
  const { client } = await createWorld(t);
  await addService(client, "web", { app: "a" });
  await placed(client, "a", "node-1");
  await runPod(client, "a", "10.1.0.1");
  await shows(client, "a=true");
  for (const zone of ["x", "y", null]) {
    await labelNode(client, "node-1", { [ZONE]: zone });
    await eventually(
      `zone ${zone}`,
      () => slicesOf(client),
      ([slice]) => slice?.endpoints?.[0]?.zone === (zone ?? undefined),
    );
  }
});

test("CTL-052: who cannot write says so at the Service, and goes on trying until it can", async (t) => {
  let refusals = 0;
  const { client } = await createWorld(t, {
    through: watched((verb) => {
      if (verb === "update" && (refusals += 1) <= 6) throw new ApiError("InternalError", "no room is left");
    }),
  });
  await addService(client, "web", { app: "a" });
  await eventually(
    "the slice to be updated",
    () => slicesOf(client),
    (slices) => slices.length === 1,
  );
  await placed(client, "a", "node-1");
  await runPod(client, "a", "10.1.0.1");
  await shows(client, "a=true");
  assert.ok(refusals > 6);
  const event = await eventAbout(client, "Service", "web", "FailedToUpdateEndpointSlices");
  assert.equal(event.type, "Warning");
  assert.match(event.message ?? "", /default\/web .* no room is left/);
});

test("CTL-053: a batch period puts off what pods bring about, all in one, and nothing else", async (t) => {
  const writes: string[] = [];
  const clock = manualClock();
  const { client } = await createWorld(t, {
    clock,
    endpoints: { endpointSliceUpdatesBatchPeriod: 1500 },
    through: watched((verb) => void writes.push(verb)),
  });
  const addresses = async (): Promise<number> =>
    client.get<Endpoints>(endpoints, { namespace: "default", name: "web" }).then(
      ({ subsets }) => subsets?.[0]?.addresses?.length ?? 0,
      () => 0,
    );
  await addService(client, "web", { app: "a" });
  await eventually(
    "the placeholder, though no time passes",
    () => slicesOf(client),
    (slices) => slices.length === 1,
  );
  for (const name of ["a", "b", "c"]) {
    await placed(client, name, "node-1");
    await runPod(client, name, `10.1.0.${name.charCodeAt(0)}`);
  }
  // The Endpoints are not put off: once they have them, the slices' controller has heard of all pods too.
  await eventually("three addresses", addresses, (count) => count === 3);
  assert.deepEqual(writes, ["create"]);
  clock.advance(1500);
  await shows(client, "a=true", "b=true", "c=true");
  assert.deepEqual(writes, ["create", "update"]);
});

test("CTL-053: Endpoints have a batch period of their own", async (t) => {
  const clock = manualClock();
  const { client } = await createWorld(t, { clock, endpoints: { endpointUpdatesBatchPeriod: 700 } });
  const subsets = async () =>
    client.get<Endpoints>(endpoints, { namespace: "default", name: "web" }).then(
      (found) => found.subsets ?? [],
      () => undefined,
    );
  await addService(client, "web", { app: "a" });
  await eventually("the empty Endpoints", subsets, (found) => found?.length === 0);
  await placed(client, "a", "node-1");
  await runPod(client, "a", "10.1.0.1");
  await shows(client, "a=true");
  assert.deepEqual(await subsets(), []);
  clock.advance(700);
  await eventually("the address", subsets, (found) => found?.length === 1);
});

test("CTL-036, CTL-053: slices hold as many endpoints as they are told to", async (t) => {
  const { client } = await createWorld(t, { endpoints: { maxEndpointsPerSlice: 2 } });
  for (const name of ["a", "b", "c"]) {
    await placed(client, name, "node-1");
    await runPod(client, name, `10.1.0.${name.charCodeAt(0)}`);
  }
  await addService(client, "web", { app: "a" });
  const slices = await shows(client, "a=true", "b=true", "c=true");
  assert.deepEqual(
    slices.map(({ endpoints }) => endpoints?.length ?? 0).sort((a, b) => a - b),
    [1, 2],
  );
});

test("CTL-068: a Service that becomes an ExternalName keeps the slices it has, and nobody looks after them", async (t) => {
  const { client } = await createWorld(t);
  await addService(client, "web", { app: "a" });
  await placed(client, "a", "node-1");
  await runPod(client, "a", "10.1.0.1");
  await shows(client, "a=true");
  const at = { namespace: "default", name: "web" };
  const { resourceVersion } = (await client.get<Service>(services, at)).metadata;
  await client.patch(services, at, "merge", {
    metadata: { resourceVersion },
    spec: { type: "ExternalName", externalName: "elsewhere.example", clusterIP: null, clusterIPs: null },
  });
  await runPod(client, "a", "10.1.0.1", false);
  // A Service that was touched later is done: so is what was to be done for this one.
  await addService(client, "later", { app: "a" });
  const slices = await eventually(
    "the later Service's slice",
    () => slicesOf(client),
    (all) =>
      all.some(
        ({ metadata, endpoints }) =>
          metadata.labels?.["kubernetes.io/service-name"] === "later" && endpoints?.length === 1,
      ),
  );
  const kept = slices.filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === "web");
  assert.deepEqual(
    kept.map(({ endpoints }) => endpoints?.[0]?.conditions?.ready),
    [true],
  );
});

test("CTL-049, CTL-050: a namespace that goes takes its Services' slices, and nobody complains", async (t) => {
  const { client, complaints } = await createWorld(t);
  const namespace = "shop";
  await client.create<Namespace>(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  for (let index = 0; index < 10; index += 1) {
    await client.create<Service>(services, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace, name: `s${index}` },
      spec: { selector: { app: "a" }, clusterIP: "None", ports: [{ port: 80 }] },
    });
  }
  await client.delete(namespaces, { name: namespace });
  await eventually(
    "the namespace is gone",
    async () => (await client.list(namespaces)).items.map(({ metadata }) => metadata.name),
    (names) => !names.includes(namespace),
  );
  assert.deepEqual((await client.list(endpointSlices, { namespace })).items, []);
  assert.deepEqual(complaints, []);
});
