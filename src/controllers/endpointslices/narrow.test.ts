import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { EndpointSlice, Pod, Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { node, pod, service } from "../../../test/controllers/examples.ts";
import { applied, decide, isNothing, many } from "../../../test/controllers/slices.ts";
import type { SliceChanges } from "./decide.ts";
import { isWithin, narrow } from "./narrow.ts";

interface World {
  readonly service: Service;
  readonly pods: ReadonlyMap<string, Pod>;
  readonly existing: readonly EndpointSlice[];
  readonly most: number;
}

/** What the part decides alone; undefined when the whole is to be looked at. */
function decidePart({ service, pods, existing, most }: World, touched: Iterable<string>): SliceChanges | undefined {
  const found = narrow({
    service,
    touched: new Set(touched),
    existing,
    most,
    pod: (key) => pods.get(key),
    node: (name) => node(name),
  });
  if (found === undefined) return undefined;
  if (found.existing.length === 0) return { stale: [], create: [], update: [], delete: [] };
  const changes = decide({ service, ...found, most });
  return isWithin(changes) ? changes : undefined;
}
const byKey = (pods: readonly Pod[]): Map<string, Pod> => new Map(pods.map((one) => [keyOf(one), one]));
const settled = (of: Service, pods: readonly Pod[], most: number): EndpointSlice[] =>
  applied([], decide({ service: of, pods, most }));

test("one pod of 10,000 that turns ready is decided of its own slice, which alone is written", () => {
  const pods = many(10_000);
  const existing = settled(service(), pods, 100);
  const next = pods.with(5000, pod("p5000", { ready: false, ips: ["10.1.19.136"] }));
  const found = narrow({
    service: service(),
    touched: new Set(["shop/p5000"]),
    existing,
    most: 100,
    pod: (key) => byKey(next).get(key),
    node: (name) => node(name),
  });
  assert.deepEqual([found?.existing.length, found?.pods.length], [1, 100]);
  const changes = decidePart({ service: service(), pods: byKey(next), existing, most: 100 }, ["shop/p5000"]);
  assert.deepEqual([changes?.update.length, changes?.update[0]?.metadata.name], [1, existing[50]?.metadata.name]);
});

test("a pod without an address that is in no slice concerns none", () => {
  const pods = many(1000);
  const existing = settled(service(), pods, 100);
  const world = { service: service(), pods: byKey([...pods, pod("new", { ips: [] })]), existing, most: 100 };
  isNothing(decidePart(world, ["shop/new"])!);
});

test("a new pod goes to the fullest slice with room, as it would when all were looked at", () => {
  const pods = many(1050);
  const existing = settled(service(), pods, 100);
  const all = [...pods, pod("new", { ips: ["10.9.9.9"] })];
  const part = decidePart({ service: service(), pods: byKey(all), existing, most: 100 }, ["shop/new"]);
  assert.deepEqual(part, decide({ pods: all, existing }));
});

test("what is decided of a part leaves nothing to do for the whole", () => {
  const anyPod = fc
    .record({
      id: fc.nat(60),
      ready: fc.boolean(),
      port: fc.constantFrom(1, 1, 1, 2),
      six: fc.boolean(),
      there: fc.boolean(),
      selected: fc.integer({ min: 0, max: 9 }),
    })
    .map(({ id, ready, port, six, there, selected }) => {
      const one = pod(`p${id}`, {
        ready,
        ips: there ? [`10.2.0.${id}`, ...(six ? [`fd00::${(id + 1).toString(16)}`] : [])] : [],
        spec: { containers: [{ name: "c", ports: [{ name: "web", containerPort: port }] }] },
      });
      return selected === 0 ? { ...one, metadata: { ...one.metadata, labels: { app: "other" } } } : one;
    });
  const podsOf = (minLength: number, maxLength: number) =>
    fc.uniqueArray(anyPod, { selector: ({ metadata }) => metadata.name, minLength, maxLength });
  const steps = fc.array(fc.record({ changed: podsOf(0, 4), gone: fc.array(fc.nat(60), { maxLength: 2 }) }), {
    minLength: 1,
    maxLength: 8,
  });
  let parts = 0;
  fc.assert(
    fc.property(podsOf(30, 60), steps, fc.integer({ min: 2, max: 6 }), fc.boolean(), (before, steps, most, dual) => {
      const web = service({
        ipFamilies: dual ? ["IPv4", "IPv6"] : ["IPv4"],
        ports: [{ name: "x", port: 80, targetPort: "web" }],
      });
      const pods = byKey(before);
      const selected = (): Pod[] => [...pods.values()].filter(({ metadata }) => metadata.labels?.["app"] === "web");
      let existing = settled(web, selected(), most);
      for (const { changed, gone } of steps) {
        for (const one of changed) pods.set(keyOf(one), one);
        for (const id of gone) pods.delete(`shop/p${id}`);
        const touched = [...changed.map(keyOf), ...gone.map((id) => `shop/p${id}`)];
        const part = decidePart({ service: web, pods, existing, most }, touched);
        if (part !== undefined) parts += 1;
        existing = applied(existing, part ?? decide({ service: web, pods: selected(), existing, most }));
        for (const { endpoints } of existing) assert.ok((endpoints ?? []).length <= most);
        isNothing(decide({ service: web, pods: selected(), existing, most }));
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(parts > 300, `of a part was decided ${parts} times`);
});
