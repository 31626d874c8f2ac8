import assert from "node:assert/strict";
import { test } from "node:test";
import { endpoints, endpointSlices, namespaces, serviceCIDRs, services } from "../../../src/api/resources.ts";
import { objectKey } from "../../../src/apiserver/keys.ts";
import type { Store } from "../../../src/store/store.ts";
import { createServers } from "./servers.ts";

/** Where the clocks begin. */
const START = 1_700_000_000_000;
const RANGES = ["10.96.0.0/24", "fd00:10:96::/112"];

void test("SVC-271, SVC-280, SVC-283: what every cluster has is made again as soon as it is gone", async (t) => {
  const { start, read, drop } = await createServers(t);
  const server = await start({ serviceRanges: RANGES });
  const soon = async (what: string, find: () => Promise<unknown>): Promise<void> =>
    server.passing(what, 20, async () => (await find()) !== undefined);
  const before = {
    cidr: (await read(serviceCIDRs, "kubernetes")).metadata.uid,
    endpoints: await read(endpoints, "kubernetes"),
  };
  await drop(serviceCIDRs, "kubernetes");
  await soon("the default ServiceCIDR", () => read(serviceCIDRs, "kubernetes"));
  const cidr = await read(serviceCIDRs, "kubernetes");
  assert.notEqual(cidr.metadata.uid, before.cidr);
  assert.deepEqual(cidr.spec.cidrs, RANGES);
  assert.deepEqual(
    cidr.status.conditions.map(({ type, status }: { type: string; status: string }) => [type, status]),
    [["Ready", "True"]],
  );
  await drop(endpoints, "kubernetes");
  await soon("the Endpoints", () => read(endpoints, "kubernetes"));
  const made = await read(endpoints, "kubernetes");
  assert.deepEqual([made.subsets, made.metadata.labels], [before.endpoints.subsets, before.endpoints.metadata.labels]);
  await drop(endpointSlices, "kubernetes");
  await soon("the EndpointSlice", () => read(endpointSlices, "kubernetes"));
  const slice = await read(endpointSlices, "kubernetes");
  assert.deepEqual(slice.endpoints[0].addresses, ["192.0.2.1"]);
  await drop(namespaces, "kube-node-lease");
  await soon("the namespace", () => read(namespaces, "kube-node-lease"));
  assert.ok(server.clock.now() - START < 10_000, "no round that comes by itself was waited for");
});

void test("SVC-280, SVC-281: a deleted Service comes back with its address; one that people changed is let alone", async (t) => {
  const { start, read, drop } = await createServers(t);
  const server = await start();
  const path = "/api/v1/namespaces/default/services/kubernetes";
  const { uid } = (await read(services, "kubernetes")).metadata;
  assert.equal((await server.ask("DELETE", path)).code, 200);
  await server.passing("the Service", 100, async () => (await read(services, "kubernetes")) !== undefined);
  const made = await read(services, "kubernetes");
  assert.notEqual(made.metadata.uid, uid);
  assert.deepEqual(
    [made.spec.clusterIP, made.spec.ipFamilyPolicy, made.spec.selector],
    ["10.96.0.1", "SingleStack", undefined],
  );
  const { body } = await server.ask("GET", path);
  body.spec.ports[0].port = 444;
  assert.equal((await server.ask("PUT", path, body)).code, 200);
  // A round after it has put right something else, and not that.
  await drop(endpoints, "kubernetes");
  await server.passing("the Endpoints", 10_000, async () => (await read(endpoints, "kubernetes")) !== undefined);
  assert.equal((await read(services, "kubernetes")).spec.ports[0].port, 444);
});

void test("SVC-282: addresses that people change in Endpoints or slice are put right", async (t) => {
  const { start, read } = await createServers(t);
  const server = await start();
  const at = "/api/v1/namespaces/default/endpoints/kubernetes";
  const { body } = await server.ask("GET", at);
  body.subsets[0].addresses = [{ ip: "192.0.2.66" }];
  delete body.metadata.labels;
  assert.equal((await server.ask("PUT", at, body)).code, 200);
  await server.passing("the Endpoints are put right", 100, async () => {
    const found = await read(endpoints, "kubernetes");
    return (
      found.subsets[0].addresses[0].ip === "192.0.2.1" &&
      found.metadata.labels?.["endpointslice.kubernetes.io/skip-mirror"] === "true"
    );
  });
  const slice = await read(endpointSlices, "kubernetes");
  slice.endpoints = [{ addresses: ["192.0.2.66"], conditions: { ready: true } }];
  const path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes";
  assert.equal((await server.ask("PUT", path, slice)).code, 200);
  await server.passing("the slice is put right", 100, async () => {
    const found = await read(endpointSlices, "kubernetes");
    return found.endpoints[0].addresses[0] === "192.0.2.1";
  });
});

