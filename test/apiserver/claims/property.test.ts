import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { IPAddress, Service, ServiceCIDR, ServiceSpec } from "../../../src/api/generated/types.ts";
import { ipAddresses, serviceCIDRs, services } from "../../../src/api/resources.ts";
import { isApiError } from "../../../src/api/status.ts";
import { storeReader, type ClaimReader, type Ranges } from "../../../src/apiserver/claims/reader.ts";
import { objectKey, prefixOf } from "../../../src/apiserver/keys.ts";
import { decideAddress, decideService } from "../../../src/apiserver/repair/addresses.ts";
import { decideNodePorts } from "../../../src/apiserver/repair/node-ports.ts";
import { cidrContains, parseCidr, type Cidr } from "../../../src/net/cidr.ts";
import { canonicalIP } from "../../../src/net/ip.ts";
import { memoryStore } from "../../../src/store/memory/memory.ts";
import type { Store } from "../../../src/store/store.ts";
import { times } from "../../lab/counts.ts";
import { claimed, NOW, putServiceCIDR, said, serviceWriter } from "./writer.ts";

const NAMES = ["a", "b", "c", "d", "e", "f"];

const spec: fc.Arbitrary<ServiceSpec> = fc
  .record({
    type: fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    policy: fc.constantFrom(undefined, "SingleStack", "PreferDualStack", "RequireDualStack"),
    families: fc.constantFrom<(string[] | undefined)[]>(undefined, undefined, ["IPv4"], ["IPv6"], ["IPv6", "IPv4"]),
    clusterIP: fc.constantFrom(undefined, undefined, undefined, "None", "10.0.0.1", "10.0.0.2", "fd00::3", "10.9.9.3"),
    ports: fc.array(fc.record({ nodePort: fc.constantFrom(0, 0, 31_000, 31_001, 5), udp: fc.boolean() }), {
      minLength: 1,
      maxLength: 3,
    }),
    local: fc.boolean(),
    healthCheck: fc.constantFrom(0, 0, 31_002),
    allocate: fc.constantFrom(undefined, true, false),
  })
  .map(({ type, policy, families, clusterIP, ports, local, healthCheck, allocate }) => ({
    type,
    ...(type === "ExternalName" ? { externalName: "x.example" } : {}),
    ...(policy === undefined || type === "ExternalName" ? {} : { ipFamilyPolicy: policy }),
    ...(families === undefined || type === "ExternalName" ? {} : { ipFamilies: families }),
    ...(clusterIP === undefined || type === "ExternalName" ? {} : { clusterIP }),
    ports: ports.map(({ nodePort, udp }, index) => ({
      name: `p${index}`,
      port: udp ? 53 : 50 + index,
      protocol: udp ? "UDP" : "TCP",
      ...(nodePort === 0 || !(type === "NodePort" || type === "LoadBalancer") ? {} : { nodePort }),
    })),
    ...(type === "LoadBalancer" && local ? { externalTrafficPolicy: "Local" } : {}),
    ...(type === "LoadBalancer" && local && healthCheck > 0 ? { healthCheckNodePort: healthCheck } : {}),
    ...(type === "LoadBalancer" && allocate !== undefined ? { allocateLoadBalancerNodePorts: allocate } : {}),
  }));

/** What is done to a ServiceCIDR beside the default one. */
const rangeStep = fc.record({
  action: fc.constantFrom("range"),
  name: fc.constantFrom("more", "twin"),
  state: fc.constantFrom("ready", "ready", "unready", "ending", "gone"),
});
const serviceStep = fc.record({
  server: fc.constantFrom(0, 1),
  name: fc.constantFrom(...NAMES),
  action: fc.constantFrom("create", "create", "replace", "patch", "remove"),
  spec,
  /** A server that dies in its write: before it is done, or when it is done and nobody has been told. */
  dies: fc.constantFrom(...Array.from({ length: 10 }, () => undefined), "before" as const, "after" as const),
});
type ServiceStep = Omit<typeof serviceStep extends fc.Arbitrary<infer T> ? T : never, "action"> & { action: string };
type RangeStep = typeof rangeStep extends fc.Arbitrary<infer T> ? T : never;
const isRangeStep = (step: ServiceStep | RangeStep): step is RangeStep => step.action === "range";

const DIED = "the server died";
const PORTS = { first: 31_000, last: 31_005 };
const RANGES: Record<string, string[]> = { more: ["10.9.9.0/29"], twin: ["10.0.0.0/29", "fd00::/125"] };

/** A server whose memory of the ranges is some steps old, and who dies when it is told to. */
function mortal(store: Store) {
  let dies: "before" | "after" | undefined;
  const over: Store = {
    ...store,
    write: async (conditions, operations) => {
      if (dies === "before") throw new Error(DIED);
      const result = await store.write(conditions, operations);
      if (dies === "after") throw new Error(DIED);
      return result;
    },
  };
  const stored = storeReader(over);
  let remembered: Ranges | undefined;
  const reader: ClaimReader = {
    ...stored,
    ranges: async (isFresh) => (isFresh ? stored.ranges(true) : (remembered ??= await stored.ranges(true))),
  };
  return {
    writer: serviceWriter(over, { reader, nodePortRange: PORTS }),
    remember: async () => {
      remembered = await stored.ranges(true);
    },
    dieIn: (when: typeof dies) => {
      dies = when;
    },
  };
}

