import { equal } from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { test } from "node:test";
import * as fc from "fast-check";
import { samePlan } from "./same.ts";

const data = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(undefined, null, true, 0, 1, "", "a"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

test("plans are the same when they say the same", () => {
  fc.assert(
    fc.property(data, data, (one, other) => {
      equal(samePlan(one, other), isDeepStrictEqual(one, other));
      equal(samePlan(one, structuredClone(one)), true);
    }),
    { numRuns: 2_000 },
  );
});

test("a key more is a difference on either side", () => {
  equal(samePlan({ a: 1 }, { a: 1, b: 2 }), false);
  equal(samePlan({ a: 1, b: 2 }, { a: 1 }), false);
  equal(samePlan([], {}), false);
  equal(samePlan({}, []), false);
});
