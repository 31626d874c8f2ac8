import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { serviceCIDRs, services } from "../../../src/api/resources.ts";
import { isApiError } from "../../../src/api/status.ts";
import { objectKey } from "../../../src/apiserver/keys.ts";
import { ipAddresses } from "../../../src/api/resources.ts";
import { service as serviceKind } from "../../../src/api/service/service.ts";
import { serviceClaims } from "../../../src/apiserver/claims/service-claims.ts";
import { storeReader } from "../../../src/apiserver/claims/reader.ts";
import { memoryStore } from "../../../src/store/memory/memory.ts";
import type { Store } from "../../../src/store/store.ts";
import { claimed, NOW, putServiceCIDR, serviceWriter } from "./writer.ts";

let store: Store;
let server: ReturnType<typeof serviceWriter>;
beforeEach(async () => {
  store = memoryStore();
  server = serviceWriter(store);
  await putServiceCIDR(store, "kubernetes", ["10.0.0.0/24", "fd00::/112"]);
});
const single = async (...cidrs: string[]): Promise<void> => {
  store = memoryStore();
  server = serviceWriter(store);
  await putServiceCIDR(store, "kubernetes", cidrs.length === 0 ? ["10.0.0.0/24"] : cidrs);
};

const refused = (reason: "Invalid" | "InternalError", field: string, words: RegExp) => (error: unknown) => {
  assert.ok(isApiError(error, reason), String(error));
  assert.match(error.message, words);
  if (field !== "")
    assert.deepEqual(
      error.details?.causes?.map((cause) => cause.field),
      field.split(" "),
    );
  return true;
};
const last = (ip: string): number => Number(ip.split(".")[3]);

void test("SVC-121, SVC-127, SVC-260: an address of the dynamic band, recorded as an IPAddress in the same write", async () => {
  const service = await server.create("web", {});
  const ip = service.spec!.clusterIP!;
  assert.ok(last(ip) >= 17 && last(ip) <= 254, ip);
  assert.deepEqual(service.spec?.clusterIPs, [ip]);
  assert.deepEqual(service.spec?.ipFamilies, ["IPv4"]);
  assert.equal(service.spec?.ipFamilyPolicy, "SingleStack");
  const address = await store.get(objectKey(ipAddresses, { name: ip }));
  const stored = await store.get(objectKey(services, { namespace: "default", name: "web" }));
  assert.equal(address.entry?.createRevision, stored.entry?.createRevision);
  const object = JSON.parse(address.entry!.value) as Record<string, unknown> & { metadata: Record<string, unknown> };
  assert.deepEqual(object["spec"], {
    parentRef: { resource: "services", namespace: "default", name: "web" },
  });
  assert.deepEqual(object.metadata["labels"], {
    "ipaddress.kubernetes.io/ip-family": "IPv4",
    "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
  });
  assert.match(String(object.metadata["uid"]), /^[0-9a-f-]{36}$/);
});

void test("SVC-119, SVC-126, SVC-161: every usable address is handed out, then 500; a deleted one is free again", async () => {
  await single("10.0.0.0/28");
  const ips = new Set<string>();
  for (let count = 0; count < 14; count++) ips.add((await server.create(`s${count}`, {})).spec!.clusterIP!);
  assert.deepEqual(
    [...ips].map(last).sort((a, b) => a - b),
    Array.from({ length: 14 }, (_, index) => index + 1),
  );
  await assert.rejects(
    server.create("over", {}),
    refused("InternalError", "", /failed to allocate a serviceIP for Service "over": range is full/),
  );
  await server.remove("s3");
  await server.create("again", {});
  assert.equal((await claimed(store)).ips.size, 14);
});

void test("SVC-121: the static band serves only when the dynamic one is full", async () => {
  for (let count = 0; count < 238; count++) await server.create(`s${count}`, {});
  const before = [...(await claimed(store)).ips.keys()].map(last);
  assert.ok(
    before.every((ip) => ip >= 17),
    "no address below .17",
  );
  assert.ok(last((await server.create("over", {})).spec!.clusterIP!) <= 16);
});

