import { ok } from "node:assert/strict";
import { test } from "node:test";
import { maglevSize, maglevSlot, maglevTable, type MaglevTarget } from "./maglev.ts";

// What the paper measures of a table (Eisenbud et al., NSDI 2016, section 5.3): how even it is, and how much moves.

const targets = (count: number): MaglevTarget[] =>
  Array.from({ length: count }, (_, at) => ({ name: `10.244.${at >> 8}.${at & 255} . 8080`, weight: 1 }));

/** The busiest over the mean. */
function peak(names: readonly string[], count: number): number {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Math.max(...counts.values()) / (names.length / count);
}

const percent = (part: number): string => `${(part * 100).toFixed(2)} %`;

for (const count of [3, 10, 25, 100, 1000]) {
  const size = maglevSize(count);
  const all = targets(count);
  const table = maglevTable(all, size);

  test(`balance: of ${count} targets in ${size} slots the busiest has hardly more than the mean`, (t) => {
    const slots = peak(table, count);
    t.diagnostic(`busiest over mean of ${count} targets: ${slots.toFixed(3)} in slots`);
    // One slot more than the mean, rounded down, is as even as whole slots can be.
    ok(slots <= (Math.floor(size / count) + 1) / (size / count) + 1e-9, `${slots}`);
  });

  test(`disruption: when one of ${count} targets goes, few clients of the others move`, (t) => {
    let gone = 0;
    let moved = 0;
    const tries = Math.min(count, 20);
    for (let without = 0; without < tries; without += 1) {
      const name = all[Math.floor((without * count) / tries)]!.name;
      const next = maglevTable(
        all.filter((one) => one.name !== name),
        size,
      );
      for (const [slot, before] of table.entries()) {
        if (before === name) gone += 1;
        else if (next[slot] !== before) moved += 1;
      }
    }
    const slots = size * tries;
    t.diagnostic(`1 of ${count} goes: ${percent(gone / slots)} had to move, ${percent(moved / slots)} moved besides`);
    // A list that is numbered anew moves all but 1/N of them.
    ok(moved / slots < 0.1, percent(moved / slots));
  });
}

test("clients are spread over slots as chance would", (t) => {
  const clients = 100_000;
  const table = maglevTable(targets(10));
  const names = Array.from(
    { length: clients },
    (_, at) => table[maglevSlot(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, table.length)]!,
  );
  const found = peak(names, 10);
  t.diagnostic(`busiest over mean of 10 targets and ${clients} clients: ${found.toFixed(3)}`);
  ok(found < 1.06, `${found}`);
});
