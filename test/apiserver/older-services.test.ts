import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Service } from "../../src/api/generated/types.ts";
import { services } from "../../src/api/resources.ts";
import { storedText } from "../../src/apiserver/cache/item.ts";
import { objectKey } from "../../src/apiserver/keys.ts";
import { startApiServer } from "../../src/apiserver/start.ts";
import type { Client } from "../../src/client/client.ts";
import { createClient } from "../../src/client/connect.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { memoryStore } from "../../src/store/memory/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { createAuthority, type Pair } from "./certificates.ts";

let ca: string;
let server: Pair;
let admin: Pair;
before(async () => {
  const authority = await createAuthority();
  ca = authority.cert;
  [server, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
});

/** The API server over a store, started with these ranges for as long as `use` lasts. */
async function started<T>(store: Store, serviceRanges: string[], use: (client: Client) => Promise<T>): Promise<T> {
  const api = await startApiServer({
    store,
    serviceRanges,
    nodePortRange: { first: 30000, last: 32767 },
    advertise: { ip: "10.244.0.1", port: 6443 },
    tls: { ...server, ca },
    clock: systemClock,
    log: silentLog,
  });
  const port = await api.listen({ host: "127.0.0.1", port: 0 });
  const client = createClient({ server: `https://127.0.0.1:${port}`, ca, ...admin });
  try {
    return await use(client);
  } finally {
    client.close();
    await api.close();
  }
}

const stores: Store[] = [];
const newStore = (): Store => {
  const store = memoryStore();
  stores.push(store);
  return store;
};
after(() => Promise.all(stores.map((store) => store.close())));

const FOUR = ["10.96.0.0/24"];
const BOTH = ["10.96.0.0/24", "fd00:10:96::/112"];
const HTTP = [{ port: 80 }];
const at = (name: string) => ({ namespace: "default", name });
const read = async (client: Client, name: string): Promise<Service> => client.get<Service>(services, at(name));
const create = (client: Client, name: string, spec: object): Promise<Service> =>
  client.create<Service>(services, { apiVersion: "v1", kind: "Service", metadata: at(name), spec });

/** A Service as an older server stored it. */
async function putOld(store: Store, name: string, spec: object): Promise<void> {
  const object = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...at(name), uid: name },
    spec,
    status: { loadBalancer: {} },
  };
  await store.write([], [{ type: "put", key: objectKey(services, at(name)), value: storedText(object) }]);
}

void test("SVC-039: what an older server did not store is read all the same", async () => {
  const store = newStore();
  await putOld(store, "old", { clusterIP: "10.96.0.39", ports: HTTP });
  await putOld(store, "sticky", {
    type: "LoadBalancer",
    sessionAffinity: "ClientIP",
    clusterIP: "10.96.0.40",
    ports: HTTP,
  });
  await started(store, FOUR, async (client) => {
    assert.deepEqual((await read(client, "old")).spec, {
      type: "ClusterIP",
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
      clusterIP: "10.96.0.39",
      clusterIPs: ["10.96.0.39"],
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
    });
    const { spec } = await read(client, "sticky");
    assert.deepEqual(spec?.sessionAffinityConfig, { clientIP: { timeoutSeconds: 10_800 } });
    assert.deepEqual([spec?.externalTrafficPolicy, spec?.allocateLoadBalancerNodePorts], ["Cluster", true]);
  });
});

void test("SVC-043: an alias never shows an internalTrafficPolicy, even one that is stored", async () => {
  const store = newStore();
  const alias = {
    type: "ExternalName",
    externalName: "a.example",
    sessionAffinity: "None",
    internalTrafficPolicy: "Local",
  };
  await putOld(store, "alias", alias);
  await started(store, FOUR, async (client) => {
    const { internalTrafficPolicy: _, ...kept } = alias;
    assert.deepEqual((await read(client, "alias")).spec, kept);
    const made = await create(client, "new", alias);
    assert.deepEqual(made.spec, kept);
  });
});

