import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../observe/clock.ts";
import { createRests } from "./rests.ts";

test("a Service rests for what was spent on it, but for a little that is on credit; another's rest is its own", () => {
  let now = 1_000_000;
  const clock: Clock = { now: () => now, after: () => () => {} };
  const rests = createRests(clock, 1000);
  assert.equal(rests.left("a/b"), 0);
  rests.spend("a/b", 10);
  assert.equal(rests.left("a/b"), 0, "one small write is on credit");
  for (let more = 0; more < 10; more += 1) rests.spend("a/b", 10);
  assert.equal(rests.left("a/b"), 10);
  assert.equal(rests.left("a/other"), 0);
  now += 10;
  assert.equal(rests.left("a/b"), 0);
  now += 100;
  rests.spend("a/b", 100_000);
  assert.equal(rests.left("a/b"), 1000, "no rest is longer than a second");
  now += 1100;
  assert.equal(rests.left("a/b"), 0, "and then it is over");
  rests.spend("a/b", 100_000);
  now -= 60_000;
  assert.equal(rests.left("a/b"), 1000, "a clock set back does not stop the work");
});
