import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints, EndpointSlice, Namespace, Node, Pod, Service } from "../../src/api/generated/types.ts";
import type { KubeObject } from "../../src/api/object.ts";
import { endpoints, endpointSlices, namespaces, nodes, pods, services } from "../../src/api/resources.ts";
import { ApiError } from "../../src/api/status.ts";
import type { Client } from "../../src/client/client.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { manualClock } from "../client/waiting.ts";
import { addNode, addPod, addService, createWorld, eventAbout, eventually, runPod, shows, slicesOf } from "./world.ts";

const MODE = "service.kubernetes.io/topology-mode";
const ZONE = "topology.kubernetes.io/zone";

/** The client, with each write of an EndpointSlice told before it is sent. */
const watched =
  (told: (verb: "create" | "update", slice: EndpointSlice) => void) =>
  (client: Client): Client => {
    const tell = (verb: "create" | "update", object: KubeObject): void => {
      if (object.kind === "EndpointSlice") told(verb, object as EndpointSlice);
    };
    return {
      ...client,
      create: async (resource, object, ...rest) => {
        tell("create", object);
        return client.create(resource, object, ...rest);
      },
      update: async (resource, object, ...rest) => {
        tell("update", object);
        return client.update(resource, object, ...rest);
      },
    };
  };
const placed = (client: Client, name: string, node: string): Promise<Pod> =>
  addPod(client, name, { app: "a" }, { nodeName: node });
const labelNode = (client: Client, name: string, labels: Record<string, string | null>): Promise<unknown> =>
  client.patch(nodes, { name }, "merge", { metadata: { labels } });
const annotate = (client: Client, annotations: Record<string, string | null>): Promise<unknown> =>
  client.patch(services, { namespace: "default", name: "web" }, "merge", { metadata: { annotations } });

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

test("CTL-054, CTL-055: what does not concern endpoints brings about no sync; what is done is counted", async (t) => {
  const metrics = createMetrics();
  const { client } = await createWorld(t, { metrics });
  const value = async (name: string): Promise<number> => {
    const text = await metrics.text((metric, error) => assert.fail(`${metric}: ${String(error)}`));
    const line = text.split("\n").find((one) => one.startsWith(`endpoint_slice_controller_${name} `));
    return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(" ") + 1));
  };
  const syncs = () => value('syncs{result="success"}');
  await addService(client, "web", { app: "a" });
  for (const name of ["a", "b"]) {
    await placed(client, name, "node-1");
    await runPod(client, name, `10.1.0.${name.charCodeAt(0)}`);
  }
  await shows(client, "a=true", "b=true");
  const before = await syncs();
  assert.ok(before > 0);
  for (let round = 0; round < 20; round += 1) {
    await client.patch(pods, { namespace: "default", name: "a" }, "merge", {
      metadata: { annotations: { round: `${round}` } },
    });
  }
  await runPod(client, "b", "10.1.0.98", false);
  await shows(client, "a=true", "b=false");
  // One that was under way may have been counted since, but not twenty.
  assert.ok((await syncs()) - before <= 3, "only what concerned b");
  await client.patch(services, { namespace: "default", name: "web" }, "merge", {
    spec: { trafficDistribution: "PreferClose" },
  });
  for (const [name, expected] of [
    ["num_endpoint_slices", 1],
    ["desired_endpoint_slices", 1],
    ["endpoints_desired", 2],
    ['changes{operation="create"}', 1],
    ['services_count_by_traffic_distribution{traffic_distribution="PreferClose"}', 1],
  ] as const) {
    await eventually(
      name,
      () => value(name),
      (found) => found === expected,
    );
  }
  assert.ok((await value('changes{operation="update"}')) > 0);
  const text = await metrics.text(() => {});
  for (const name of ["endpoints_added_per_sync", "endpoints_removed_per_sync", "endpointslices_changed_per_sync"]) {
    assert.match(text, new RegExp(`^# TYPE endpoint_slice_controller_${name} histogram$`, "m"));
  }
  assert.match(text, /^endpoint_slice_controller_endpoints_added_per_sync_sum 2$/m);
  assert.match(text, /changed_per_sync_count\{topology="Disabled",traffic_distribution=""\} [1-9]/);
});

