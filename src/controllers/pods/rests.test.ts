import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../observe/clock.ts";
import { createRests } from "./rests.ts";

test("endpoints rest after a write for as long as they are many, and never before the first", () => {
  let now = 1_000_000;
  const clock: Clock = { now: () => now, after: () => () => {} };
  const rests = createRests(clock);
  assert.equal(rests.left("a/b"), 0);
  rests.begin("a/b", 3);
  assert.equal(rests.left("a/b"), 3);
  assert.equal(rests.left("a/other"), 0);
  now += 3;
  assert.equal(rests.left("a/b"), 0);
  rests.begin("a/b", 5000);
  assert.equal(rests.left("a/b"), 200);
  now -= 60_000;
  assert.equal(rests.left("a/b"), 200, "a clock set back does not stop the writes");
});
