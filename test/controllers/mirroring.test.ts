import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints, EndpointSlice, Service } from "../../src/api/generated/types.ts";
import { endpoints, endpointSlices, services } from "../../src/api/resources.ts";
import type { Client } from "../../src/client/client.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { manualClock } from "../client/waiting.ts";
import { addPod, addService, createWorld, eventAbout, eventually, runPod, slicesOf } from "./world.ts";

const WEB = { namespace: "default", name: "web" };
const MIRRORING = "endpointslicemirroring-controller.k8s.io";

const write = (
  client: Client,
  ips: readonly string[],
  metadata: Partial<Endpoints["metadata"]> = {},
): Promise<Endpoints> =>
  client.create<Endpoints>(endpoints, {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { ...WEB, ...metadata },
    subsets: [{ addresses: ips.map((ip) => ({ ip })), ports: [{ port: 8080, protocol: "TCP" }] }],
  });
const become = (client: Client, merge: object): Promise<unknown> => client.patch(endpoints, WEB, "merge", merge);
const mirrored = async (client: Client): Promise<EndpointSlice[]> =>
  (await slicesOf(client)).filter(
    ({ metadata }) => metadata.labels?.["endpointslice.kubernetes.io/managed-by"] === MIRRORING,
  );
const shows = (client: Client, wanted: string): Promise<EndpointSlice[]> =>
  eventually(
    `mirrored: ${wanted}`,
    () => mirrored(client),
    (slices) =>
      slices
        .flatMap(({ endpoints = [] }) => endpoints.flatMap(({ addresses }) => addresses))
        .sort()
        .join() === wanted,
  );
const isNone = (client: Client): Promise<EndpointSlice[]> =>
  eventually(
    "no mirrored slice",
    () => mirrored(client),
    (slices) => slices.length === 0,
  );

test("CTL-083, CTL-084, CTL-085, CTL-089, CTL-091, CTL-092: slices follow the Endpoints that people write", async (t) => {
  const { client, complaints, restartControllers } = await createWorld(t);
  await write(client, ["192.0.2.1"]);
  await addService(client, "web", undefined);
  const [first] = await shows(client, "192.0.2.1");
  assert.match(first?.metadata.name ?? "", /^web-.{5}$/);
  await become(client, {
    subsets: [{ addresses: [{ ip: "192.0.2.1" }, { ip: "192.0.2.2" }], ports: [{ port: 8080 }] }],
  });
  const [second] = await shows(client, "192.0.2.1,192.0.2.2");
  assert.equal(second?.metadata.name, first?.metadata.name);
  await become(client, { subsets: null });
  await isNone(client);
  await become(client, { subsets: [{ addresses: [{ ip: "192.0.2.1" }, { ip: "2001:db8::1" }] }] });
  assert.equal((await shows(client, "192.0.2.1,2001:db8::1")).length, 2);
  for (const [on, off] of [
    [
      { metadata: { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } } },
      { metadata: { labels: { "endpointslice.kubernetes.io/skip-mirror": null } } },
    ],
    [
      { metadata: { annotations: { "control-plane.alpha.kubernetes.io/leader": "{}" } } },
      { metadata: { annotations: { "control-plane.alpha.kubernetes.io/leader": null } } },
    ],
  ]) {
    await become(client, on!);
    await isNone(client);
    await become(client, off!);
    await shows(client, "192.0.2.1,2001:db8::1");
  }
  await restartControllers();
  await client.delete(endpoints, WEB);
  await isNone(client);
  const anew = await write(client, ["192.0.2.9"]);
  const [third] = await shows(client, "192.0.2.9");
  assert.equal(third?.metadata.ownerReferences?.[0]?.uid, anew.metadata.uid);
  await client.delete(services, WEB);
  await isNone(client);
  assert.deepEqual(complaints, []);
});

test("CTL-084: what goes while nobody looks is found at the next start", async (t) => {
  const { client, restartControllers } = await createWorld(t);
  await addService(client, "web", undefined);
  await write(client, ["192.0.2.1"], { labels: { team: "x" } });
  const [slice] = await shows(client, "192.0.2.1");
  // As a slice that was left behind: nobody's, and of a Service that never was.
  const { labels } = slice!.metadata;
  await client.create(endpointSlices, {
    ...slice!,
    metadata: { namespace: "default", name: "left", labels: { ...labels, "kubernetes.io/service-name": "gone" } },
  });
  await restartControllers();
  const left = await eventually(
    "one slice",
    () => mirrored(client),
    (slices) => slices.length === 1,
  );
  assert.equal(left[0]?.metadata.name, slice?.metadata.name);
});

test("CTL-067, CTL-083, CTL-084: a selector that comes takes the Endpoints over, and one that goes leaves them to people", async (t) => {
  const { client } = await createWorld(t);
  await addService(client, "web", undefined);
  await addPod(client, "a", { app: "a" }, { nodeName: "node-1" });
  await runPod(client, "a", "10.1.0.1");
  await write(client, ["192.0.2.1"]);
  await shows(client, "192.0.2.1");
  const select = (selector: object | null): Promise<unknown> =>
    client.patch(services, WEB, "merge", { spec: { selector } });
  const addresses = async (): Promise<string> =>
    ((await client.get<Endpoints>(endpoints, WEB)).subsets ?? [])
      .flatMap((subset) => (subset.addresses ?? []).map(({ ip }) => ip))
      .join();
  await select({ app: "a" });
  await eventually("the Endpoints are the pod's", addresses, (ips) => ips === "10.1.0.1");
  await isNone(client);
  await select(null);
  // Nobody's pods now; what there is stays, and is mirrored like anything that people wrote.
  await shows(client, "10.1.0.1");
  await runPod(client, "a", "10.1.0.1", false);
  await become(client, { metadata: { labels: { mine: "yes" } } });
  await eventually(
    "the label in the mirrored slice",
    () => mirrored(client),
    ([slice]) => slice?.metadata.labels?.["mine"] === "yes",
  );
  assert.equal(await addresses(), "10.1.0.1");
});

