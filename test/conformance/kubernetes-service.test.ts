import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { startSubject, type Subject } from "./subject.ts";

const PATH = "/api/v1/namespaces/default/services/kubernetes";
const ENDPOINTS = "/api/v1/namespaces/default/endpoints/kubernetes";
const SLICE = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes";
const RANGE = "/apis/networking.k8s.io/v1/servicecidrs/kubernetes";
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };
/** The address that both servers are told to be reached at. */
const ADDRESS = "10.244.0.1";

let subject: Subject;
before(async () => {
  subject = await startSubject({ serviceRanges: ["10.96.0.0/24", "fd00:10:96::/112"] });
  await until("the slice", async () => (await subject.ask("GET", SLICE)).code === 200);
});
after(() => subject.close());

const get = async (path: string) => (await subject.ask("GET", path)).body;

void test("SVC-280: default/kubernetes", async () => {
  const { metadata, spec } = await get(PATH);
  assert.deepEqual(metadata.labels, { component: "apiserver", provider: "kubernetes" });
  const [port] = spec.ports;
  assert.ok(Number.isInteger(port.targetPort));
  assert.deepEqual(spec, {
    type: "ClusterIP",
    clusterIP: "10.96.0.1",
    clusterIPs: ["10.96.0.1"],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
    sessionAffinity: "None",
    internalTrafficPolicy: "Cluster",
    ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: port.targetPort }],
  });
});

void test("SVC-282, SVC-283, CTL-093: Endpoints and EndpointSlice list the server's address", async () => {
  const [{ ports }] = (await get(PATH)).spec.ports.map(({ targetPort }: { targetPort: number }) => ({
    ports: targetPort,
  }));
  const endpoints = await get(ENDPOINTS);
  assert.equal(endpoints.metadata.labels["endpointslice.kubernetes.io/skip-mirror"], "true");
  assert.deepEqual(endpoints.subsets, [
    { addresses: [{ ip: ADDRESS }], ports: [{ name: "https", port: ports, protocol: "TCP" }] },
  ]);
  const slice = await get(SLICE);
  assert.equal(slice.metadata.labels["kubernetes.io/service-name"], "kubernetes");
  assert.deepEqual(
    [slice.addressType, slice.endpoints, slice.ports],
    [
      "IPv4",
      [{ addresses: [ADDRESS], conditions: { ready: true } }],
      [{ name: "https", port: ports, protocol: "TCP" }],
    ],
  );
});

void test("SVC-281, SVC-282: changed addresses are put right; changed ports are let alone, and the slice follows them", async () => {
  const changed = await subject.ask(
    "PATCH",
    PATH,
    { spec: { ports: [{ name: "https", port: 444, targetPort: 1234, protocol: "TCP" }] } },
    MERGE,
  );
  assert.equal(changed.code, 200, changed.text);
  const subsets = [{ addresses: [{ ip: "192.0.2.9" }], ports: [{ name: "https", port: 1234, protocol: "TCP" }] }];
  assert.equal((await subject.ask("PATCH", ENDPOINTS, { subsets }, MERGE)).code, 200);
  const endpoints = await until("the addresses are put right", async () => {
    const found = await get(ENDPOINTS);
    return found.subsets[0].addresses[0].ip === ADDRESS ? found : undefined;
  });
  assert.equal(endpoints.subsets[0].ports[0].port, 1234);
  const slice = await until("the slice follows", async () => {
    const found = await get(SLICE);
    return found.ports[0].port === 1234 ? found : undefined;
  });
  assert.deepEqual(slice.endpoints[0].addresses, [ADDRESS]);
  assert.equal((await get(PATH)).spec.ports[0].port, 444);
});

void test("SVC-280, SVC-281: deleted, it comes back with the address it had", async () => {
  const { uid } = (await get(PATH)).metadata;
  assert.equal((await subject.ask("DELETE", PATH)).code, 200);
  const made = await until("the Service", async () => {
    const answer = await subject.ask("GET", PATH);
    return answer.code === 200 && answer.body.metadata.uid !== uid ? answer.body : undefined;
  });
  assert.deepEqual([made.spec.clusterIP, made.spec.ports[0].port], ["10.96.0.1", 443]);
});

void test("SVC-282, SVC-283: deleted Endpoints and slices come back", async () => {
  for (const path of [SLICE, ENDPOINTS]) {
    const { uid } = (await get(path)).metadata;
    assert.equal((await subject.ask("DELETE", path)).code, 200);
    await until(path, async () => {
      const { code, body } = await subject.ask("GET", path);
      return code === 200 && body.metadata.uid !== uid;
    });
  }
  assert.deepEqual((await get(ENDPOINTS)).subsets[0].addresses, [{ ip: ADDRESS }]);
});

void test("SVC-271: a deleted default ServiceCIDR comes back with the server's ranges, and serves", async () => {
  const { uid } = (await get(RANGE)).metadata;
  await subject.ask("DELETE", RANGE);
  const made = await until("the ServiceCIDR", async () => {
    const { code, body } = await subject.ask("GET", RANGE);
    const isReady = body.status?.conditions?.some(
      ({ type, status }: { type: string; status: string }) => type === "Ready" && status === "True",
    );
    return code === 200 && body.metadata.uid !== uid && isReady ? body : undefined;
  });
  assert.deepEqual(made.spec.cidrs, ["10.96.0.0/24", "fd00:10:96::/112"]);
});