/** Hears of every write in turn, and tells of addresses taken from a range that did not serve at that very moment. */
async function watchRanges(store: Store): Promise<{ faults: string[]; taken: () => number }> {
  const serving = new Map<string, Cidr[]>();
  const faults: string[] = [];
  let taken = 0;
  await store.watch("/registry/", 0, {
    events: (events) => {
      for (const event of events) {
        const key = event.type === "put" ? event.entry.key : event.key;
        if (key.startsWith(prefixOf(serviceCIDRs))) {
          const object = event.type === "put" ? (JSON.parse(event.entry.value) as ServiceCIDR) : undefined;
          const isServing =
            object?.metadata.deletionTimestamp === undefined && object?.status?.conditions?.[0]?.status === "True";
          if (isServing) serving.set(key, object.spec!.cidrs!.map(parseCidr));
          else serving.delete(key);
        }
        if (event.type !== "put" || !key.startsWith(prefixOf(ipAddresses))) continue;
        taken++;
        const ip = key.slice(prefixOf(ipAddresses).length);
        if (![...serving.values()].flat().some((cidr) => cidrContains(cidr, ip))) faults.push(ip);
      }
    },
    ended: () => {},
  });
  return { faults, taken: () => taken };
}

/** What a repair would find to do or to tell; that a range went away under an address is not asked here. */
async function repairs(store: Store): Promise<unknown[]> {
  const all = async <T>(resource: typeof services): Promise<T[]> =>
    (await store.list(prefixOf(resource))).entries.map(({ value }) => JSON.parse(value) as T);
  const stored = await all<Service>(services);
  const addresses = await all<IPAddress>(ipAddresses);
  const around = {
    address: (ip: string) => addresses.find(({ metadata }) => metadata.name === ip),
    service: ({ name }: { name: string }) => stored.find(({ metadata }) => metadata.name === name),
    isInRange: () => true,
  };
  const { claims } = await storeReader(store).nodePortClaims();
  return [
    ...stored.flatMap((service) => decideService(service, around)),
    ...addresses.flatMap((address) => decideAddress(address, around, Date.now()).finding ?? []),
    ...decideNodePorts({ services: stored, claims, range: PORTS, leaks: new Map() }).findings,
    ...decideNodePorts({ services: stored, claims, range: PORTS, leaks: new Map() }).leaks,
  ];
}

void test("SVC-109, SVC-113, SVC-123, SVC-157, SVC-161, SVC-270: two servers, ranges that come and go, deaths: nothing is handed out twice, nor of a range that does not serve, nothing leaks, a repair finds nothing to do", async () => {
  let written = 0;
  let died = 0;
  let taken = 0;
  const steps = fc.array(fc.oneof({ weight: 5, arbitrary: serviceStep }, { weight: 1, arbitrary: rangeStep }), {
    minLength: 4,
    maxLength: 40,
  });
  const run = fc.asyncProperty(steps, async (all) => {
    const store = memoryStore();
    const watched = await watchRanges(store);
    await putServiceCIDR(store, "kubernetes", ["10.0.0.0/29", "fd00::/125"]);
    const servers = [mortal(store), mortal(store)];
    const ofRange = async ({ name, state }: RangeStep): Promise<void> => {
      if (state === "gone") {
        await store.write([], [{ type: "delete", key: objectKey(serviceCIDRs, { name }) }]);
        return;
      }
      const ending = state === "ending" ? { deletionTimestamp: NOW } : {};
      await putServiceCIDR(store, name, RANGES[name]!, state === "unready" ? "False" : "True", ending);
    };
    const ofService = async ({ server, name, action, spec: wanted }: ServiceStep): Promise<void> => {
      const { writer } = servers[server]!;
      if (action === "create") await writer.create(name, wanted);
      else if (action === "remove") await writer.remove(name);
      else if ((await writer.read(name)) === undefined) return;
      else if (action === "replace") await writer.replace(name, wanted);
      else await writer.update(name, (was) => ({ ...was, ...wanted, ports: was.ports ?? wanted.ports! }));
      written++;
    };
    const one = async (step: ServiceStep | RangeStep): Promise<void> => {
      if (isRangeStep(step)) return ofRange(step);
      try {
        await ofService(step);
      } catch (error) {
        if (String(error).includes(DIED)) died++;
        const isExpected =
          isApiError(error, "Invalid", "InternalError", "Unknown") ||
          / exists$|Cannot read|spread|too often|the server died/.test(String(error));
        if (!isExpected) throw error;
      }
    };
    // Four at a time: their reads and writes interleave.
    for (let at = 0; at < all.length; at += 4) {
      const some = all.slice(at, at + 4);
      for (const [index, server] of servers.entries()) {
        server.dieIn(
          some.map((step) => (isRangeStep(step) || step.server !== index ? undefined : step.dies)).find(Boolean),
        );
      }
      await Promise.all(some.map(one));
      for (const server of servers) server.dieIn(undefined);
      const [held, objects] = [await claimed(store), await said(store)];
      const byKey = (a: [string | number, string], b: [string | number, string]): number =>
        String(a[0]) < String(b[0]) ? -1 : 1;
      assert.deepEqual(
        objects.ips.map(([ip, name]): [string, string] => [canonicalIP(ip), name]).sort(byKey),
        [...held.ips].sort(byKey),
      );
      assert.deepEqual(objects.ports.sort(byKey), [...held.ports].sort(byKey));
      assert.deepEqual(watched.faults, []);
      assert.deepEqual(await repairs(store), []);
      // One of them hears of the ranges, the other goes on with what it knows.
      await servers[at % 8 === 0 ? 0 : 1]!.remember();
    }
    for (const name of NAMES) await servers[0]!.writer.remove(name);
    assert.deepEqual(await claimed(store), { ips: new Map(), ports: new Map() });
    taken += watched.taken();
  });
  await fc.assert(run, { numRuns: times(500, 10_000), interruptAfterTimeLimit: times(30_000, 300_000) });
  assert.ok(
    written > 500 && died > 50 && taken > 300,
    `${written} writes, ${died} deaths, ${taken} addresses: too few`,
  );
});
