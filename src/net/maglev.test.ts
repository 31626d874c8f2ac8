import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { maglevSize, maglevSlot, maglevTable, type MaglevTarget } from "./maglev.ts";

const targets = (count: number, weight: (at: number) => number = () => 1): MaglevTarget[] =>
  Array.from({ length: count }, (_, at) => ({
    name: `10.244.${at >> 8}.${at & 255} . 8080`,
    weight: weight(at),
  }));
const shares = (table: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const name of table) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};

void test("every target has its share of the slots, to one slot", () => {
  for (const count of [1, 2, 3, 10, 25, 200]) {
    const counts = [...shares(maglevTable(targets(count))).values()];
    equal(counts.length, count);
    ok(Math.max(...counts) - Math.min(...counts) <= 1, `${count} targets: ${counts.join(", ")}`);
  }
});

void test("weights are shares, and the lightest has a slot", () => {
  const table = maglevTable(targets(3, (at) => [1, 2, 5][at]!));
  const counts = targets(3).map(({ name }) => shares(table).get(name)!);
  for (const [at, share] of [1, 2, 5].entries()) ok(Math.abs(counts[at]! - (251 * share) / 8) <= 2, counts.join(", "));
  const uneven = shares(maglevTable(targets(2, (at) => (at === 0 ? 1 : 100_000))));
  equal(uneven.get(targets(1)[0]!.name), 1);
});

void test("when one of ten goes, hardly any slot but its own changes hands", () => {
  const before = maglevTable(targets(10));
  const after = maglevTable(targets(10).slice(1));
  const gone = targets(1)[0]!.name;
  const moved = before.filter((name, slot) => name !== gone && after[slot] !== name).length;
  ok(!after.includes(gone));
  ok(moved / before.length < 0.08, `${moved} of ${before.length} slots moved without need`);
});

void test("the table depends on the names, not on their order or on repetition", () => {
  const ten = targets(10);
  deepEqual(maglevTable([...ten.toReversed(), ...ten], 251), maglevTable(ten));
  deepEqual(maglevTable([]), []);
});

void test("the size is a prime that grows rarely; a client's slot is in it", () => {
  deepEqual(
    [1, 25, 26, 203, 204, 5000, 60_000].map((count) => maglevSize(count)),
    [251, 251, 2039, 2039, 16_381, 65_521, 65_521],
  );
  const slots = new Set(Array.from({ length: 5000 }, (_, at) => maglevSlot(`10.1.${at >> 8}.${at & 255}`, 251)));
  equal(slots.size, 251);
});
