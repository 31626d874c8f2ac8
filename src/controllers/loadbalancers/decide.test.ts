import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Service } from "../../api/generated/types.ts";
import { parseAddressRange } from "../../net/addressRange.ts";
import { decideAddresses, WANTED } from "./decide.ts";
import { addressesOf, conflict, createHoldings, holderOf, SHARING } from "./holdings.ts";
import type { LoadBalancerPool } from "./pool.ts";

const pool = (...ranges: string[]): LoadBalancerPool => ({ ranges: ranges.map(parseAddressRange) });

interface Given {
  readonly age?: number;
  readonly annotations?: Record<string, string>;
  readonly has?: readonly string[];
  readonly port?: number;
  readonly spec?: NonNullable<Service["spec"]>;
  readonly namespace?: string;
}

const balancer = (name: string, given: Given = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    namespace: given.namespace ?? "shop",
    name,
    uid: name,
    creationTimestamp: `2026-01-01T00:00:${String(given.age ?? 0).padStart(2, "0")}Z`,
    annotations: given.annotations ?? {},
  },
  spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ports: [{ port: given.port ?? 80 }], ...given.spec },
  status: { loadBalancer: { ingress: (given.has ?? []).map((ip) => ({ ip })) } },
});

const decide = (service: Service, from: LoadBalancerPool | undefined, ...others: Service[]) => {
  const holdings = createHoldings();
  for (const one of [service, ...others]) holdings.set(one);
  const assignment = decideAddresses(service, from, holdings);
  return "pending" in assignment ? assignment.pending.reason : assignment.addresses;
};

const SMALL = pool("10.97.0.0-10.97.0.1");
const share = { [SHARING]: "web" };

void test("the lowest address that nobody has is given, and kept while it may be", () => {
  assert.deepEqual(decide(balancer("a"), SMALL), ["10.97.0.0"]);
  assert.deepEqual(decide(balancer("a"), SMALL, balancer("b", { has: ["10.97.0.0"] })), ["10.97.0.1"]);
  assert.deepEqual(decide(balancer("a", { has: ["10.97.0.1"] }), SMALL), ["10.97.0.1"]);
  assert.deepEqual(decide(balancer("a", { has: ["10.99.0.1"] }), SMALL), ["10.97.0.0"], "out of the pool now");
});

void test("each family of the Service gets one; a Service that only prefers both does with one", () => {
  const both = (policy: string) => ({ ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: policy });
  const two = pool("10.97.0.0/24", "fd00:10:97::/112");
  assert.deepEqual(decide(balancer("a", { spec: both("RequireDualStack") }), two), ["10.97.0.0", "fd00:10:97::"]);
  assert.deepEqual(decide(balancer("a", { spec: both("PreferDualStack") }), SMALL), ["10.97.0.0"]);
  assert.equal(decide(balancer("a", { spec: both("RequireDualStack") }), SMALL), "PoolExhausted");
});

void test("Services of one namespace and one sharing word have an address together, with different ports", () => {
  const first = balancer("a", { annotations: share, has: ["10.97.0.1"] });
  assert.deepEqual(decide(balancer("b", { annotations: share, port: 81 }), SMALL, first), ["10.97.0.1"]);
  assert.deepEqual(decide(balancer("b", { annotations: share, port: 80 }), SMALL, first), ["10.97.0.0"]);
  assert.deepEqual(decide(balancer("b", { annotations: share, port: 81, namespace: "x" }), SMALL, first), [
    "10.97.0.0",
  ]);
  const local = { externalTrafficPolicy: "Local" };
  assert.deepEqual(decide(balancer("b", { annotations: share, port: 81, spec: local }), SMALL, first), ["10.97.0.0"]);
});

void test("an address asked for by name is given or refused, with the reason", () => {
  const asks = (ip: string, more: Given = {}) => balancer("a", { ...more, annotations: { [WANTED]: ip } });
  assert.deepEqual(decide(asks("10.97.0.1"), SMALL), ["10.97.0.1"]);
  assert.deepEqual(decide(balancer("a", { spec: { loadBalancerIP: "10.97.0.1" } }), SMALL), ["10.97.0.1"]);
  assert.equal(decide(asks("10.1.1.1"), SMALL), "AddressOutsidePool");
  assert.equal(decide(asks("ten"), SMALL), "InvalidAddress");
  assert.equal(decide(asks("fd00:10:97::1"), pool("fd00:10:97::/112")), "InvalidAddress");
  assert.equal(decide(asks("10.97.0.1"), SMALL, balancer("b", { has: ["10.97.0.1"] })), "AddressTaken");
  assert.equal(decide(asks("10.97.0.1"), undefined), "NoPool");
});

void test("of two that have one address and may not, the older keeps it", () => {
  const old = balancer("old", { has: ["10.97.0.0"], age: 1 });
  const young = balancer("young", { has: ["10.97.0.0"], age: 2 });
  assert.deepEqual(decide(old, SMALL, young), ["10.97.0.0"]);
  assert.deepEqual(decide(young, SMALL, old), ["10.97.0.1"]);
});

void test("whatever comes and goes, no two Services have an address that they cannot share, and none waits while one is free", () => {
  const someone = fc.record({
    name: fc.constantFrom("a", "b", "c", "d", "e"),
    port: fc.constantFrom(80, 81),
    sharing: fc.constantFrom("", "x", "y"),
    gone: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(someone, { maxLength: 30 }), (steps) => {
      const services = new Map<string, Service>();
      const holdings = createHoldings();
      steps.forEach(({ name, port, sharing, gone }, at) => {
        if (gone) {
          services.delete(name);
          holdings.delete(`shop/${name}`);
        } else {
          const was = services.get(name);
          const has = was === undefined ? [] : addressesOf(was);
          const next = balancer(name, { port, annotations: { [SHARING]: sharing }, has, age: at });
          services.set(name, next);
          holdings.set(next);
        }
        // Until nothing changes, as the controller does it.
        for (let round = 0; round < 3; round += 1) {
          for (const [key, service] of services) {
            const decided = decideAddresses(service, SMALL, holdings);
            const addresses = "pending" in decided ? [] : decided.addresses;
            const told = { ...service, status: { loadBalancer: { ingress: addresses.map((ip) => ({ ip })) } } };
            services.set(key, told);
            holdings.set(told);
          }
        }
        const all = [...services.values()];
        for (const ip of ["10.97.0.0", "10.97.0.1"]) {
          const holders = all.filter((service) => addressesOf(service).includes(ip));
          for (const one of holders) {
            for (const other of holders) {
              if (one !== other) assert.equal(conflict(holderOf(one), holderOf(other)), undefined, ip);
            }
          }
          if (holders.length === 0)
            assert.deepEqual(
              all.filter((service) => addressesOf(service).length === 0),
              [],
            );
        }
      });
    }),
    { numRuns: 300 },
  );
});
