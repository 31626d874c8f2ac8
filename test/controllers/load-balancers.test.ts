import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event, Service } from "../../src/api/generated/types.ts";
import { events, services } from "../../src/api/resources.ts";
import { isApiError } from "../../src/api/status.ts";
import type { Client } from "../../src/client/client.ts";
import { CONDITION } from "../../src/controllers/loadbalancers/status.ts";
import { FINALIZER } from "../../src/controllers/loadbalancers/start.ts";
import { parseAddressRange } from "../../src/net/addressRange.ts";
import { createWorld, eventually } from "./world.ts";

const POOLS = [
  { ranges: [parseAddressRange("10.97.0.1-10.97.0.2")] },
  { loadBalancerClass: "example.com/inner", ranges: [parseAddressRange("10.98.0.0/24")] },
];

const at = (name: string) => ({ namespace: "default", name });
const make = (client: Client, name: string, spec: object = {}, metadata: object = {}): Promise<Service> =>
  client.create<Service>(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...at(name), ...metadata },
    spec: {
      type: "LoadBalancer",
      ipFamilies: ["IPv4"],
      allocateLoadBalancerNodePorts: false,
      ports: [{ port: 80 }],
      ...spec,
    },
  });
const ingressOf = ({ status }: Service) => status?.loadBalancer?.ingress;
const reasonOf = ({ status }: Service) => status?.conditions?.find(({ type }) => type === CONDITION)?.reason;

const told = (client: Client, name: string, holds: (service: Service) => boolean): Promise<Service> =>
  eventually(`Service ${name}`, () => client.get<Service>(services, at(name)), holds);
const gone = (client: Client, name: string): Promise<boolean> =>
  eventually(
    `Service ${name} to go`,
    () =>
      client.get(services, at(name)).then(
        () => false,
        (error: unknown) => isApiError(error, "NotFound"),
      ),
    (is) => is,
  );
const reasonsOf = (client: Client, name: string, wanted: readonly string[]): Promise<string[]> =>
  eventually(
    `events ${wanted.join(", ")} of Service ${name}`,
    async () =>
      (await client.list<Event>(events, { fieldSelector: `involvedObject.name=${name}` })).items.map(
        ({ reason = "" }) => reason,
      ),
    (reasons) => wanted.every((reason) => reasons.includes(reason)),
  );

void test("SVC-351 SVC-352 SVC-353 SVC-354: a load balancer gets its address, a finalizer until it gives it back, and events", async (t) => {
  const { client } = await createWorld(t, { loadBalancerPools: POOLS });
  await make(client, "a");
  const a = await told(client, "a", (service) => ingressOf(service) !== undefined);
  assert.deepEqual(ingressOf(a), [{ ip: "10.97.0.1", ipMode: "VIP" }]);
  assert.equal(reasonOf(a), "Assigned");
  assert.ok(a.metadata.finalizers?.includes(FINALIZER));
  await reasonsOf(client, "a", ["EnsuringLoadBalancer", "EnsuredLoadBalancer"]);

  await make(client, "theirs", { loadBalancerClass: "example.com/other" });
  await make(client, "inner", { loadBalancerClass: "example.com/inner" });
  const inner = await told(client, "inner", (service) => ingressOf(service) !== undefined);
  assert.equal(ingressOf(inner)?.[0]?.ip, "10.98.0.0");
  const theirs = await client.get<Service>(services, at("theirs"));
  assert.deepEqual(
    [theirs.metadata.finalizers, ingressOf(theirs), reasonOf(theirs)],
    [undefined, undefined, undefined],
  );

  // SVC-353: what another wrote into the status is put right.
  const strange = { ...a, status: { loadBalancer: { ingress: [{ ip: "10.1.2.3" }] } } };
  await client.updateStatus(services, strange);
  await told(client, "a", (service) => ingressOf(service)?.[0]?.ip === "10.97.0.1");

  await client.delete(services, at("a"));
  await gone(client, "a");
  await reasonsOf(client, "a", ["DeletingLoadBalancer", "DeletedLoadBalancer"]);
});

