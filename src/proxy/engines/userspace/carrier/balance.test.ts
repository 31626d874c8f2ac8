import assert from "node:assert/strict";
import { test } from "node:test";
import type { Balance } from "../../../plan/plan.ts";
import { chooser, nameOf } from "./balance.ts";
import type { CarriedTarget } from "./carried.ts";

const target = (number: number, weight = 1): CarriedTarget => ({ ip: `10.0.0.${number}`, port: 80, weight });
const four = [target(1), target(2), target(3), target(4)];
const nobody = new Set<CarriedTarget>();

/** A fixed sequence of numbers that looks random (a linear congruential generator of Numerical Recipes). */
function sequence(seed = 1): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

function counts(balance: Balance, targets: readonly CarriedTarget[], times: number): Map<string, number> {
  const active = new Map<string, number>();
  const choose = chooser(balance, targets, {
    random: sequence(),
    active: (one) => active.get(nameOf(one)) ?? 0,
  });
  for (let at = 0; at < times; at++) {
    const name = nameOf(choose(`10.1.${at >> 8}.${at & 255}`, nobody)!);
    active.set(name, (active.get(name) ?? 0) + 1);
  }
  return active;
}

const ALL: readonly Balance[] = ["random", "round-robin", "least-connections", "maglev", "source-hash"];

void test("every way to choose: gives none of those that were tried, until there is none", () => {
  for (const balance of ALL) {
    const choose = chooser(balance, four, { random: sequence(), active: () => 0 });
    const tried = new Set<CarriedTarget>();
    for (let left = 4; left > 0; left--) {
      const one = choose("10.1.0.1", tried)!;
      assert.ok(!tried.has(one), balance);
      tried.add(one);
    }
    assert.equal(choose("10.1.0.1", tried), undefined, balance);
    assert.equal(chooser(balance, [], { random: sequence(), active: () => 0 })("10.1.0.1", nobody), undefined, balance);
  }
});

void test("every way to choose: weights are shares", () => {
  const targets = [target(1, 1), target(2, 3), target(3, 6)];
  for (const balance of ALL) {
    const shares = counts(balance, targets, 10_000);
    for (const one of targets) {
      const share = (shares.get(nameOf(one)) ?? 0) / 1000;
      assert.ok(
        Math.abs(share - one.weight) < 0.6,
        `${balance}: ${nameOf(one)} has ${share} of 10 parts, not ${one.weight}`,
      );
    }
  }
});

void test("PRX-137: round-robin is in turn, from a place that is not everybody's", () => {
  const choose = chooser("round-robin", four, { random: sequence(), active: () => 0 });
  const first = Array.from({ length: 4 }, () => choose("", nobody));
  assert.deepEqual(new Set(first), new Set(four));
  for (let at = 0; at < 8; at++) assert.equal(choose("", nobody), first[at % 4]);
  const beginnings = new Set(
    Array.from({ length: 30 }, (_, seed) =>
      chooser("round-robin", four, { random: sequence(seed), active: () => 0 })("", nobody),
    ),
  );
  assert.ok(beginnings.size > 2);
});

void test("maglev and source-hash: a client stays, and with maglev few others move when a target goes", () => {
  const many = Array.from({ length: 20 }, (_, at) => target(at + 1));
  for (const balance of ["maglev", "source-hash"] as const) {
    const before = chooser(balance, many, { random: sequence(), active: () => 0 });
    const after = chooser(balance, many.slice(1), { random: sequence(), active: () => 0 });
    let moved = 0;
    for (let at = 0; at < 1000; at++) {
      const client = `10.9.${at >> 8}.${at & 255}`;
      const was = before(client, nobody)!;
      assert.equal(before(client, nobody), was);
      if (was !== many[0] && after(client, nobody) !== was) moved++;
    }
    if (balance === "maglev") assert.ok(moved < 120, `${moved} of 1000 moved without need`);
  }
});
