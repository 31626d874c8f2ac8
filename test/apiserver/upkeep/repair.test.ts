import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPAddress, Service } from "../../../src/api/generated/types.ts";
import { ipAddresses, services } from "../../../src/api/resources.ts";
import { nodePortKey } from "../../../src/apiserver/keys.ts";
import { until } from "../../lab/until.ts";
import { createServers, type RunningServer } from "./servers.ts";

const PATH = "/api/v1/namespaces/default/services";
const IP_PATH = "/apis/networking.k8s.io/v1/ipaddresses";
const ROUND = 3 * 60_000;
/** Where the clocks begin. */
const START = 1_700_000_000_000;

async function scene(t: Parameters<typeof createServers>[0]) {
  const servers = await createServers(t);
  return {
    ...servers,
    add: async (server: RunningServer, name: string, spec: object = {}): Promise<Service> => {
      const made = await server.ask("POST", PATH, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });
      assert.equal(made.code, 201, JSON.stringify(made.body));
      return made.body as Service;
    },
    address: (ip: string): Promise<IPAddress | undefined> => servers.read(ipAddresses, ip),
    claimOf: async (port: number): Promise<string | undefined> => {
      const { entry } = await servers.store.get(nodePortKey(port));
      return entry && (JSON.parse(entry.value) as { name: string }).name;
    },
  };
}
const managed = (ip: string, parent: object, ageMs: number): IPAddress =>
  ({
    apiVersion: "networking.k8s.io/v1",
    kind: "IPAddress",
    metadata: {
      name: ip,
      uid: `uid-${ip}`,
      creationTimestamp: new Date(START - ageMs).toISOString(),
      labels: {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
      },
    },
    spec: { parentRef: parent },
  }) as unknown as IPAddress;

void test("SVC-262, SVC-275: an IPAddress that is deleted while its Service has the address is back within milliseconds", async (t) => {
  const { start, add, address, told } = await scene(t);
  const server = await start();
  const ip = (await add(server, "web")).spec!.clusterIP!;
  const { uid } = (await address(ip))!.metadata;
  const took: number[] = [];
  for (let round = 0; round < 20; round++) {
    const since = performance.now();
    assert.equal((await server.ask("DELETE", `${IP_PATH}/${ip}`)).code, 200);
    const answered = performance.now();
    // The clock stands still: no round comes.
    await until("the IPAddress", () => address(ip), { every: 1 });
    took.push(performance.now() - Math.max(since, answered));
  }
  const back = (await address(ip))!;
  assert.notEqual(back.metadata.uid, uid);
  assert.deepEqual(back.spec, { parentRef: { resource: "services", namespace: "default", name: "web" } });
  const median = took.sort((one, other) => one - other)[10]!;
  t.diagnostic(`answer of the deletion to the IPAddress: median ${median.toFixed(1)} ms`);
  assert.ok(median < 100, `median ${median} ms`);
  await until("each is counted", async () => (await told()).join() === "Service/web ClusterIPNotAllocated ×20");
});

void test("a Service that is deleted is no reason to repair, nor are any of the changes of many", async (t) => {
  const { start, add, store, told } = await scene(t);
  const server = await start({ serviceRanges: ["10.96.0.0/24", "fd00:10:96::/112"] });
  const names = Array.from({ length: 30 }, (_, index) => `s${index}`);
  await Promise.all(names.map((name) => add(server, name, { type: "NodePort" })));
  await Promise.all(
    names.map(async (name) => {
      const { body } = await server.ask("GET", `${PATH}/${name}`);
      body.spec.ipFamilyPolicy = "PreferDualStack";
      assert.equal((await server.ask("PUT", `${PATH}/${name}`, body)).code, 200);
    }),
  );
  await Promise.all(names.slice(0, 20).map((name) => server.ask("DELETE", `${PATH}/${name}`)));
  const revision = await store.revision();
  let rounds = 0;
  await server.passing("rounds", ROUND, () => rounds++ > 5);
  assert.equal(await store.revision(), revision);
  assert.deepEqual(await told(), []);
});

void test("SVC-277: an IPAddress whose Service never came goes 60 s after it was made", async (t) => {
  const { start, put, address, told } = await scene(t);
  const server = await start();
  const parent = { resource: "services", namespace: "default", name: "never" };
  await put(ipAddresses, managed("10.96.0.50", parent, 0));
  await server.passing("the IPAddress is gone", 1000, async () => (await address("10.96.0.50")) === undefined);
  const age = server.clock.now() - START;
  // Rounds come at 30 s and at 210 s: it was neither of them.
  assert.ok(age > 60_000 && age < 200_000, `${age} ms`);
  await until("the event", async () => (await told()).join() === "IPAddress/10.96.0.50 IPAddressNotAllocated");
});

void test("SVC-261, SVC-276: IPAddresses that lie about their Service are removed; what people made is theirs", async (t) => {
  const { start, add, put, address, told } = await scene(t);
  const server = await start();
  await add(server, "web");
  const parent = { resource: "services", namespace: "default", name: "web" };
  await put(ipAddresses, managed("10.96.0.50", parent, 0));
  await put(ipAddresses, managed("10.96.0.51", { group: "x.io", resource: "routers", name: "r" }, 0));
  await server.ask("POST", IP_PATH, { metadata: { name: "10.96.0.52" }, spec: { parentRef: parent } });
  await until("both are gone", async () => !(await address("10.96.0.50")) && !(await address("10.96.0.51")));
  await until("the events", async () => (await told()).length === 2);
  assert.deepEqual(await told(), [
    "IPAddress/10.96.0.50 IPAddressWrongReference",
    "IPAddress/10.96.0.51 IPAddressNotAllocated",
  ]);
  let rounds = 0;
  await server.passing("rounds", ROUND, () => rounds++ > 3);
  assert.ok(await address("10.96.0.52"));
});