void test("SVC-352: a Service that is no load balancer any more gives its address and finalizer back", async (t) => {
  const { client } = await createWorld(t, { loadBalancerPools: POOLS });
  await make(client, "a");
  await told(client, "a", (service) => ingressOf(service) !== undefined);
  await client.patch(services, at("a"), "merge", { spec: { type: "ClusterIP" } });
  const a = await told(client, "a", ({ metadata }) => metadata.finalizers === undefined);
  assert.deepEqual([ingressOf(a), a.status?.conditions ?? []], [undefined, []]);
});

void test("SVC-357: a class cannot be given to a Service without one, so none changes hands", async (t) => {
  const { client } = await createWorld(t, { loadBalancerPools: POOLS });
  await make(client, "a");
  await told(client, "a", (service) => ingressOf(service) !== undefined);
  await assert.rejects(
    client.patch(services, at("a"), "merge", { spec: { loadBalancerClass: "example.com/inner" } }),
    (error) => isApiError(error, "Invalid"),
  );
});

void test("why an address is pending is said by a condition and an event, and it comes as soon as one is free", async (t) => {
  const { client } = await createWorld(t, { loadBalancerPools: POOLS });
  for (const name of ["a", "b"]) {
    await make(client, name);
    await told(client, name, (service) => ingressOf(service) !== undefined);
  }
  await make(client, "c");
  const c = await told(client, "c", (service) => reasonOf(service) === "PoolExhausted");
  assert.equal(ingressOf(c), undefined);
  assert.match(
    c.status?.conditions?.[0]?.message ?? "",
    /no IPv4 address is free in 10\.97\.0\.1-10\.97\.0\.2; delete/,
  );
  await reasonsOf(client, "c", ["SyncLoadBalancerFailed"]);
  await client.delete(services, at("a"));
  const now = await told(client, "c", (service) => ingressOf(service) !== undefined);
  assert.equal(ingressOf(now)?.[0]?.ip, "10.97.0.1");
});

void test("two Services that claim one address: the second is told who has it; with a sharing word and other ports it gets it too", async (t) => {
  const { client } = await createWorld(t, { loadBalancerPools: POOLS });
  const wants = { "fairlead.dev/load-balancer-ips": "10.97.0.2" };
  const shares = { ...wants, "fairlead.dev/load-balancer-sharing": "web" };
  await make(client, "a", {}, { annotations: wants });
  await told(client, "a", (service) => ingressOf(service) !== undefined);
  await make(client, "b", { ports: [{ port: 81 }] }, { annotations: wants });
  const b = await told(client, "b", (service) => reasonOf(service) === "AddressTaken");
  assert.match(b.status?.conditions?.[0]?.message ?? "", /10\.97\.0\.2 is taken: Service default\/a has it/);
  for (const name of ["a", "b"]) {
    await client.patch(services, at(name), "merge", { metadata: { annotations: shares } });
  }
  const shared = await told(client, "b", (service) => ingressOf(service) !== undefined);
  assert.equal(ingressOf(shared)?.[0]?.ip, "10.97.0.2");
  // A port that is the other's makes the younger lose it, and not the older.
  await client.patch(services, at("b"), "merge", { spec: { ports: [{ port: 80 }] } });
  await told(client, "b", (service) => reasonOf(service) === "AddressTaken");
  assert.equal(ingressOf(await client.get<Service>(services, at("a")))?.[0]?.ip, "10.97.0.2");
});

void test("without a pool for it a load balancer is told what would give it an address", async (t) => {
  const { client } = await createWorld(t, { loadBalancerPools: [POOLS[1]!] });
  await make(client, "a");
  const a = await told(client, "a", (service) => reasonOf(service) === "NoPool");
  assert.match(a.status?.conditions?.[0]?.message ?? "", /--load-balancer-range/);
});

void test("addresses are the same after the controllers start again, and none is given twice meanwhile", async (t) => {
  const { client, restartControllers } = await createWorld(t, { loadBalancerPools: POOLS });
  await make(client, "b");
  await told(client, "b", (service) => ingressOf(service) !== undefined);
  await make(client, "a");
  const before = await told(client, "a", (service) => ingressOf(service) !== undefined);
  await restartControllers();
  await make(client, "c");
  await told(client, "c", (service) => reasonOf(service) === "PoolExhausted");
  const after = await client.get<Service>(services, at("a"));
  assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
});
