import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPAddress, ServiceCIDR } from "../../api/generated/types.ts";
import { decideServiceCIDR } from "./decide.ts";

const FINALIZER = "networking.k8s.io/service-cidr-finalizer";
const NOW = Date.UTC(2026, 0, 1);
const ago = (ms: number): string => new Date(NOW - ms).toISOString();

interface Given {
  readonly deletedMsAgo?: number;
  readonly finalizers?: string[];
  readonly ready?: [status: string, reason: string, message: string];
}
const range = (
  name: string,
  cidrs: string[],
  { deletedMsAgo, finalizers = [FINALIZER], ready }: Given = {},
): ServiceCIDR => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "ServiceCIDR",
  metadata: {
    name,
    finalizers,
    ...(deletedMsAgo === undefined ? {} : { deletionTimestamp: ago(deletedMsAgo) }),
  },
  spec: { cidrs },
  status:
    ready === undefined
      ? {}
      : {
          conditions: [
            { type: "Ready", status: ready[0], reason: ready[1], message: ready[2], lastTransitionTime: ago(0) },
          ],
        },
});
const ending = (name: string, ...cidrs: string[]): ServiceCIDR => range(name, cidrs, { deletedMsAgo: 20_000 });
const address = (ip: string, isAllocated = true): IPAddress => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "IPAddress",
  metadata: {
    name: ip,
    labels: isAllocated ? { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" } : { app: "mine" },
  },
  spec: { parentRef: { resource: "services", namespace: "default", name: "web" } },
});
const decide = (object: ServiceCIDR, others: ServiceCIDR[] = [], ips: IPAddress[] = []) =>
  decideServiceCIDR(object, [object, ...others], ips, NOW);
const action = (...given: Parameters<typeof decide>): string => decide(...given).action;

void test("SVC-267, SVC-268: a new ServiceCIDR gets the finalizer and Ready=True, and is then let alone", () => {
  const fresh = decide(range("a", ["10.0.0.0/24"], { finalizers: ["x.io/y"] }));
  assert.deepEqual(fresh.action === "serve" && fresh.finalizers, ["x.io/y", FINALIZER]);
  assert.equal(fresh.action === "serve" && fresh.ready?.status, "True");
  const { message } = (fresh.action === "serve" && fresh.ready) || { message: "" };
  assert.equal(action(range("a", ["10.0.0.0/24"], { ready: ["True", "", message] })), "none");
  const unready = decide(range("a", ["10.0.0.0/24"], { ready: ["False", "Why", message] }));
  assert.deepEqual([unready.action, unready.action === "serve" && unready.finalizers], ["serve", undefined]);
});

void test("SVC-267, SVC-269: one that holds an address which no other has is blocked, and says so once", () => {
  const blocked = decide(ending("a", "10.0.0.0/24"), [], [address("10.0.0.9")]);
  assert.equal(blocked.action, "block");
  const ready = blocked.action === "block" ? blocked.ready : undefined;
  assert.deepEqual([ready?.status, ready?.reason], ["False", "Terminating"]);
  const saidSo = range("a", ["10.0.0.0/24"], {
    deletedMsAgo: 20_000,
    ready: ["False", "Terminating", ready?.message ?? ""],
  });
  const again = decide(saidSo, [], [address("10.0.0.9")]);
  assert.deepEqual(again, { action: "block", ready: undefined });
});

void test("SVC-269: addresses in none of its ranges, or in another's too, do not hold it", () => {
  const object = ending("a", "10.0.0.0/24", "fd00::/112");
  assert.equal(action(object), "release");
  assert.equal(action(object, [], [address("10.1.0.9"), address("fd01::1")]), "release");
  assert.equal(action(object, [range("b", ["10.0.0.0/28"])], [address("10.0.0.9")]), "release");
  assert.equal(action(object, [range("b", ["10.0.0.0/28"])], [address("10.0.0.99")]), "block");
  assert.equal(action(object, [], [address("fd00::9")]), "block");
});

void test("SVC-269: it may go when every one of its ranges lies in another's, whatever is allocated", () => {
  const object = ending("a", "10.0.0.0/24", "fd00::/112");
  const ips = [address("10.0.0.9"), address("fd00::9")];
  assert.equal(action(object, [range("b", ["10.0.0.0/16"])], ips), "block");
  assert.equal(action(object, [range("b", ["10.0.0.0/16"]), range("c", ["fd00::/112"])], ips), "release");
});

void test("SVC-261: an address that people reserved by hand does not hold a range", () => {
  assert.equal(action(ending("a", "10.0.0.0/24"), [], [address("10.0.0.9", false)]), "release");
});

void test("SVC-269: it goes no sooner than 10 s after its deletion, and a clock set back keeps it no longer than that", () => {
  const left = (deletedMsAgo: number) => {
    const decision = decide(range("a", ["10.0.0.0/24"], { deletedMsAgo, finalizers: ["x.io/y", FINALIZER] }));
    assert.deepEqual(decision.action === "release" && decision.finalizers, ["x.io/y"]);
    return decision.action === "release" && decision.inMs;
  };
  assert.deepEqual([left(0), left(4_000), left(9_999), left(10_000), left(-3_600_000)], [10_000, 6_000, 1, 0, 10_000]);
});

void test("of two equal ranges that are being deleted one stays with their addresses", () => {
  const ips = [address("10.0.0.9")];
  const [a, b] = [ending("a", "10.0.0.0/24"), ending("b", "10.0.0.0/24")];
  assert.deepEqual([action(a, [b], ips), action(b, [a], ips)], ["block", "release"]);
});

void test("one that has lost its finalizer is nobody's any more", () => {
  const object = range("a", ["10.0.0.0/24"], { deletedMsAgo: 0, finalizers: ["x.io/y"] });
  assert.equal(action(object, [], [address("10.0.0.9")]), "none");
});
