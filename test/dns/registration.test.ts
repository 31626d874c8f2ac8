import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice, Service } from "../../src/api/generated/types.ts";
import { endpointSlices, services } from "../../src/api/resources.ts";
import { dnsService, dnsSlices } from "../../src/dns/registration.ts";
import { createObjects } from "./objects.ts";
import { eventually, running } from "./running.ts";

const KEY = "kube-system/kube-dns";
const SLICE = "kube-system/kube-dns-ipv4-53";
const options = {
  clusterIPs: ["10.96.0.10", "fd00:10:96::a"],
  endpoints: [
    { address: "10.244.0.1", port: 53 },
    { address: "fd00::1", port: 53 },
  ],
  nodeName: "node-1",
};

void test("DNS-131: the Service kube-dns and a slice for each family are made, and answered", async (t) => {
  const objects = createObjects();
  const { dns, dig } = await running(t, options, objects);
  await dns.synced();
  const made = await eventually("both slices", () => {
    const all = [SLICE, "kube-system/kube-dns-ipv6-53"].map(
      (key) => objects.read(endpointSlices, key) as EndpointSlice,
    );
    return all.every((each) => each !== undefined) ? all : undefined;
  });
  const { metadata, spec } = objects.read(services, KEY) as Service;
  assert.equal(metadata.labels?.["k8s-app"], "kube-dns");
  assert.equal(spec?.selector, undefined);
  assert.deepEqual(spec?.clusterIPs, options.clusterIPs);
  assert.deepEqual(
    spec?.ports?.map(({ name, protocol, port }) => [name, protocol, port]),
    [
      ["dns", "UDP", 53],
      ["dns-tcp", "TCP", 53],
    ],
  );
  assert.deepEqual(
    made.map(({ addressType, endpoints }) => [addressType, endpoints?.[0]?.addresses, endpoints?.[0]?.nodeName]),
    [
      ["IPv4", ["10.244.0.1"], "node-1"],
      ["IPv6", ["fd00::1"], "node-1"],
    ],
  );
  assert.ok(made.every((slice) => slice.metadata.ownerReferences?.[0]?.uid === metadata.uid));
  await eventually("its name", async () =>
    (await dig("+short", "kube-dns.kube-system.svc.cluster.local")) === "10.96.0.10" ? true : undefined,
  );
  assert.equal(await dig("+short", "ns.dns.cluster.local", "AAAA"), "fd00:10:96::a");
});

void test("DNS-131: what somebody changes is put right, and what is right is not written", async (t) => {
  const objects = createObjects();
  const { dns } = await running(t, options, objects);
  await dns.synced();
  const slice = await eventually("the slice", () => objects.read(endpointSlices, SLICE) as EndpointSlice | undefined);
  const service = objects.read(services, KEY) as Service;

  objects.put(endpointSlices, { ...slice, endpoints: [] } as EndpointSlice);
  await eventually("the endpoints", () =>
    (objects.read(endpointSlices, SLICE) as EndpointSlice).endpoints?.length === 1 ? true : undefined,
  );
  const selecting: Service = { ...service, spec: { ...service.spec, selector: { a: "b" } } };
  objects.put(services, selecting);
  await eventually("the selector to go", () =>
    (objects.read(services, KEY) as Service).spec?.selector === undefined ? true : undefined,
  );
  const portless: Service = { ...service, spec: { ...service.spec, ports: [] } };
  objects.put(services, portless);
  const put = await eventually("the Service", () => {
    const held = objects.read(services, KEY) as Service;
    return held.spec?.ports?.length === 2 ? held : undefined;
  });
  assert.equal(put.spec?.selector, undefined);
  objects.remove(endpointSlices, SLICE);
  await eventually("the slice again", () => objects.read(endpointSlices, SLICE));
  objects.remove(services, KEY);
  const again = await eventually("the Service again", () => objects.read(services, KEY));
  await eventually("the slice to belong to it", () =>
    objects.read(endpointSlices, SLICE)?.metadata.ownerReferences?.[0]?.uid === again.metadata.uid ? true : undefined,
  );

  // A change that is none of ours stays; the writes up to the next repair are that repair alone.
  const before = objects.writes.length;
  const held = objects.read(services, KEY)!;
  objects.put(services, { ...held, metadata: { ...held.metadata, annotations: { note: "mine" } } });
  const emptied: EndpointSlice = { ...(objects.read(endpointSlices, SLICE) as EndpointSlice), endpoints: [] };
  objects.put(endpointSlices, emptied);
  await eventually("the endpoints again", () =>
    (objects.read(endpointSlices, SLICE) as EndpointSlice).endpoints?.length === 1 ? true : undefined,
  );
  assert.deepEqual(objects.writes.slice(before), [`update endpointslices ${SLICE}`]);
  assert.equal(objects.read(services, KEY)?.metadata.annotations?.["note"], "mine");
});

void test("DNS-131: where there are metrics, the Service and its slices have a port for them", () => {
  const service = dnsService(["10.96.0.10"], 53, 9153);
  assert.deepEqual(service.spec?.ports?.at(-1), { name: "metrics", protocol: "TCP", port: 9153, targetPort: 9153 });
  const [slice] = dnsSlices([{ address: "10.244.0.1", port: 53 }], service, "node-1", 9153);
  assert.deepEqual(slice?.ports?.at(-1), { name: "metrics", protocol: "TCP", port: 9153 });
  assert.deepEqual(dnsService(["10.96.0.10"], 53).spec?.ports?.length, 2);
});

void test("DNS-131: a Service of that name with another address is made anew", async (t) => {
  const objects = createObjects();
  objects.put(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "kube-dns", namespace: "kube-system" },
    spec: { clusterIP: "10.96.0.99", clusterIPs: ["10.96.0.99"] },
  } as Service);
  await running(t, options, objects);
  await eventually("the right address", () =>
    (objects.read(services, KEY) as Service | undefined)?.spec?.clusterIP === "10.96.0.10" ? true : undefined,
  );
});

void test("loopback and link-local addresses are never written as endpoints", () => {
  const addresses = ["127.0.0.1", "::1", "169.254.1.1", "fe80::1", "0.0.0.0", "10.0.0.1"];
  const endpoints = addresses.map((address) => ({ address, port: 53 }));
  const slices = dnsSlices(endpoints, dnsService(["10.96.0.10"], 53));
  assert.deepEqual(
    slices.flatMap((slice) => (slice.endpoints ?? []).flatMap((each) => each.addresses)),
    ["10.0.0.1"],
  );
});
