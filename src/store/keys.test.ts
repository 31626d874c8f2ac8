import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { compareKeys, nextKey, prefixEnd } from "./keys.ts";

const edges = ["", "\0", "a", "/", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}", "\u{1f600}", "\u{10ffff}"];
const key = fc.array(fc.constantFrom(...edges), { maxLength: 4 }).map((parts) => parts.join(""));

void test("keys are ordered by their UTF-8 bytes", () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      assert.equal(Math.sign(compareKeys(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

void test("a prefix's end is above exactly the keys that start with it or come before it", () => {
  fc.assert(
    fc.property(key, key, (prefix, other) => {
      const end = prefixEnd(prefix);
      const within = compareKeys(other, prefix) >= 0 && (end === undefined || compareKeys(other, end) < 0);
      assert.equal(within, other.startsWith(prefix));
    }),
    { numRuns: 1000 },
  );
  assert.equal(prefixEnd("/registry/"), "/registry0");
  assert.equal(prefixEnd("\u{d7ff}"), "\u{e000}");
  assert.equal(prefixEnd("a\u{10ffff}"), "b");
  assert.equal(prefixEnd(""), undefined);
});

void test("nothing lies between a key and the next", () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      assert.equal(compareKeys(b, a) > 0, compareKeys(b, nextKey(a)) >= 0);
    }),
  );
});