const old: [about: string, spec: object, ipFamilies: string[], ipFamilyPolicy: string][] = [
  ["one address", { clusterIP: "10.96.0.44" }, ["IPv4"], "SingleStack"],
  ["an address of the other family", { clusterIP: "fd00:10:96::44" }, ["IPv6"], "SingleStack"],
  [
    "two addresses",
    { clusterIP: "fd00:10:96::45", clusterIPs: ["fd00:10:96::45", "10.96.0.45"] },
    ["IPv6", "IPv4"],
    "RequireDualStack",
  ],
  ["headless with selector", { clusterIP: "None", selector: { a: "b" } }, ["IPv4"], "SingleStack"],
  ["headless without selector", { clusterIP: "None" }, ["IPv4", "IPv6"], "RequireDualStack"],
];
void test("SVC-044: a Service from before there were two families is read with families", async () => {
  const store = newStore();
  for (const [index, [, spec]] of old.entries())
    await putOld(store, `old${index}`, { type: "ClusterIP", ports: HTTP, ...spec });
  await started(store, BOTH, async (client) => {
    for (const [index, [about, given, ipFamilies, ipFamilyPolicy]] of old.entries()) {
      const { spec } = await read(client, `old${index}`);
      assert.deepEqual([spec?.ipFamilies, spec?.ipFamilyPolicy], [ipFamilies, ipFamilyPolicy], about);
      const { clusterIP, clusterIPs = [clusterIP] } = given as { clusterIP: string; clusterIPs?: string[] };
      assert.deepEqual([spec?.clusterIP, spec?.clusterIPs], [clusterIP, clusterIPs], about);
    }
  });
  const six = newStore();
  await putOld(six, "old", { type: "ClusterIP", ports: HTTP, clusterIP: "None" });
  await started(six, ["fd00:10:96::/112"], async (client) => {
    assert.deepEqual((await read(client, "old")).spec?.ipFamilies, ["IPv6", "IPv4"], "the primary family first");
  });
});

void test("a start over Services that say everything writes none of them", async () => {
  const store = newStore();
  await started(store, BOTH, async (client) => {
    await create(client, "plain", { ports: HTTP });
    await create(client, "balanced", { ports: HTTP, type: "LoadBalancer", sessionAffinity: "ClientIP" });
    await create(client, "headless", { clusterIP: "None" });
    await create(client, "alias", { type: "ExternalName", externalName: "a.example" });
  });
  const written = async (): Promise<number[]> =>
    (await store.list("/registry/core/services/")).entries.map(({ modRevision }) => modRevision);
  const before = await written();
  await started(store, BOTH, () => Promise.resolve());
  assert.deepEqual(await written(), before);
});

void test("SVC-142, SVC-144: a second range changes no Service that is there, and no update that leaves its families alone", async () => {
  const store = newStore();
  const before = await started(store, FOUR, async (client) => ({
    single: await create(client, "single", { ports: HTTP }),
    prefer: await create(client, "prefer", { ports: HTTP, ipFamilyPolicy: "PreferDualStack" }),
  }));
  assert.deepEqual(before.prefer.spec?.ipFamilies, ["IPv4"]);
  await started(store, BOTH, async (client) => {
    for (const was of [before.single, before.prefer]) {
      const name = was.metadata.name!;
      const now = await read(client, name);
      assert.deepEqual(now.spec, was.spec);
      const updated = await client.update<Service>(services, { ...now, spec: { ...now.spec, selector: { a: "b" } } });
      assert.deepEqual(updated.spec, { ...was.spec, selector: { a: "b" } });
    }
    const now = await read(client, "prefer");
    const { ipFamilies: _, ...spec } = { ...now.spec };
    const grown = await client.update<Service>(services, { ...now, spec });
    assert.deepEqual(grown.spec?.ipFamilies, ["IPv4", "IPv6"], "families that are left out are found anew");
    assert.equal(grown.spec?.clusterIP, before.prefer.spec?.clusterIP);
  });
});
