import { equal } from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { test } from "node:test";
import * as fc from "fast-check";
import { sameData } from "./sameData.ts";

const data = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(undefined, null, true, 0, 1, "", "a"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

test("data are the same when they say the same", () => {
  fc.assert(
    fc.property(data, data, (one, other) => {
      equal(sameData(one, other), isDeepStrictEqual(one, other));
      equal(sameData(one, structuredClone(one)), true);
    }),
    { numRuns: 2_000 },
  );
});

test("a key more is a difference on either side", () => {
  equal(sameData({ a: 1 }, { a: 1, b: 2 }), false);
  equal(sameData({ a: 1, b: 2 }, { a: 1 }), false);
  equal(sameData([], {}), false);
  equal(sameData({}, []), false);
});

test("maps and sets are compared by what they hold", () => {
  equal(sameData(new Set(["a", "b"]), new Set(["b", "a"])), true);
  equal(sameData(new Set(["a"]), new Set(["b"])), false);
  equal(sameData(new Set(), new Map()), false);
  equal(sameData(new Map([["a", { b: 1 }]]), new Map([["a", { b: 1 }]])), true);
  equal(sameData(new Map([["a", { b: 1 }]]), new Map([["a", { b: 2 }]])), false);
  equal(sameData(new Map([["a", undefined]]), new Map([["b", undefined]])), false);
  equal(sameData(new Map(), {}), false);
});
