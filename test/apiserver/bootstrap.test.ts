import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { kinds } from "../../src/api/kinds.ts";
import * as resources from "../../src/api/resources.ts";
import { bootstrap, type BootstrapOptions } from "../../src/apiserver/bootstrap/bootstrap.ts";
import { itemOf } from "../../src/apiserver/cache/item.ts";
import { storeReader } from "../../src/apiserver/claims/reader.ts";
import { DEFAULT_NODE_PORT_RANGE, serviceClaims } from "../../src/apiserver/claims/service-claims.ts";
import { instanceKey, objectKey } from "../../src/apiserver/keys.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog, type Log } from "../../src/observe/log.ts";
import { memoryStore } from "../../src/store/memory/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { createCluster } from "./cluster.ts";

let store: Store;
beforeEach(() => (store = memoryStore()));

const RANGES = ["10.96.0.0/16", "fd00:10:96::/112"];
const start = (more: Partial<BootstrapOptions> = {}): Promise<void> =>
  bootstrap({
    store,
    serviceRanges: RANGES,
    nodePortRange: DEFAULT_NODE_PORT_RANGE,
    advertise: { ip: "192.0.2.1", port: 6443 },
    clock: { ...systemClock, now: () => Date.UTC(2026, 0, 1) },
    log: silentLog,
    ...more,
  });
// oxlint-disable-next-line typescript/no-explicit-any -- stored objects are looked into
const read = async (resource: (typeof resources)["pods"], name: string): Promise<any> => {
  const { entry } = await store.get(objectKey(resource, { namespace: "default", name }));
  return entry === undefined ? undefined : itemOf(entry).object;
};

void test("SVC-271, SVC-280, SVC-282, SVC-283: everything a cluster has is made in one write; a second start writes nothing", async () => {
  const before = await store.revision();
  await start();
  assert.equal(await store.revision(), before + 1);
  for (const name of ["default", "kube-system", "kube-public", "kube-node-lease"]) {
    assert.equal((await read(resources.namespaces, name)).status.phase, "Active", name);
  }
  const cidr = await read(resources.serviceCIDRs, "kubernetes");
  assert.deepEqual(cidr.spec.cidrs, RANGES);
  assert.deepEqual([cidr.status.conditions[0].type, cidr.status.conditions[0].status], ["Ready", "True"]);
  const service = await read(resources.services, "kubernetes");
  assert.equal(service.spec.clusterIP, "10.96.0.1");
  assert.deepEqual(service.spec.ports, [{ name: "https", port: 443, protocol: "TCP", targetPort: 6443 }]);
  assert.equal(service.spec.selector, undefined);
  assert.equal((await read(resources.ipAddresses, "10.96.0.1")).spec.parentRef.name, "kubernetes");
  const endpoints = await read(resources.endpoints, "kubernetes");
  assert.deepEqual(endpoints.subsets[0].addresses, [{ ip: "192.0.2.1" }]);
  assert.equal(endpoints.metadata.labels["endpointslice.kubernetes.io/skip-mirror"], "true");
  const slice = await read(resources.endpointSlices, "kubernetes");
  assert.deepEqual([slice.addressType, slice.endpoints[0].addresses], ["IPv4", ["192.0.2.1"]]);
  assert.equal(slice.metadata.labels["kubernetes.io/service-name"], "kubernetes");
  const revision = await store.revision();
  await start();
  assert.equal(await store.revision(), revision);
});