void test("SVC-271: a default ServiceCIDR of one range is given its second one while the server runs", async (t) => {
  const { start, read, put, told } = await createServers(t);
  const server = await start({ serviceRanges: RANGES });
  const cidr = await read(serviceCIDRs, "kubernetes");
  await put(serviceCIDRs, { ...cidr, spec: { cidrs: RANGES.slice(0, 1) } });
  await server.passing(
    "the second range",
    100,
    async () => (await read(serviceCIDRs, "kubernetes")).spec.cidrs.length === 2,
  );
  assert.deepEqual((await read(serviceCIDRs, "kubernetes")).spec.cidrs, RANGES);
  assert.deepEqual(await told(), []);
});

void test("SVC-271: ranges that contradict the flags are told of once and let alone", async (t) => {
  const { start, read, put, told } = await createServers(t);
  const server = await start({ serviceRanges: RANGES });
  const cidr = await read(serviceCIDRs, "kubernetes");
  await put(serviceCIDRs, { ...cidr, spec: { cidrs: ["10.99.0.0/24"] } });
  await server.passing("the event", 100, async () => (await told()).length > 0);
  for (const name of ["x", "y"]) {
    const object = await read(serviceCIDRs, "kubernetes");
    await put(serviceCIDRs, { ...object, metadata: { ...object.metadata, labels: { name } } });
    server.clock.advance(30_000);
  }
  assert.deepEqual(await told(), ["ServiceCIDR/kubernetes KubernetesDefaultServiceCIDRInconsistent"]);
  assert.deepEqual((await read(serviceCIDRs, "kubernetes")).spec.cidrs, ["10.99.0.0/24"]);
});

void test("SVC-272: Ready=False is told of once, by its own reason, and never overwritten; Unknown becomes True", async (t) => {
  const { start, read, put, told } = await createServers(t);
  const server = await start();
  const say = async (status: string): Promise<void> => {
    const cidr = await read(serviceCIDRs, "kubernetes");
    const condition = { ...cidr.status.conditions[0], status, reason: "Cabling", message: "somebody is at it" };
    await put(serviceCIDRs, { ...cidr, status: { conditions: [condition] } });
  };
  const status = async (): Promise<string> => (await read(serviceCIDRs, "kubernetes")).status.conditions[0].status;
  await say("False");
  await server.passing("the event", 100, async () => (await told()).length > 0);
  await say("False");
  server.clock.advance(30_000);
  assert.equal(await status(), "False");
  assert.deepEqual(await told(), ["ServiceCIDR/kubernetes Cabling"]);
  await say("Unknown");
  await server.passing("Ready is True", 1000, async () => (await status()) === "True");
});

void test("SVC-271: a default ServiceCIDR that cannot be made is told of, and made when it can be", async (t) => {
  const { start, store, read, drop, told } = await createServers(t);
  let isBroken = false;
  const key = objectKey(serviceCIDRs, { name: "kubernetes" });
  const broken: Store = {
    ...store,
    write: async (conditions, operations) => {
      if (isBroken && operations.some((operation) => operation.key === key)) throw new Error("the disk is full");
      return store.write(conditions, operations);
    },
  };
  const server = await start({}, broken);
  isBroken = true;
  await drop(serviceCIDRs, "kubernetes");
  await server.passing("the event", 100, async () => (await told()).length > 0);
  assert.match((await told())[0]!, /^ServiceCIDR\/kubernetes KubernetesDefaultServiceCIDRError/);
  isBroken = false;
  await server.passing("the ServiceCIDR", 10_000, async () => (await read(serviceCIDRs, "kubernetes")) !== undefined);
});
