import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { countCommon, countOf, firstFree, hasIndex, indexesOf, parseIndexes, textOf, union } from "./indexes.ts";

const some = fc.uniqueArray(fc.integer({ min: 0, max: 40 }));

test("indexes are written as intervals, two neighbours as two numbers", () => {
  assert.equal(textOf(indexesOf([7, 3, 4, 5, 1, 9, 10])), "1,3-5,7,9,10");
  assert.deepEqual(parseIndexes("1,3-5,x,7-", 5), [
    { first: 1, last: 1 },
    { first: 3, last: 4 },
  ]);
  assert.deepEqual(parseIndexes(undefined, 5), []);
});

test("what is written is read again, and sets behave as sets do", () => {
  fc.assert(
    fc.property(some, some, (a, b) => {
      const [left, right] = [indexesOf(a), indexesOf(b)];
      assert.deepEqual(parseIndexes(textOf(left), 41), left);
      const both = new Set([...a, ...b]);
      assert.equal(countOf(union(left, right)), both.size);
      assert.equal(countCommon(left, right), a.filter((index) => b.includes(index)).length);
      for (let index = 0; index <= 41; index += 1) assert.equal(hasIndex(left, index), a.includes(index));
      const free = Array.from({ length: 30 }, (_, index) => index).filter((index) => !a.includes(index));
      assert.deepEqual(firstFree(left, 5, 30), free.slice(0, 5));
    }),
  );
});