void test("what is made is what the API would have made of the same objects", async () => {
  await start();
  const cluster = await createCluster();
  try {
    const bare = (object: { metadata: object }) => ({
      ...object,
      metadata: { ...object.metadata, uid: "", creationTimestamp: "", resourceVersion: "", managedFields: [] },
    });
    const cases: [(typeof resources)["pods"], string, string][] = [
      [resources.namespaces, "kube-public", "/api/v1/namespaces"],
      [resources.services, "kubernetes", "/api/v1/namespaces/default/services"],
      [resources.endpoints, "kubernetes", "/api/v1/namespaces/default/endpoints"],
      [resources.endpointSlices, "kubernetes", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"],
    ];
    for (const [resource, name, path] of cases) {
      const mine = await read(resource, name);
      const { metadata, status: _, ...rest } = mine;
      const { name: own, labels } = metadata;
      const { code, body, text } = await cluster.ask("POST", path, { ...rest, metadata: { name: own, labels } });
      assert.equal(code, 201, text);
      assert.deepEqual(bare(mine), bare(body), resource.plural);
      const managers = metadata.managedFields.map(({ manager }: { manager: string }) => manager);
      assert.deepEqual(managers, ["kube-apiserver"], resource.plural);
    }
  } finally {
    await cluster.close();
  }
});

void test("SVC-280: asked for, it answers on a node port, which is claimed with it; another start moves the port or gives it back", async () => {
  const spec = async () => (await read(resources.services, "kubernetes")).spec;
  const held = async () => [...(await storeReader(store).takenNodePorts())];
  await start({ advertise: { ip: "192.0.2.1", port: 6443, nodePort: 30443 } });
  assert.equal((await spec()).type, "NodePort");
  assert.equal((await spec()).ports[0].nodePort, 30443);
  const claimed = await held();
  assert.equal(claimed.length, 1);
  const revision = await store.revision();
  await start({ advertise: { ip: "192.0.2.1", port: 6443, nodePort: 30443 } });
  assert.equal(await store.revision(), revision, "the same again writes nothing");

  await start({ advertise: { ip: "192.0.2.1", port: 6443, nodePort: 30444 } });
  assert.equal((await spec()).ports[0].nodePort, 30444);
  assert.equal((await held()).length, 1);
  assert.notDeepEqual(await held(), claimed);

  await start();
  assert.equal((await spec()).type, "ClusterIP");
  assert.deepEqual((await spec()).ports, [{ name: "https", port: 443, protocol: "TCP", targetPort: 6443 }]);
  assert.deepEqual(await held(), []);
  assert.equal((await spec()).clusterIP, "10.96.0.1");
});

void test("SVC-281, SVC-283: a new address or port of the server goes into Service, Endpoints and slice, and what has drifted is put right; the cluster IP stays", async () => {
  await start();
  const was = await read(resources.services, "kubernetes");
  const { uid } = was.metadata;
  // Ports and type that have drifted are put right at a start.
  const drifted = { ...was.spec, type: "NodePort", ports: [{ ...was.spec.ports[0], port: 444, nodePort: 30_444 }] };
  const key = objectKey(resources.services, { namespace: "default", name: "kubernetes" });
  await store.write([], [{ type: "put", key, value: JSON.stringify({ ...was, spec: drifted }) }]);
  // A server that ends well gives its lease up.
  const leave = (ip: string) => store.write([], [{ type: "delete", key: instanceKey(ip) }]);
  await leave("192.0.2.1");
  await start({ advertise: { ip: "192.0.2.9", port: 7443 } });
  const service = await read(resources.services, "kubernetes");
  assert.deepEqual(
    [service.metadata.uid, service.spec.type, service.spec.clusterIP, service.spec.ports],
    [uid, "ClusterIP", "10.96.0.1", [{ name: "https", port: 443, protocol: "TCP", targetPort: 7443 }]],
  );
  assert.deepEqual((await read(resources.endpoints, "kubernetes")).subsets[0].addresses, [{ ip: "192.0.2.9" }]);
  assert.equal((await read(resources.endpointSlices, "kubernetes")).ports[0].port, 7443);
  await leave("192.0.2.9");
  await start({ advertise: { ip: "2001:db8::1", port: 7443 } });
  const slice = await read(resources.endpointSlices, "kubernetes");
  assert.deepEqual([slice.addressType, slice.endpoints[0].addresses], ["IPv6", ["2001:db8::1"]]);
});

void test("SVC-282: a server that starts lists itself beside those whose leases it finds", async () => {
  await start();
  await start({ advertise: { ip: "192.0.2.9", port: 6443 } });
  const listed = [{ ip: "192.0.2.1" }, { ip: "192.0.2.9" }];
  assert.deepEqual((await read(resources.endpoints, "kubernetes")).subsets[0].addresses, listed);
});

void test("SVC-271: a second range is added in place; other ranges than the stored ones are refused, naming both", async () => {
  await start({ serviceRanges: ["10.96.0.0/16"] });
  await start();
  assert.deepEqual((await read(resources.serviceCIDRs, "kubernetes")).spec.cidrs, RANGES);
  for (const serviceRanges of [["10.97.0.0/16"], ["10.96.0.0/16"]]) {
    await assert.rejects(
      start({ serviceRanges }),
      /was made with 10\.96\.0\.0\/16,fd00:10:96::\/112/,
      serviceRanges.join(),
    );
  }
});

void test("SVC-272: a Ready condition that says False is left alone", async () => {
  await start();
  const key = objectKey(resources.serviceCIDRs, { name: "kubernetes" });
  const object = await read(resources.serviceCIDRs, "kubernetes");
  object.status.conditions[0].status = "False";
  await store.write([], [{ type: "put", key, value: JSON.stringify(object) }]);
  await start();
  assert.equal((await read(resources.serviceCIDRs, "kubernetes")).status.conditions[0].status, "False");
});

void test("a deleted default Service is made again; one whose address somebody else holds is refused, naming who", async () => {
  await start();
  const service = objectKey(resources.services, { namespace: "default", name: "kubernetes" });
  const address = objectKey(resources.ipAddresses, { name: "10.96.0.1" });
  await store.write(
    [],
    [
      { type: "delete", key: service },
      { type: "delete", key: address },
    ],
  );
  await start();
  assert.equal((await read(resources.services, "kubernetes")).spec.clusterIP, "10.96.0.1");
  const value = JSON.stringify({ spec: { parentRef: { resource: "services", namespace: "default", name: "thief" } } });
  await store.write(
    [],
    [
      { type: "delete", key: service },
      { type: "put", key: address, value },
    ],
  );
  await assert.rejects(start(), /10\.96\.0\.1 is held by the Service default\/thief/);
});

void test("two servers that start at once agree", async () => {
  await Promise.all([start(), start()]);
  assert.ok(await read(resources.services, "kubernetes"));
});

void test("another server that makes the same, at whatever moment of a start, is no contradiction", async () => {
  for (let moment = 1; moment <= 10; moment++) {
    store = memoryStore();
    const plain = store;
    let reads = 0;
    const watched: Store = {
      ...plain,
      get: async (key) => {
        reads += 1;
        if (reads === moment) await start({ store: plain, advertise: { ip: "192.0.2.2", port: 6443 } });
        return plain.get(key);
      },
    };
    await start({ store: watched });
    assert.ok(reads >= moment, `there were only ${reads} reads`);
    assert.equal((await read(resources.ipAddresses, "10.96.0.1")).spec.parentRef.name, "kubernetes");
    const { addresses } = (await read(resources.endpoints, "kubernetes")).subsets[0];
    assert.deepEqual(addresses, [{ ip: "192.0.2.1" }, { ip: "192.0.2.2" }], "both servers live");
  }
});

void test("node ports outside the range are said and kept", async () => {
  await start();
  await store.write([], [{ type: "put", key: "/claims/nodeports/40000", value: '{"namespace":"a","name":"b"}' }]);
  const said: object[] = [];
  const log: Log = { ...silentLog, warn: (facts) => said.push(facts) };
  await start({ log });
  assert.deepEqual(said, [{ ports: [40_000], count: 1, range: "30000-32767" }]);
});

void test("SVC-109, SVC-161: the API server hands out addresses through these claims and takes them back", async () => {
  await start();
  const claims = serviceClaims({ reader: storeReader(store) });
  const cluster = await createCluster({ store, claims, kinds });
  try {
    const path = "/api/v1/namespaces/default/services";
    const body = {
      metadata: { name: "web" },
      spec: { type: "NodePort", ipFamilyPolicy: "PreferDualStack", ports: [{ port: 80 }] },
    };
    const created = await cluster.ask("POST", path, body);
    assert.equal(created.code, 201, created.text);
    assert.equal(created.body.spec.clusterIPs.length, 2);
    const { nodePort } = created.body.spec.ports[0];
    assert.ok(nodePort >= 30_086);
    const twice = await cluster.ask("POST", path, {
      ...body,
      metadata: { name: "other" },
      spec: { ...body.spec, clusterIP: created.body.spec.clusterIP },
    });
    assert.deepEqual([twice.code, twice.body.details.causes[0].field], [422, "spec.clusterIPs"]);
    assert.equal((await cluster.ask("POST", path, body)).code, 409);
    assert.equal((await cluster.ask("DELETE", `${path}/web`)).code, 200);
    const left = await cluster.ask("GET", "/apis/networking.k8s.io/v1/ipaddresses");
    assert.deepEqual(
      left.body.items.map((item: { metadata: { name: string } }) => item.metadata.name),
      ["10.96.0.1"],
    );
    assert.equal((await store.list("/claims/nodeports/")).entries.length, 0);
  } finally {
    await cluster.close();
  }
});
