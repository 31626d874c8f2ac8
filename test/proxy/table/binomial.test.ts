import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { unusual, usualCounts } from "./binomial.ts";

test("the middle 99.9 % of the binomial", () => {
  // By the exact distribution function.
  deepEqual(usualCounts(10, 0.5), { least: 0, most: 10 });
  deepEqual(usualCounts(100, 0.5), { least: 34, most: 66 });
  deepEqual(usualCounts(600, 1 / 3), { least: 163, most: 238 });
});

test("a share outside of it is named, and one that nobody is due", () => {
  const shares = { a: 0.25, b: 0.75 };
  deepEqual(unusual(new Map(Object.entries({ a: 100, b: 300 })), shares), []);
  deepEqual(unusual(new Map(Object.entries({ a: 200, b: 200 })), shares), [
    "a: 200 of 400, where 72 … 129 are usual",
    "b: 200 of 400, where 271 … 328 are usual",
  ]);
  deepEqual(unusual(new Map(Object.entries({ a: 1, b: 3, c: 1 })), shares), ["c is not to be seen at all"]);
});
