import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { EndpointSubset } from "../../api/generated/types.ts";
import { truncate } from "./truncate.ts";

const subset = (ready: number, notReady: number, port: number): EndpointSubset => {
  const some = (count: number) => Array.from({ length: count }, (_, index) => ({ ip: `192.0.2.${index}` }));
  return {
    ...(ready === 0 ? {} : { addresses: some(ready) }),
    ...(notReady === 0 ? {} : { notReadyAddresses: some(notReady) }),
    ports: [{ port }],
  };
};
const counts = (subsets: readonly EndpointSubset[]) =>
  subsets.map(({ addresses = [], notReadyAddresses = [] }) => [addresses.length, notReadyAddresses.length]);

for (const [what, given, expected] of [
  [
    "as many as may be are left alone",
    [
      [600, 0],
      [300, 100],
    ],
    [
      [600, 0],
      [300, 100],
    ],
  ],
  [
    "ready ones are kept before others, which share what is left",
    [
      [500, 300],
      [300, 100],
    ],
    [
      [500, 150],
      [300, 50],
    ],
  ],
  [
    "too many ready ones share all the room, and others have none",
    [
      [1500, 10],
      [500, 10],
    ],
    [
      [750, 0],
      [250, 0],
    ],
  ],
  [
    "shares are rounded up while there is room",
    [
      [700, 0],
      [700, 0],
      [700, 0],
    ],
    [
      [334, 0],
      [334, 0],
      [332, 0],
    ],
  ],
  [
    "a subset that is left with nothing goes",
    [
      [1000, 0],
      [0, 7],
    ],
    [[1000, 0]],
  ],
] as [string, [number, number][], number[][]][]) {
  test(`CTL-060: ${what}`, () => {
    const { subsets, cut } = truncate(
      given.map(([ready, not], index) => subset(ready, not, index + 1)),
      1000,
    );
    assert.deepEqual(counts(subsets), expected);
    assert.equal(cut, JSON.stringify(given) !== JSON.stringify(expected));
  });
}

test("CTL-060: however many there are, exactly the room is used, and no ready one goes before one that is not", () => {
  const pair = fc.tuple(fc.nat(40), fc.nat(40));
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 6 }), fc.integer({ min: 1, max: 60 }), (given, most) => {
      const sum = (pairs: readonly (readonly number[])[], at: 0 | 1) =>
        pairs.reduce((total, one) => total + one[at]!, 0);
      const left = counts(
        truncate(
          given.map(([ready, not], index) => subset(ready, not, index + 1)),
          most,
        ).subsets,
      );
      assert.equal(sum(left, 0), Math.min(most, sum(given, 0)));
      assert.equal(sum(left, 1), Math.min(most - sum(left, 0), sum(given, 1)));
    }),
  );
});
