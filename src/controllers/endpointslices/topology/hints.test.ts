import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { EndpointSlice, Pod } from "../../../api/generated/types.ts";
import { node, pod, service } from "../../../../test/controllers/examples.ts";
import { applied, decideAll, isNothing } from "../../../../test/controllers/slices.ts";
import type { SliceInput } from "../decide.ts";
import { distributionOf, isAuto } from "./mode.ts";
import type { Told } from "./told.ts";

const MODE = "service.kubernetes.io/topology-mode";
const OLD = "service.kubernetes.io/topology-aware-hints";
const annotated = (annotations: Record<string, string>, spec = {}) => service(spec, { annotations });
const AUTO = annotated({ [MODE]: "Auto" });
const HALVES = new Map([
  ["a", 0.5],
  ["b", 0.5],
]);
const ZONES = ["a", "b", "c"].map((zone) => node(`in-${zone}`, { "topology.kubernetes.io/zone": zone }));

let next = 0;
const inZone = (zone: string, count: number, ready = true): Pod[] =>
  Array.from({ length: count }, () => {
    const id = (next += 1);
    return pod(`z${id}`, {
      ready,
      ips: [`10.3.${id >> 8}.${id & 255}`, `fd00::${id.toString(16)}`],
      spec: { nodeName: `in-${zone}` },
    });
  });
const decide = (input: Partial<SliceInput>) =>
  decideAll({
    service: AUTO,
    shares: () => HALVES,
    node: (name) =>
      ZONES.find(({ metadata }) => metadata.name === name) ?? (name === "bare" ? node("bare") : undefined),
    ...input,
  });
