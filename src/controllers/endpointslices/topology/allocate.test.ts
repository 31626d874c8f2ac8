import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { allocate, moves } from "./allocate.ts";

const shares = (of: Record<string, number>): Map<string, number> => new Map(Object.entries(of));

test("CTL-072: a zone's least is its share with every endpoint 20 % beyond its own", () => {
  const allocations = allocate(shares({ a: 0.5, b: 0.5 }), 12);
  assert.deepEqual(Object.fromEntries(allocations ?? []), {
    a: { desired: 6, least: 5 },
    b: { desired: 6, least: 5 },
  });
});

for (const [what, of, endpoints] of [
  ["three for two equal zones", { a: 0.5, b: 0.5 }, 3],
  ["four for a large zone and two small ones", { a: 0.8, b: 0.1, c: 0.1 }, 4],
  ["four for three equal zones", { a: 1 / 3, b: 1 / 3, c: 1 / 3 }, 4],
] as const) {
  test(`CTL-072: there are too few endpoints: ${what}`, () => assert.equal(allocate(shares(of), endpoints), undefined));
}

const after = (held: Record<string, number>, of: Record<string, number>): Record<string, number> => {
  const total = Object.values(held).reduce((sum, count) => sum + count, 0);
  const counts = { ...held };
  for (const { from, to } of moves(allocate(shares(of), total)!, shares(held))) {
    counts[from]! -= 1;
    counts[to] = (counts[to] ?? 0) + 1;
  }
  return counts;
};

test("CTL-073: zones with more than their share give to those with less, and nothing moves without need", () => {
  assert.deepEqual(after({ a: 5, b: 1 }, { a: 0.5, b: 0.5 }), { a: 3, b: 3 });
  assert.deepEqual(after({ a: 4, b: 2 }, { a: 0.75, b: 0.25 }), { a: 4, b: 2 });
  assert.deepEqual(after({ a: 6, b: 0, c: 0 }, { a: 1 / 3, b: 1 / 3, c: 1 / 3 }), { a: 2, b: 2, c: 2 });
});

test("CTL-073: what is in a zone without a share goes to those that have one", () => {
  assert.deepEqual(after({ a: 2, b: 2, gone: 2 }, { a: 0.5, b: 0.5 }), { a: 3, b: 3, gone: 0 });
});

test("CTL-072, CTL-073: whatever zones hold, in the end each has its least", () => {
  const zones = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"), { minLength: 2 });
  fc.assert(
    fc.property(
      zones,
      fc.array(fc.nat(20), { minLength: 6, maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 5, maxLength: 5 }),
      (names, counts, weights) => {
        const total = counts.reduce((sum, count) => sum + count, 0);
        const weight = names.reduce((sum, _, index) => sum + weights[index]!, 0);
        const of = new Map(names.map((name, index) => [name, weights[index]! / weight]));
        const allocations = allocate(of, total);
        fc.pre(allocations !== undefined);
        const held = new Map([...names, "gone"].map((name, index) => [name, counts[index] ?? 0]));
        held.set("gone", total - names.reduce((sum, name) => sum + held.get(name)!, 0));
        for (const { from, to } of moves(allocations, held)) {
          held.set(from, held.get(from)! - 1);
          held.set(to, held.get(to)! + 1);
        }
        assert.ok([...held.values()].every((count) => count >= 0));
        assert.equal(held.get("gone"), 0);
        for (const [name, { least }] of allocations) assert.ok(held.get(name)! >= least, `${name} has its least`);
      },
    ),
  );
});
