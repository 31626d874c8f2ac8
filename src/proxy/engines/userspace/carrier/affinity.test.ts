import assert from "node:assert/strict";
import { test } from "node:test";
import { Affinity } from "./affinity.ts";

void test("PRX-097, PRX-199: a client is remembered for so long after its last connection, and each one counts anew", () => {
  let now = 0;
  const affinity = new Affinity({ now: () => now, after: () => () => {} });
  affinity.remember("a", "one", 10);
  now = 9_999;
  assert.equal(affinity.targetOf("a"), "one");
  affinity.remember("a", "one", 10);
  now = 19_998;
  assert.equal(affinity.targetOf("a"), "one");
  now = 19_999;
  assert.equal(affinity.targetOf("a"), undefined);
});

void test("PRX-099, PRX-103: who was sent to a target that is gone, or did not answer, is forgotten", () => {
  const affinity = new Affinity({ now: () => 0, after: () => () => {} });
  affinity.remember("a", "one", 10);
  affinity.remember("b", "two", 10);
  affinity.remember("c", "two", 10);
  affinity.forget("c");
  affinity.keepOnly(new Set(["two"]));
  assert.deepEqual(
    ["a", "b", "c"].map((client) => affinity.targetOf(client)),
    [undefined, "two", undefined],
  );
});

void test("of too many clients the longest unseen is forgotten", () => {
  const affinity = new Affinity({ now: () => 0, after: () => () => {} });
  for (let at = 0; at <= 100_000; at++) affinity.remember(`client ${at}`, "one", 10);
  assert.equal(affinity.targetOf("client 0"), undefined);
  assert.equal(affinity.targetOf("client 1"), "one");
  assert.equal(affinity.targetOf("client 100000"), "one");
});