test("CTL-071, CTL-072, CTL-074, CTL-076: hints come when zones have machines, go when one is lost, and each is told once", async (t) => {
  const { client } = await createWorld(t);
  const equip = async (name: string, zone: string): Promise<void> => {
    await labelNode(client, name, { [ZONE]: zone });
    const node = await client.get<Node>(nodes, { name });
    await client.updateStatus(nodes, { ...node, status: { ...node.status, allocatable: { cpu: "2" } } });
  };
  await addNode(client, "node-2");
  for (const [name, node] of [
    ["a", "node-1"],
    ["b", "node-2"],
  ] as const) {
    await placed(client, name, node);
    await runPod(client, name, `10.1.0.${name.charCodeAt(0)}`);
  }
  await addService(client, "web", { app: "a" }, { [MODE]: "Auto" });
  const hints = (...wanted: (string | undefined)[]): Promise<unknown> =>
    eventually(
      `hints ${wanted.join()}`,
      () => slicesOf(client),
      (slices) => {
        const found = slices.flatMap(({ endpoints = [] }) => endpoints);
        return (
          found.length === 2 &&
          found
            .sort((one, other) => ((one.targetRef?.name ?? "") < (other.targetRef?.name ?? "") ? -1 : 1))
            .every((endpoint, index) => endpoint.hints?.forZones?.[0]?.name === wanted[index])
        );
      },
    );
  await hints(undefined, undefined);
  const refused = await eventAbout(client, "Service", "web", "TopologyAwareHintsDisabled");
  assert.deepEqual([refused.type, refused.count], ["Warning", 1]);
  await equip("node-1", "x");
  await equip("node-2", "y");
  await hints("x", "y");
  const given = await eventAbout(client, "Service", "web", "TopologyAwareHintsEnabled");
  assert.deepEqual([given.type, given.count], ["Normal", 1]);
  const lost = await client.get<Node>(nodes, { name: "node-2" });
  await client.updateStatus(nodes, {
    ...lost,
    status: { ...lost.status, conditions: [{ type: "Ready", status: "False" }] },
  });
  await hints(undefined, undefined);
  // CTL-117: its pods are held for unready until it says of them itself that they are ready.
  await eventually(
    "the lost node's pod to be unready",
    () => client.get<Pod>(pods, { namespace: "default", name: "b" }),
    ({ status }) => status?.conditions?.find(({ type }) => type === "Ready")?.status === "False",
  );
  await client.updateStatus(nodes, { ...(await client.get<Node>(nodes, { name: "node-2" })), status: lost.status });
  await runPod(client, "b", "10.1.0.98");
  await hints("x", "y");
  await annotate(client, { [MODE]: null });
  await hints(undefined, undefined);
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

test("a slice that is written again and again rests in between, and then shows what is newest", async (t) => {
  const clock = manualClock();
  let writes = 0;
  const { client } = await createWorld(t, { clock, through: watched(() => void (writes += 1)) });
  await addService(client, "web", { app: "a" });
  await placed(client, "a", "node-1");
  const become = async (ready: boolean): Promise<void> => {
    await runPod(client, "a", "10.1.0.1", ready);
    // The Endpoints of one pod hardly rest: when they have heard of it, so has the slices' controller.
    await eventually(
      `Endpoints that are ready: ${ready}`,
      () => client.get<Endpoints>(endpoints, { namespace: "default", name: "web" }).catch(() => undefined),
      (found) => found?.subsets?.[0]?.[ready ? "addresses" : "notReadyAddresses"]?.length === 1,
    );
  };
  for (let round = 0; round < 40; round += 1) await become(round % 2 === 0);
  assert.ok(writes >= 5 && writes <= 15, `${writes} writes while no time passed`);
  await become(true);
  clock.advance(2000);
  await shows(client, "a=true");
  await become(false);
  clock.advance(2000);
  await shows(client, "a=false");
});

test("many pods that turn ready together cost each slice a few writes, not one for each pod", async (t) => {
  const writes = new Map<string, number>();
  const { client } = await createWorld(t, {
    endpoints: { maxEndpointsPerSlice: 50 },
    through: watched(
      (_, { metadata }) => void writes.set(metadata.name ?? "", (writes.get(metadata.name ?? "") ?? 0) + 1),
    ),
  });
  const names = Array.from({ length: 400 }, (_, index) => `p${index}`);
  const all = (each: (name: string, index: number) => Promise<unknown>): Promise<unknown> =>
    Promise.all(names.map(each));
  await addService(client, "web", { app: "a" });
  await all((name) => placed(client, name, "node-1"));
  await all((name, index) => runPod(client, name, `10.1.${index >> 8}.${index & 255}`, false));
  await shows(client, ...names.map((name) => `${name}=false`).sort());
  writes.clear();
  await all((name, index) => runPod(client, name, `10.1.${index >> 8}.${index & 255}`));
  await shows(client, ...names.map((name) => `${name}=true`).sort());
  const total = [...writes.values()].reduce((sum, count) => sum + count, 0);
  t.diagnostic(`400 pods in 8 slices: ${total} writes`);
  assert.ok(total < 150, `${total} writes`);
});