void test("SVC-122, SVC-124, SVC-125: an explicit address", async () => {
  assert.equal((await server.create("low", { clusterIP: "10.0.0.5" })).spec?.clusterIP, "10.0.0.5");
  await assert.rejects(
    server.create("again", { clusterIP: "10.0.0.5" }),
    refused("Invalid", "spec.clusterIPs", /failed to allocate IP 10\.0\.0\.5: provided IP is already allocated/),
  );
  for (const ip of ["10.0.1.5", "10.0.0.0", "10.0.0.255"]) {
    await assert.rejects(
      server.create("out", { clusterIP: ip }),
      refused(
        "Invalid",
        "spec.clusterIPs",
        /failed to allocate IP .*: the provided network does not match the current range/,
      ),
      ip,
    );
  }
});

void test("SVC-123, SVC-270: any ready ServiceCIDR serves; one that is ending or not ready does not", async () => {
  await single("10.0.0.0/30");
  await putServiceCIDR(store, "more", ["10.9.0.0/30"]);
  await putServiceCIDR(store, "unready", ["10.8.0.0/30"], "False");
  await putServiceCIDR(store, "ending", ["10.7.0.0/30"], "True", { deletionTimestamp: "2026-01-01T00:00:00Z" });
  const ips: string[] = [];
  for (let count = 0; count < 4; count++) ips.push((await server.create(`s${count}`, {})).spec!.clusterIP!);
  assert.deepEqual(ips.sort(), ["10.0.0.1", "10.0.0.2", "10.9.0.1", "10.9.0.2"]);
  await assert.rejects(server.create("over", {}), refused("InternalError", "", /range is full/));
  await assert.rejects(
    server.create("out", { clusterIP: "10.8.0.1" }),
    refused("Invalid", "spec.clusterIPs", /does not match the current range/),
  );
});

void test("SVC-266: one range in two ServiceCIDRs is one pool, and serves while either does", async () => {
  await single("10.0.0.0/30");
  await putServiceCIDR(store, "twin", ["10.0.0.0/30"]);
  const ips = [(await server.create("a", {})).spec!.clusterIP!, (await server.create("b", {})).spec!.clusterIP!];
  assert.deepEqual(ips.sort(), ["10.0.0.1", "10.0.0.2"]);
  await assert.rejects(server.create("over", {}), refused("InternalError", "", /range is full/));
  await server.remove("a");
  await putServiceCIDR(store, "twin", ["10.0.0.0/30"], "True", { deletionTimestamp: NOW });
  await server.create("again", {});
  await server.remove("b");
  await putServiceCIDR(store, "kubernetes", ["10.0.0.0/30"], "True", { deletionTimestamp: NOW });
  await assert.rejects(server.create("late", {}), refused("InternalError", "", /range is full/));
});

/** A server whose memory of the ranges is old until it is told that a write failed. */
async function forgetful() {
  const reader = storeReader(store);
  const old = await reader.ranges(false);
  return serviceWriter(store, {
    reader: { ...reader, ranges: async (isFresh) => (isFresh ? reader.ranges(true) : old) },
  });
}

void test("SVC-123, SVC-270: a range that is deleted in the same instant hands nothing out, whatever a server remembers", async () => {
  for (const clusterIP of [undefined, "10.9.0.1"]) {
    await single("10.0.0.0/30");
    await putServiceCIDR(store, "more", ["10.9.0.0/30"]);
    for (const name of ["x", "y"]) await server.create(name, { clusterIP: name === "x" ? "10.0.0.1" : "10.0.0.2" });
    const behind = await forgetful();
    await putServiceCIDR(store, "more", ["10.9.0.0/30"], "True", { deletionTimestamp: NOW });
    await assert.rejects(
      behind.create("late", clusterIP === undefined ? {} : { clusterIP }),
      refused(clusterIP === undefined ? "InternalError" : "Invalid", "", /full|current range/),
    );
    assert.deepEqual([...(await claimed(store)).ips.keys()].sort(), ["10.0.0.1", "10.0.0.2"]);
    await store.write([], [{ type: "delete", key: objectKey(serviceCIDRs, { name: "more" }) }]);
    await assert.rejects((await forgetful()).create("late", {}), refused("InternalError", "", /full/));
  }
});

void test("SVC-123: a range that another server added a moment ago serves, though memory has not got it yet", async () => {
  await single("10.0.0.0/30");
  const behind = await forgetful();
  await putServiceCIDR(store, "more", ["10.9.0.0/30"]);
  assert.equal((await behind.create("a", { clusterIP: "10.9.0.1" })).spec?.clusterIP, "10.9.0.1");
});

