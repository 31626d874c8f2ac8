import assert from "node:assert/strict";
import { test } from "node:test";
import { ageOf } from "./age.ts";

test("what is seen is as old as the oldest of its caches", () => {
  assert.equal(ageOf([{ heardAt: 9000 }, { heardAt: 4000 }], 10_000), 6);
  assert.equal(ageOf([{ heardAt: 10_000 }], 10_000), 0);
});

test("before everything was listed there is no age; a clock that was set back makes none below 0", () => {
  assert.equal(ageOf([{ heardAt: 9000 }, { heardAt: undefined }], 10_000), undefined);
  assert.equal(ageOf([{ heardAt: 11_000 }], 10_000), 0);
});
