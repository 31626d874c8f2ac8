import assert from "node:assert/strict";
import { test } from "node:test";
import { policyOf } from "./policy.ts";

const orders = (policy: "random" | "round_robin" | "sequential", turns: number): string[] => {
  let state = 0;
  const next = policyOf(policy, 3, () => (state = (state + 0.377) % 1));
  return Array.from({ length: turns }, () => next().join(""));
};

void test("sequential: always the same order", () => assert.deepEqual(orders("sequential", 2), ["012", "012"]));
void test("round_robin: each comes first in turn", () =>
  assert.deepEqual(orders("round_robin", 4), ["012", "102", "201", "012"]));
void test("random: every upstream comes first at some time, and none is lost", () => {
  const found = orders("random", 50);
  assert.equal(new Set(found.map((order) => order[0])).size, 3);
  assert.ok(found.every((order) => order.split("").sort().join("") === "012"));
});
