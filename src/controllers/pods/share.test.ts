import assert from "node:assert/strict";
import { test } from "node:test";
import { shareOf } from "./share.ts";

test("a number is itself, and a share is rounded as asked", () => {
  assert.equal(shareOf(3, 100, "up"), 3);
  assert.equal(shareOf(undefined, 100, "up"), 0);
  assert.equal(shareOf("30%", 8, "up"), 3);
  assert.equal(shareOf("30%", 8, "down"), 2);
  assert.equal(shareOf("some", 8, "down"), 0);
});