test("CTL-086, CTL-095: what is not mirrored is told at the Endpoints, and counted", async (t) => {
  const metrics = createMetrics();
  const { client } = await createWorld(t, { metrics, endpoints: { mirroringMaxEndpointsPerSubset: 2 } });
  await addService(client, "web", undefined);
  await write(client, ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"]);
  const event = await eventAbout(client, "Endpoints", "web", "TooManyAddressesToMirror");
  assert.equal(event.type, "Warning");
  assert.match(event.message ?? "", /^3 addresses have .* at most 2 /);
  await shows(client, "192.0.2.1,192.0.2.2");
  const text = await eventually(
    "what is counted",
    () => metrics.text((name, error) => assert.fail(`${name}: ${String(error)}`)),
    (found) => found.includes("_endpoints_added_per_sync_sum 2\n"),
  );
  const PREFIX = "endpoint_slice_mirroring_controller_";
  for (const line of [
    `${PREFIX}num_endpoint_slices 1`,
    `${PREFIX}desired_endpoint_slices 1`,
    `${PREFIX}endpoints_desired 2`,
    `${PREFIX}changes{operation="create"} 1`,
    `${PREFIX}addresses_skipped_per_sync_sum 3`,
    `${PREFIX}endpoints_updated_per_sync_sum 0`,
    `${PREFIX}endpoints_removed_per_sync_sum 0`,
    `# TYPE ${PREFIX}endpoints_sync_duration histogram`,
  ]) {
    assert.ok(text.split("\n").includes(line), line);
  }
});

test("CTL-053: what others do to a mirrored slice is put right after its batch period", async (t) => {
  const clock = manualClock();
  const { client } = await createWorld(t, { clock, endpoints: { mirroringEndpointSliceUpdatesBatchPeriod: 700 } });
  await addService(client, "web", undefined);
  await write(client, ["192.0.2.1"]);
  const [slice] = await shows(client, "192.0.2.1");
  await client.update(endpointSlices, { ...slice!, endpoints: [] });
  // A change of the Endpoints of another Service is seen after it; so the slice's has been seen too.
  await client.create<Service>(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name: "other" },
    spec: { selector: { app: "none" }, clusterIP: "None", ports: [{ port: 80 }] },
  });
  await eventually(
    "the other's slice",
    () => slicesOf(client),
    (all) => all.some(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === "other"),
  );
  await shows(client, "");
  await eventually(
    "the slice again",
    async () => {
      clock.advance(700);
      return mirrored(client);
    },
    ([found]) => found?.endpoints?.length === 1,
  );
});

test("CTL-045, CTL-094, CTL-097: the mirrored slice and one that people wrote stand beside each other, each as it is", async (t) => {
  const { client } = await createWorld(t);
  await addService(client, "web", undefined);
  await write(client, ["192.0.2.1"]);
  await client.create<EndpointSlice>(endpointSlices, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      namespace: "default",
      name: "mine",
      labels: { "kubernetes.io/service-name": "web", "endpointslice.kubernetes.io/managed-by": "people.example.com" },
    },
    addressType: "IPv4",
    ports: [{ name: "", port: 8080, protocol: "TCP" }],
    endpoints: [{ addresses: ["192.0.2.7"] }],
  });
  await shows(client, "192.0.2.1");
  await become(client, { subsets: [{ addresses: [{ ip: "192.0.2.2" }], ports: [{ port: 8080 }] }] });
  await shows(client, "192.0.2.2");
  const all = (await slicesOf(client)).flatMap(({ endpoints = [] }) => endpoints.flatMap(({ addresses }) => addresses));
  assert.deepEqual(all.sort(), ["192.0.2.2", "192.0.2.7"]);
});

test("CTL-096: a Service without a selector has neither Endpoints nor slices until somebody writes them", async (t) => {
  const { client } = await createWorld(t);
  await addService(client, "web", undefined);
  await client.create<Service>(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name: "alias" },
    spec: { type: "ExternalName", externalName: "elsewhere.example", ports: [{ port: 80 }] },
  });
  // A Service that comes later is done: so is what was to be done for these.
  await addService(client, "later", { app: "none" });
  await eventually(
    "the later Service's slice",
    () => slicesOf(client),
    (slices) => slices.length > 0,
  );
  await eventually(
    "the later Service's Endpoints",
    async () => (await client.list<Endpoints>(endpoints, { namespace: "default" })).items,
    (items) => items.length > 0,
  );
  const names = (await slicesOf(client)).map(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"]);
  assert.deepEqual(names, ["later"]);
  const held = (await client.list<Endpoints>(endpoints, { namespace: "default" })).items;
  assert.deepEqual(
    held.map(({ metadata }) => metadata.name),
    ["later"],
  );
});
