import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { times } from "../../../test/lab/counts.ts";
import { tracker } from "../../../test/proxy/plan-examples.ts";
import type { ServicePlan } from "./plan.ts";

// Any sequence of changes, planned at any moments on the way, ends where planning its end at once does.

const someOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
/** The first value mostly. */
const often = <T>(value: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, { weight: others.length, arbitrary: someOf(...others) });

const NAMES = ["a", "b", "c"];
const service = fc
  .record({
    name: someOf(...NAMES),
    created: someOf("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", undefined),
    uid: someOf("old", "new"),
    clusterIPs: often(["10.96.0.1"], ["10.96.0.2"], ["10.96.0.3", "fd00::3"], ["fd00::1"], ["None"], [], ["nonsense"]),
    type: often("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    externalIPs: often(["203.0.113.1"], ["10.96.0.1", "2001:db8::1"], [], ["999.1.1.1", "203.0.113.001"]),
    ingress: fc.subarray([{ ip: "203.0.113.1" }, { ip: "203.0.113.3", ipMode: "Proxy" }, { hostname: "x" }]),
    ports: fc.subarray(
      [
        { name: "http", port: 80, protocol: "TCP", nodePort: 30_000 },
        { name: "dns", port: 53, protocol: "UDP" },
        { name: "more", port: 8010, protocol: "TCP", nodePort: 30_001 },
        { name: "bad", port: 99_999, protocol: "TCP" },
      ],
      { minLength: 1 },
    ),
    internalTrafficPolicy: often("Cluster", "Local"),
    externalTrafficPolicy: often("Cluster", "Local"),
    annotations: fc.record(
      {
        "fairlead.dev/port-range": someOf("http=8000-8019", "more=8005-8030", "dns=8000-8100,http=8000-8004", "x"),
        "fairlead.dev/balance": someOf("maglev", "nonsense"),
        "fairlead.dev/slow-start": someOf("30s", "9s", "0s"),
        "fairlead.dev/penalty-box": someOf("off", "on"),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ name, created, uid, annotations, ingress, clusterIPs, ...spec }): Service => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      namespace: "n",
      uid,
      annotations,
      ...(created === undefined ? {} : { creationTimestamp: created }),
    },
    spec: { ...spec, clusterIPs, ...(clusterIPs[0] === undefined ? {} : { clusterIP: clusterIPs[0] }) },
    status: { loadBalancer: { ingress } },
  }));

const endpoint = fc
  .record({
    address: often("10.244.0.1", "10.244.0.2", "10.244.0.3", "fd00:244::1", "999.1.1.1"),
    nodeName: someOf("n1", "n2"),
    conditions: someOf(
      {},
      { ready: false, serving: true, terminating: true },
      { ready: false },
      { ready: true, serving: true, terminating: false },
    ),
    zone: someOf("a", "b", undefined),
    pod: someOf("p1", "p2"),
  })
  .map(({ address, zone, pod, ...rest }) => ({
    addresses: [address],
    ...rest,
    targetRef: { name: pod, uid: pod },
    ...(zone === undefined ? {} : { hints: { forZones: [{ name: zone }] } }),
  }));
const slice = fc
  .record({
    name: someOf("s1", "s2", "s3", "s4"),
    of: someOf(...NAMES),
    owner: someOf("old", "new", undefined),
    addressType: often("IPv4", "IPv6", "FQDN"),
    ports: fc.subarray([
      { name: "http", port: 8080, protocol: "TCP" },
      { name: "http", port: 8081, protocol: "TCP" },
      { name: "dns", port: 53, protocol: "UDP" },
    ]),
    endpoints: fc.array(endpoint, { maxLength: 4 }),
    said: often(undefined, '{"p1":{"weight":"10"}}', '{"p1":{"weight":"0"},"p2":{"backup":"true"}}', "nonsense"),
  })
  .map(({ name, of, owner, said, ...rest }): EndpointSlice => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name,
      namespace: "n",
      labels: { "kubernetes.io/service-name": of },
      ...(said === undefined ? {} : { annotations: { "fairlead.dev/endpoints": said } }),
      ...(owner === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: "v1", kind: "Service", name: of, uid: owner, controller: true }] }),
    },
    ...rest,
  }));