void test("SVC-275: what a round finds about Services is told of on them, and told again as a higher count", async (t) => {
  const { start, add, put, read, address, told } = await scene(t);
  const server = await start();
  const web = await add(server, "web");
  const ip = web.spec!.clusterIP!;
  const as = async (name: string, clusterIP: string): Promise<void> => {
    const stored = (await read(services, "web")) as Service;
    const spec = { ...stored.spec, clusterIP, clusterIPs: [clusterIP] };
    await put(services, { ...stored, metadata: { ...stored.metadata, name, uid: `uid-${name}` }, spec } as Service);
  };
  await as("twin", ip);
  await as("outside", "10.99.0.1");
  await as("broken", "10.96.0.999");
  const wanted = [
    "Service/broken ClusterIPNotValid",
    "Service/outside ClusterIPOutOfRange",
    "Service/twin ClusterIPAlreadyAllocated",
  ];
  await server.passing("the events", ROUND / 2, async () => (await told()).length >= 3);
  await until("all of them", async () => (await told()).length === 3);
  assert.deepEqual(
    (await told()).map((text) => text.replace(/ ×\d+/, "")),
    wanted,
  );
  await server.passing("they are counted", ROUND / 2, async () => (await told()).every((text) => / ×\d+$/.test(text)));
  assert.equal((await address(ip))?.spec.parentRef.name, "web");
});

void test("SVC-275: an IPAddress that says it is for something else becomes the Service's whose address it is", async (t) => {
  const { start, add, put, address, told } = await scene(t);
  const server = await start();
  const ip = (await add(server, "web")).spec!.clusterIP!;
  const { labels: _, ...bare } = managed(ip, {}, 0).metadata;
  const parentRef = { group: "x.io", resource: "routers", name: "r" };
  await put(ipAddresses, { ...managed(ip, parentRef, 0), metadata: bare });
  await server.passing("it is the Service's", ROUND, async () => (await address(ip))?.spec.parentRef.name === "web");
  await until("the event", async () => (await told()).join() === "Service/web ClusterIPNotAllocated");
});

void test("SVC-278: lost claims on node ports are put back; a claim without a Service goes at the third round", async (t) => {
  const { start, add, put, read, store, claimOf, told } = await scene(t);
  const server = await start();
  const port = (await add(server, "web", { type: "NodePort" })).spec!.ports![0]!.nodePort!;
  const other = (await add(server, "other", { type: "NodePort" })).spec!.ports![0]!.nodePort!;
  const stored = (await read(services, "web")) as Service;
  const at = (nodePort: number) => ({ ...stored.spec, ports: [{ ...stored.spec!.ports![0]!, nodePort }] });
  const like = (name: string, nodePort: number): Service => ({
    ...stored,
    metadata: { ...stored.metadata, name, uid: `uid-${name}`, creationTimestamp: "2030-01-01T00:00:00Z" },
    spec: { ...at(nodePort), clusterIP: "None", clusterIPs: ["None"] },
  });
  await put(services, like("twin", other));
  await put(services, like("outside", 40_000));
  const leaked = 30_050;
  await store.write(
    [],
    [
      { type: "delete", key: nodePortKey(port) },
      { type: "put", key: nodePortKey(leaked), value: JSON.stringify({ namespace: "default", name: "gone" }) },
    ],
  );
  const since = server.clock.now();
  await server.passing("the claim", ROUND / 3, async () => (await claimOf(port)) === "web");
  assert.ok(server.clock.now() - since <= 2 * ROUND);
  await until("the events", async () => (await told()).length === 3);
  const first = (await told()).map((text) => text.replace(/ ×\d+/, ""));
  assert.deepEqual(first, [
    "Service/outside PortOutOfRange",
    "Service/twin PortAlreadyAllocated",
    "Service/web PortNotAllocated",
  ]);
  assert.equal(await claimOf(leaked), "gone");
  await server.passing("the leaked port is free", ROUND / 3, async () => (await claimOf(leaked)) === undefined);
  // From the first round, which comes sooner than the others, to the third.
  const rounds = (server.clock.now() - since) / ROUND;
  assert.ok(rounds >= 2, `${rounds} rounds`);
  assert.equal(await claimOf(other), "other");
});

void test("of several servers one makes the rounds, and another when that one has gone", async (t) => {
  const { start, add, store, claimOf, told } = await scene(t);
  const one = await start({ ip: "192.0.2.1" });
  const two = await start({ ip: "192.0.2.2" });
  const port = (await add(one, "web", { type: "NodePort" })).spec!.ports![0]!.nodePort!;
  const lose = () => store.write([], [{ type: "delete", key: nodePortKey(port) }]);
  await lose();
  let steps = 0;
  // Only the second one's time goes by, and both keep their leases.
  await two.passing("rounds of the second", ROUND, () => {
    for (let time = 0; time < 20_000; time += 5000) one.clock.advance(5000);
    return steps++ > 1;
  });
  const isRepaired = async (): Promise<boolean> => (await claimOf(port)) === "web";
  await one.passing("the first one's round", 5000, isRepaired);
  await until("the event", async () => (await told()).join() === "Service/web PortNotAllocated");
  await one.close();
  await lose();
  await two.passing("the second one's round", 5000, isRepaired);
});
