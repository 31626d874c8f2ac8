import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { slotShares } from "./shares.ts";

test("weights become slots, reduced by what they have in common", () => {
  deepEqual(slotShares([]), []);
  deepEqual(slotShares([7, 7, 7]), [1, 1, 1]);
  deepEqual(slotShares([10, 30]), [1, 3]);
  deepEqual(slotShares([2, 3, 5]), [2, 3, 5]);
  deepEqual(slotShares([1, 999], 100), [1, 99]);
  deepEqual(slotShares([1, 1_000_000]), [1, 1023]);
});

test("whatever the weights, every target has a slot, the list is as long as it may be, and shares are near", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 1500 });
  fc.assert(
    fc.property(weights, (all) => {
      const shares = slotShares(all);
      equal(shares.length, all.length);
      ok(shares.every((share) => Number.isInteger(share) && share >= 1));
      const slots = shares.reduce((sum, share) => sum + share, 0);
      ok(slots <= Math.max(1024, all.length), `${slots} slots`);
      const total = all.reduce((sum, weight) => sum + weight, 0);
      // What the light ones have too much the heavy ones have too little: never more than one slot for each target.
      if (all.length <= 32) {
        for (const [at, share] of shares.entries()) ok(Math.abs(share / slots - all[at]! / total) <= 33 / 1024);
      }
    }),
    { numRuns: 200 },
  );
});