type Step =
  | { readonly service: Service }
  | { readonly slice: EndpointSlice }
  | { readonly gone: string }
  | { readonly zone: string | undefined; readonly families: readonly ("IPv4" | "IPv6")[] }
  | { readonly passes: number }
  | "replan";
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: service.map((one) => ({ service: one })) },
    { weight: 6, arbitrary: slice.map((one) => ({ slice: one })) },
    { weight: 2, arbitrary: someOf(...NAMES, "s1", "s2", "s3", "s4").map((gone) => ({ gone })) },
    {
      weight: 1,
      arbitrary: fc.record({
        zone: someOf("a", "b", undefined),
        families: someOf<("IPv4" | "IPv6")[]>(["IPv4"], ["IPv6"], ["IPv4", "IPv6"]),
      }),
    },
    { weight: 1, arbitrary: fc.nat(20_000).map((passes) => ({ passes })) },
    { weight: 3, arbitrary: fc.constant("replan" as const) },
  ),
  { minLength: 1, maxLength: 40, size: "max" },
);

const DAY = 86_400_000;

test("what is planned change by change is what planning the end at once gives, and every change of it was told", (t) => {
  let told = 0;
  let ranges = 0;
  let conflicts = 0;
  let ramps = 0;
  const run = (sequence: readonly Step[]): void => {
    let now = DAY;
    const clock = (): number => now;
    let context = {
      zone: undefined as string | undefined,
      families: ["IPv4"] as readonly ("IPv4" | "IPv6")[],
      now: clock,
    };
    const one = tracker(context);
    const services = new Map<string, Service>();
    const slices = new Map<string, EndpointSlice>();
    const mirror = new Map<string, ServicePlan>();
    const replan = (): void => {
      for (const [key, plan] of one.replan()) {
        told += 1;
        if (plan === undefined) mirror.delete(key);
        else mirror.set(key, plan);
      }
      if (one.dueAt !== undefined) ramps += 1;
    };
    for (const step of sequence) {
      if (step === "replan") replan();
      else if ("service" in step) {
        const key = `n/${step.service.metadata.name}`;
        services.set(key, step.service);
        one.setService(key, step.service);
      } else if ("slice" in step) {
        const key = `n/${step.slice.metadata.name}`;
        slices.set(key, step.slice);
        one.setSlice(key, step.slice);
      } else if ("gone" in step) {
        const key = `n/${step.gone}`;
        if (step.gone.startsWith("s")) one.setSlice(key, undefined);
        else one.setService(key, undefined);
        (step.gone.startsWith("s") ? slices : services).delete(key);
      } else if ("passes" in step) now += step.passes;
      else one.setContext({ nodeName: "n1", ...(context = { ...step, now: clock }) });
    }
    replan();
    // Slow starts are the one thing that the past decides; a day later they are over.
    for (let round = 0; one.dueAt !== undefined; round += 1) {
      ok(round <= NAMES.length * 10, "no Service has more than ten steps before it");
      now = one.dueAt;
      replan();
    }

    const fresh = tracker(context);
    for (const [key, object] of [...slices].toReversed()) fresh.setSlice(key, object);
    for (const [key, object] of [...services].toReversed()) fresh.setService(key, object);
    fresh.replan();
    const sorted = (plans: ReadonlyMap<string, ServicePlan>): unknown =>
      [...plans].toSorted(([a], [b]) => (a < b ? -1 : 1));
    deepEqual(sorted(one.plans), sorted(fresh.plans));
    deepEqual(sorted(mirror), sorted(fresh.plans));
    one.touch(services.keys());
    deepEqual([...one.replan()], [], "planning again changes nothing");
    for (const plan of mirror.values()) {
      if (plan.ports.some(({ keepsPort }) => keepsPort)) ranges += 1;
      if (plan.complaints.some((sentence) => sentence.includes(" first"))) conflicts += 1;
    }
  };
  fc.assert(fc.property(steps, run), { numRuns: times(1_000, 10_000) });
  t.diagnostic(JSON.stringify({ told, ranges, conflicts, ramps }));
  const seen = { told, ranges, conflicts, ramps };
  for (const [what, count] of Object.entries(seen)) ok(count > 50, `${what} came about ${count} times`);
});