/** How many ready endpoints of `zone` are hinted to `hint`, as `zone>hint`. */
function hintsOf(slices: readonly EndpointSlice[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { zone, hints, conditions } of slices.flatMap(({ endpoints = [] }) => endpoints)) {
    if (conditions?.ready !== true) continue;
    const word = `${zone}>${hints?.forZones?.map(({ name }) => name).join() ?? ""}`;
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}
const enabled = { type: "Normal", reason: "TopologyAwareHintsEnabled" };
const disabled = { type: "Warning", reason: "TopologyAwareHintsDisabled" };
const told = (events: readonly { type: string; reason: string }[]) =>
  events.map(({ type, reason }) => ({ type, reason }));

test("CTL-028, CTL-073, CTL-074: every ready endpoint has one zone, its own first; what is too much goes to zones that are short", () => {
  const {
    changes,
    events,
    told: now,
  } = decide({ pods: [...inZone("a", 5), ...inZone("b", 1), ...inZone("a", 2, false)] });
  assert.deepEqual(hintsOf(changes.create), { "a>a": 3, "a>b": 2, "b>b": 1 });
  assert.deepEqual(told(events), [enabled]);
  assert.deepEqual(now, { IPv4: "enabled" });
});

test("CTL-074: it is told when hints are given first, not again", () => {
  const pods = [...inZone("a", 3), ...inZone("b", 3)];
  const first = decide({ pods });
  const existing = applied([], first.changes);
  const again = decide({ pods: [...pods, ...inZone("a", 1)], existing, told: first.told });
  assert.deepEqual(again.events, []);
  assert.deepEqual(hintsOf(applied(existing, again.changes)), { "a>a": 4, "b>b": 3 });
});

for (const [what, pods, shares, problem] of [
  ["nodes do not say their zone or processors", [...inZone("a", 3), ...inZone("b", 3)], "nodes", "nodes"],
  ["there is one zone", [...inZone("a", 3), ...inZone("b", 3)], "zones", "zones"],
  ["there are fewer ready endpoints than zones", [...inZone("a", 1), ...inZone("b", 5, false)], HALVES, "endpoints"],
  [
    "a ready endpoint has no zone",
    [...inZone("a", 3), ...inZone("b", 3), pod("bare", { ready: true, spec: { nodeName: "bare" } })],
    HALVES,
    "zoneless",
  ],
  ["zones could not have their least", [...inZone("a", 2), ...inZone("b", 1)], HALVES, "overload"],
] as const) {
  test(`CTL-072: hints are taken away, with a warning, when ${what}`, () => {
    const before = [...inZone("a", 3), ...inZone("b", 3)];
    const first = decide({ pods: before });
    const existing = applied([], first.changes);
    const after = decide({ pods, existing, shares: () => shares, told: first.told });
    const held = applied(existing, after.changes);
    assert.ok(held.every(({ endpoints }) => endpoints?.every(({ hints }) => hints === undefined)));
    assert.deepEqual([told(after.events), after.told], [[disabled], { IPv4: problem }]);
    const still = decide({ pods, existing: held, shares: () => shares, told: after.told });
    assert.deepEqual([still.events, still.changes.update], [[], []], "the same reason is not told again");
  });
}

test("CTL-075: each family by itself: one may have hints while the other has not", () => {
  const dual = annotated({ [MODE]: "Auto" }, { ipFamilies: ["IPv4", "IPv6"] });
  const single = inZone("b", 3).map((one): Pod => ({
    ...one,
    status: { ...one.status, podIPs: [{ ip: one.status!.podIP! }] },
  }));
  const {
    changes,
    events,
    told: now,
  } = decide({ service: dual, pods: [...inZone("a", 1), ...inZone("a", 2), ...single] });
  const family = (type: string) => hintsOf(changes.create.filter(({ addressType }) => addressType === type));
  assert.deepEqual([family("IPv4"), family("IPv6")], [{ "a>a": 3, "b>b": 3 }, { "a>": 3 }]);
  assert.deepEqual(now, { IPv4: "enabled", IPv6: "overload" });
  assert.deepEqual(told(events), [enabled, disabled]);
});

test("CTL-076: without the annotation, or with another value, hints go, and that is told", () => {
  const pods = [...inZone("a", 3), ...inZone("b", 3)];
  const first = decide({ pods });
  const existing = applied([], first.changes);
  for (const annotations of [{}, { [MODE]: "Disabled" }]) {
    const {
      changes,
      events,
      told: now,
    } = decide({ service: annotated(annotations), pods, existing, told: first.told });
    assert.deepEqual(hintsOf(applied(existing, changes)), { "a>": 3, "b>": 3 });
    assert.deepEqual([told(events), now], [[disabled], {}]);
  }
});

for (const [annotations, expected] of [
  [{ [MODE]: "Auto" }, true],
  [{ [MODE]: "auto" }, true],
  [{ [OLD]: "Auto" }, true],
  [{ [OLD]: "Disabled", [MODE]: "Auto" }, false],
  [{ [OLD]: "auto", [MODE]: "Disabled" }, true],
  [{ [MODE]: "AUTO" }, false],
  [{ [MODE]: "example.com/mine" }, false],
  [{ [MODE]: "" }, false],
] as const) {
  test(`CTL-077: ${JSON.stringify(annotations)} is ${expected ? "on" : "off"}`, () => {
    assert.equal(isAuto(annotated(annotations)), expected);
    const { changes, events } = decide({
      service: annotated(annotations),
      pods: [...inZone("a", 3), ...inZone("b", 3)],
    });
    assert.deepEqual(hintsOf(changes.create), expected ? { "a>a": 3, "b>b": 3 } : { "a>": 3, "b>": 3 });
    assert.equal(events.length, expected ? 1 : 0);
  });
}

for (const distribution of ["PreferClose", "PreferSameZone"]) {
  test(`CTL-078, CTL-080, CTL-081: ${distribution} hints each ready endpoint to its own zone, however few there are`, () => {
    const near = service({ trafficDistribution: distribution });
    const pods = [
      ...inZone("a", 1),
      ...inZone("b", 7),
      ...inZone("a", 1, false),
      pod("bare", { ready: true, spec: { nodeName: "bare" } }),
    ];
    const { changes, events } = decide({ service: near, pods, shares: () => "zones" });
    assert.deepEqual(hintsOf(changes.create), { "a>a": 1, "b>b": 7, "undefined>": 1 });
    assert.deepEqual(events, []);
    for (const { hints } of changes.create[0]?.endpoints ?? []) assert.equal(hints?.forNodes, undefined);
  });
}

test("CTL-079: PreferSameNode hints to the node beside the zone, and to the node alone where there is no zone", () => {
  const near = service({ trafficDistribution: "PreferSameNode" });
  const { changes } = decide({
    service: near,
    pods: [...inZone("a", 1), pod("bare", { ready: true, spec: { nodeName: "bare" } })],
  });
  assert.deepEqual(
    changes.create[0]?.endpoints?.map(({ hints }) => hints),
    [{ forZones: [{ name: "a" }], forNodes: [{ name: "in-a" }] }, { forNodes: [{ name: "bare" }] }],
  );
});

test("CTL-078: the annotation goes before the distribution, and one that nobody knows is none", () => {
  const both = annotated({ [MODE]: "Auto" }, { trafficDistribution: "PreferSameNode" });
  assert.equal(distributionOf(both), undefined);
  const pods = [...inZone("a", 4), ...inZone("b", 2)];
  const { changes } = decide({ service: both, pods });
  assert.deepEqual(hintsOf(changes.create), { "a>a": 3, "a>b": 1, "b>b": 2 });
  const unknown = decide({ service: service({ trafficDistribution: "Elsewhere" }), pods });
  assert.deepEqual(hintsOf(unknown.changes.create), { "a>": 4, "b>": 2 });
});

test("CTL-082: hints follow the field and the pods, and all go when it is unset", () => {
  const pods = [...inZone("a", 2), ...inZone("b", 2)];
  let held = applied([], decide({ service: service({ trafficDistribution: "PreferSameNode" }), pods }).changes);
  const become = (distribution: string | undefined, now: readonly Pod[]) => {
    const spec = { trafficDistribution: distribution };
    held = applied(held, decide({ service: service(spec), pods: now, existing: held }).changes);
    return hintsOf(held);
  };
  assert.deepEqual(become("PreferClose", pods), { "a>a": 2, "b>b": 2 });
  assert.ok(held[0]?.endpoints?.every(({ hints }) => hints?.forNodes === undefined));
  assert.deepEqual(become("PreferClose", [...pods.slice(2), ...inZone("c", 1)]), { "b>b": 2, "c>c": 1 });
  assert.deepEqual(become(undefined, pods), { "a>": 2, "b>": 2 });
});

test("CTL-071, CTL-073: whatever comes and goes, each zone has its least, and deciding again changes nothing", () => {
  const step = fc.record({
    counts: fc.tuple(fc.nat(25), fc.nat(25), fc.nat(25)),
    keep: fc.integer({ min: 0, max: 100 }),
    shares: fc.constantFrom({ a: 0.5, b: 0.5 }, { a: 0.2, b: 0.5, c: 0.3 }, { a: 0.9, b: 0.1 }, { b: 0.5, c: 0.5 }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), (steps) => {
      let pods: Pod[] = [];
      let held: EndpointSlice[] = [];
      let before: Told = {};
      for (const { counts, keep, shares } of steps) {
        pods = [
          ...pods.filter((_, index) => (index * 37) % 100 < keep),
          ...["a", "b", "c"].flatMap((zone, index) => inZone(zone, counts[index]!)),
        ];
        const given = new Map(Object.entries(shares));
        const input = { pods, shares: () => given, most: 20 };
        const decision = decide({ ...input, existing: held, told: before });
        held = applied(held, decision.changes);
        before = decision.told;
        const hinted = held.flatMap(({ endpoints = [] }) => endpoints);
        if (before.IPv4 === "enabled") {
          for (const [zone, share] of given) {
            const here = hinted.filter(({ hints }) => hints?.forZones?.[0]?.name === zone).length;
            assert.ok(here >= Math.ceil((share * pods.length) / 1.2), `${zone} has ${here} of ${pods.length}`);
          }
          assert.ok(hinted.every(({ hints }) => given.has(hints?.forZones?.[0]?.name ?? "")));
        } else assert.ok(hinted.every(({ hints }) => hints === undefined));
        const again = decide({ ...input, existing: held, told: before });
        isNothing(again.changes);
        assert.deepEqual(again.events, []);
      }
    }),
    { numRuns: 200 },
  );
});