void test("SVC-115, SVC-116: the families are those the server was started with, while the default ServiceCIDR is away", async () => {
  store = memoryStore();
  await putServiceCIDR(store, "more", ["10.9.0.0/24", "fd09::/112"]);
  server = serviceWriter(store, { reader: storeReader(store, ["IPv6"]) });
  assert.deepEqual((await server.create("a", {})).spec?.ipFamilies, ["IPv6"]);
  await assert.rejects(
    server.create("b", { ipFamilies: ["IPv4"] }),
    refused("Invalid", "spec.ipFamilies[0]", /not configured/),
  );
});

void test("SVC-129, SVC-131, SVC-132, SVC-136, SVC-137, SVC-138: families and addresses of a new Service", async () => {
  const of = async (name: string, spec: Parameters<typeof server.create>[1]) => {
    const { spec: got } = await server.create(name, spec);
    return [
      got?.ipFamilyPolicy,
      got?.ipFamilies?.join(),
      got?.clusterIPs?.map((ip) => (ip === "None" ? ip : ip.includes(":") ? 6 : 4)).join(),
    ];
  };
  assert.deepEqual(await of("a", {}), ["SingleStack", "IPv4", "4"]);
  assert.deepEqual(await of("b", { ipFamilyPolicy: "PreferDualStack" }), ["PreferDualStack", "IPv4,IPv6", "4,6"]);
  assert.deepEqual(await of("c", { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6"] }), [
    "RequireDualStack",
    "IPv6,IPv4",
    "6,4",
  ]);
  assert.deepEqual(await of("d", { clusterIP: "fd00::9" }), ["SingleStack", "IPv6", "6"]);
  assert.deepEqual(await of("e", { ipFamilyPolicy: "RequireDualStack", clusterIP: "fd00::a" }), [
    "RequireDualStack",
    "IPv6,IPv4",
    "6,4",
  ]);
  assert.deepEqual(await of("f", { clusterIP: "None", selector: {} }), ["RequireDualStack", "IPv4,IPv6", "None"]);
  assert.deepEqual(await of("g", { clusterIP: "None" }), ["SingleStack", "IPv4", "None"]);
  assert.equal(
    (await server.read("b"))?.object.spec?.clusterIP,
    (await server.read("b"))?.object.spec?.clusterIPs?.[0],
  );
});

void test("SVC-132, SVC-133, SVC-135, SVC-136: families that the cluster has not, and one family on a cluster of one", async () => {
  await single();
  await assert.rejects(
    server.create("a", { clusterIP: "fd00::1" }),
    refused("Invalid", "spec.clusterIPs[0]", /IPv6 is not configured on this cluster/),
  );
  await assert.rejects(
    server.create("a", { ipFamilies: ["IPv6"] }),
    refused("Invalid", "spec.ipFamilies[0]", /not configured on this cluster/),
  );
  await assert.rejects(
    server.create("a", { ipFamilyPolicy: "RequireDualStack" }),
    refused("Invalid", "spec.ipFamilyPolicy", /not configured for dual-stack/),
  );
  const preferred = await server.create("b", { ipFamilyPolicy: "PreferDualStack" });
  assert.deepEqual(
    [preferred.spec?.ipFamilyPolicy, preferred.spec?.ipFamilies, preferred.spec?.clusterIPs?.length],
    ["PreferDualStack", ["IPv4"], 1],
  );
  const own = await server.create("c", { clusterIP: "None", selector: {} });
  assert.deepEqual(own.spec?.ipFamilies, ["IPv4", "IPv6"]);
  await assert.rejects(
    server.create("d", { clusterIP: "None", ipFamilies: ["IPv6"] }),
    refused("Invalid", "spec.ipFamilies[0]", /not configured/),
  );
});

void test("SVC-108, SVC-134: two families without a policy are refused, and that is told alone", async () => {
  await assert.rejects(
    server.create("a", { ipFamilies: ["IPv4", "IPv6"], ports: [] }),
    refused("Invalid", "spec.ipFamilyPolicy", /must be .RequireDualStack. or .PreferDualStack./),
  );
});

void test("SVC-139, SVC-140, SVC-141: a second family comes and goes", async () => {
  const first = (await server.create("web", {})).spec!.clusterIP!;
  const both = await server.update("web", (spec) => ({ ...spec, ipFamilyPolicy: "PreferDualStack" }));
  assert.equal(both.spec?.clusterIPs?.[0], first);
  assert.deepEqual(both.spec?.ipFamilies, ["IPv4", "IPv6"]);
  assert.equal((await claimed(store)).ips.size, 2);
  await assert.rejects(
    server.update("web", (spec) => ({ ...spec, ipFamilies: ["IPv4"], clusterIPs: [first] })),
    refused("Invalid", "spec.ipFamilyPolicy spec.ipFamilyPolicy", /must be 'SingleStack' to release/),
  );
  const one = await server.update("web", (spec) => ({ ...spec, ipFamilyPolicy: "SingleStack" }));
  assert.deepEqual([one.spec?.clusterIPs, one.spec?.ipFamilies], [[first], ["IPv4"]]);
  assert.deepEqual([...(await claimed(store)).ips.keys()], [first]);
});

void test("SVC-142, SVC-144: Services stay as they are when the cluster gets a second range", async () => {
  await single();
  await server.create("prefer", { ipFamilyPolicy: "PreferDualStack" });
  await server.create("single", {});
  await putServiceCIDR(store, "kubernetes", ["10.0.0.0/24", "fd00::/112"]);
  for (const name of ["prefer", "single"]) {
    const { spec } = await server.update(name, (was) => ({ ...was, selector: { changed: "yes" } }));
    assert.deepEqual(spec?.ipFamilies, ["IPv4"], name);
  }
});

void test("SVC-142: a Service of two families stays as it is when the cluster has one of them no longer", async () => {
  const { spec: was } = await server.create("prefer", { ipFamilyPolicy: "PreferDualStack" });
  assert.deepEqual(was?.ipFamilies, ["IPv4", "IPv6"]);
  await putServiceCIDR(store, "kubernetes", ["10.0.0.0/24"]);
  const { spec } = await server.update("prefer", (old) => ({ ...old, selector: { changed: "yes" } }));
  assert.deepEqual([spec?.ipFamilies, spec?.clusterIPs], [was?.ipFamilies, was?.clusterIPs]);
});

void test("SVC-166, SVC-169: addresses are kept when left out, and given back by ExternalName", async () => {
  const ip = (await server.create("web", {})).spec!.clusterIP!;
  assert.equal((await server.replace("web", {})).spec?.clusterIP, ip);
  const external = await server.update("web", (spec) => ({ ...spec, type: "ExternalName", externalName: "x.example" }));
  assert.equal(external.spec?.clusterIP, undefined);
  assert.equal((await claimed(store)).ips.size, 0);
  assert.equal((await server.update("web", (spec) => ({ ...spec, type: "ClusterIP" }))).spec?.clusterIPs?.length, 1);
  assert.equal((await claimed(store)).ips.size, 1);
});

void test("SVC-146, SVC-152, SVC-153: node ports of a new Service", async () => {
  const automatic = await server.create("a", {
    type: "NodePort",
    ports: [
      { name: "t", port: 53, protocol: "TCP" },
      { name: "u", port: 53, protocol: "UDP" },
      { name: "h", port: 80, protocol: "TCP" },
    ],
  });
  const [t, u, h] = automatic.spec!.ports!.map((port) => port.nodePort!);
  assert.equal(t, u);
  assert.notEqual(t, h);
  for (const port of [t!, h!]) assert.ok(port >= 30_086 && port <= 32_767, String(port));
  const given = await server.create("b", {
    type: "NodePort",
    ports: [
      { name: "t", port: 53, protocol: "TCP" },
      { name: "u", port: 53, protocol: "UDP", nodePort: 30_053 },
    ],
  });
  assert.deepEqual(
    given.spec?.ports?.map((port) => port.nodePort),
    [30_053, 30_053],
  );
  assert.equal((await claimed(store)).ports.get(30_053), "b");
});

void test("SVC-147, SVC-149, SVC-150, SVC-154: node ports that cannot be had", async () => {
  await server.create("a", { type: "NodePort", ports: [{ port: 80, protocol: "TCP", nodePort: 30_080 }] });
  await assert.rejects(
    server.create("b", { type: "NodePort", ports: [{ port: 80, protocol: "UDP", nodePort: 30_080 }] }),
    refused("Invalid", "spec.ports[0].nodePort", /provided port is already allocated/),
  );
  await assert.rejects(
    server.create("b", { type: "NodePort", ports: [{ port: 80, protocol: "TCP", nodePort: 80 }] }),
    refused("Invalid", "spec.ports[0].nodePort", /provided port is not in the valid range/),
  );
  const two = [
    { name: "t", port: 53, protocol: "TCP", nodePort: 30_053 },
    { name: "u", port: 54, protocol: "UDP", nodePort: 30_053 },
  ];
  await assert.rejects(
    server.create("c", { type: "NodePort", ports: two }),
    refused("Invalid", "spec.ports[1].nodePort", /already allocated/),
  );
  await server.create("c", { type: "NodePort" });
  const updated = await server.update("c", (spec) => ({ ...spec, ports: two }));
  assert.deepEqual(
    updated.spec?.ports?.map((port) => port.nodePort),
    [30_053, 30_053],
  );
});

void test("SVC-151, SVC-157, SVC-158, SVC-161: a full port range answers 500; dropped ports are free again", async () => {
  server = serviceWriter(store, { nodePortRange: { first: 31_000, last: 31_001 } });
  const ports = [
    { name: "a", port: 1, protocol: "TCP" },
    { name: "b", port: 2, protocol: "TCP" },
  ];
  await server.create("a", { type: "NodePort", ports });
  await assert.rejects(
    server.create("b", { type: "NodePort" }),
    refused("InternalError", "", /failed to allocate a nodePort: range is full/),
  );
  assert.equal((await claimed(store)).ips.size, 1, "nothing is left of the failed one");
  await server.update("a", (spec) => ({ ...spec, ports: spec.ports!.slice(0, 1) }));
  await server.create("b", { type: "NodePort" });
  await server.update("b", (spec) => ({ ...spec, type: "ClusterIP" }));
  assert.deepEqual([...(await claimed(store)).ports.values()], ["a"]);
  await server.remove("a");
  assert.equal((await claimed(store)).ports.size, 0);
});

void test("SVC-155, SVC-167: an update keeps node ports by name and gives new ports one each", async () => {
  const before = (await server.create("a", { type: "NodePort" })).spec!.ports![0]!.nodePort;
  const after = await server.replace("a", {
    type: "NodePort",
    ports: [
      { name: "x", port: 80, protocol: "UDP" },
      { name: "a", port: 80, protocol: "TCP" },
    ],
  });
  const [x, a] = after.spec!.ports!.map((port) => port.nodePort);
  assert.equal(a, before);
  assert.ok(x !== a && x! >= 30_000);
});

void test("SVC-156: a LoadBalancer without node ports, then with, then with those it still names", async () => {
  const off = await server.create("lb", { type: "LoadBalancer", allocateLoadBalancerNodePorts: false });
  assert.equal(off.spec?.ports?.[0]?.nodePort ?? 0, 0);
  const on = await server.update("lb", (spec) => ({ ...spec, allocateLoadBalancerNodePorts: true }));
  const port = on.spec!.ports![0]!.nodePort!;
  assert.ok(port >= 30_000);
  const kept = await server.update("lb", (spec) => ({ ...spec, allocateLoadBalancerNodePorts: false }));
  assert.equal(kept.spec?.ports?.[0]?.nodePort, port);
  await server.replace("lb", { type: "LoadBalancer", allocateLoadBalancerNodePorts: false });
  assert.equal((await claimed(store)).ports.size, 0);
});

void test("SVC-148, SVC-159, SVC-160, SVC-171: the health check's node port", async () => {
  const local = { type: "LoadBalancer", externalTrafficPolicy: "Local" };
  const first = await server.create("a", { ...local, healthCheckNodePort: 30_100 });
  assert.equal(first.spec?.healthCheckNodePort, 30_100);
  await assert.rejects(
    server.create("b", { ...local, healthCheckNodePort: 30_100 }),
    refused(
      "InternalError",
      "",
      /failed to allocate requested HealthCheck NodePort 30100: provided port is already allocated/,
    ),
  );
  await assert.rejects(
    server.create("b", { ...local, healthCheckNodePort: 80 }),
    refused("InternalError", "", /valid range/),
  );
  await assert.rejects(
    server.create("b", { type: "NodePort", ports: [{ port: 1, protocol: "TCP", nodePort: 30_100 }] }),
    refused("Invalid", "spec.ports[0].nodePort", /already allocated/),
  );
  await server.update("a", (spec) => ({ ...spec, externalTrafficPolicy: "Cluster" }));
  assert.equal((await claimed(store)).ports.has(30_100), false);
  const again = await server.update("a", (spec) => ({ ...spec, externalTrafficPolicy: "Local" }));
  assert.ok(again.spec!.healthCheckNodePort! >= 30_000);
});

void test("SVC-109: a Service that validation refuses leaves its address and port free", async () => {
  const ports = [{ name: "a", port: 0, protocol: "TCP", nodePort: 30_080 }];
  await assert.rejects(
    server.create("bad", { type: "NodePort", clusterIP: "10.0.0.9", ports }),
    refused("Invalid", "", /must be between 1 and 65535/),
  );
  assert.deepEqual(await claimed(store), { ips: new Map(), ports: new Map() });
  await server.create("good", { type: "NodePort", clusterIP: "10.0.0.9", ports: [{ ...ports[0]!, port: 1 }] });
});

void test("SVC-114: a dry run reserves nothing and answers placeholders", async () => {
  await server.create("a", {
    type: "NodePort",
    clusterIP: "10.0.0.9",
    ports: [{ port: 1, protocol: "TCP", nodePort: 30_080 }],
  });
  const before = await store.revision();
  const ports = [
    { name: "a", port: 1, protocol: "TCP" },
    { name: "b", port: 2, protocol: "TCP" },
  ];
  const dry = await server.create("dry", { type: "NodePort", ports }, true);
  assert.equal(dry.spec?.clusterIP, "10.0.0.0");
  assert.deepEqual(
    dry.spec?.ports?.map((port) => port.nodePort),
    [32_769, 32_770],
  );
  assert.equal((await server.create("dry", { clusterIP: "10.0.0.9" }, true)).spec?.clusterIP, "10.0.0.9");
  await assert.rejects(
    server.create("dry", { type: "NodePort", ports: [{ port: 1, protocol: "TCP", nodePort: 30_080 }] }, true),
    refused("Invalid", "spec.ports[0].nodePort", /already allocated/),
  );
  assert.equal(
    (await server.create("dry", { type: "NodePort", ports: [{ port: 1, protocol: "TCP", nodePort: 80 }] }, true)).spec
      ?.ports?.[0]?.nodePort,
    80,
  );
  assert.equal(await store.revision(), before);
});

void test("SVC-261: an IPAddress made by hand keeps its address from being handed out, and is not given back for another", async () => {
  await single("10.0.0.0/30");
  const key = objectKey(ipAddresses, { name: "10.0.0.1" });
  const value = JSON.stringify({
    metadata: { name: "10.0.0.1" },
    spec: { parentRef: { resource: "routers", name: "r" } },
  });
  await store.write([], [{ type: "put", key, value }]);
  assert.equal((await server.create("web", {})).spec?.clusterIP, "10.0.0.2");
  // Somebody takes our address away and uses it for something else.
  const ours = objectKey(ipAddresses, { name: "10.0.0.2" });
  await store.write([], [{ type: "put", key: ours, value }]);
  await server.remove("web");
  assert.equal((await store.get(ours)).entry?.value, value);
});

void test("SVC-161: a removal that found an address lost gives way to the repair that puts it back at the same moment", async () => {
  const service = await server.create("web", {});
  const key = objectKey(ipAddresses, { name: service.spec!.clusterIP! });
  const { entry } = await store.get(key);
  await store.write([], [{ type: "delete", key }]);
  const claims = serviceClaims({ reader: storeReader(store) });
  const removal = await claims.claim({ kind: serviceKind, previous: service, next: undefined, dryRun: false });
  await store.write([], [{ type: "put", key, value: entry!.value }]);
  assert.equal((await store.write(removal.conditions, removal.operations)).ok, false);
  await server.remove("web");
  assert.equal((await store.get(key)).entry, undefined);
});

void test("finding the last free address of a /16 takes few reads", async () => {
  await single("10.0.0.0/16");
  let gets = 0;
  let lists = 0;
  const taken = new Set<string>();
  for (let number = 1; number < 65_535; number++)
    if (number !== 40_000) taken.add(`10.0.${number >> 8}.${number & 255}`);
  const { toNumber } = await import("../../../src/net/ip.ts");
  const reader = {
    ...storeReader(store),
    address: async (ip: string) => (gets++, taken.has(ip) ? { holder: undefined, modRevision: 1 } : undefined),
    takenAddresses: async () => (lists++, [...taken].map(toNumber)),
  };
  const service = await serviceWriter(store, { reader }).create("web", {});
  assert.equal(service.spec?.clusterIP, "10.0.156.64");
  assert.ok(gets <= 9 && lists === 1, `${gets} gets, ${lists} lists`);
});
