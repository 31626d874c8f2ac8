import assert from "node:assert/strict";
import { test } from "node:test";
import { covers, overlaid } from "./ensure.ts";

void test("what is held covers what is wanted: more may be there, lists are as long", () => {
  assert.ok(covers({ a: 1, b: { c: [1, { d: 2, e: 3 }] } }, { b: { c: [1, { d: 2 }] } }));
  assert.ok(!covers({ a: [1, 2] }, { a: [1] }));
  assert.ok(!covers({ a: 1 }, { a: 2 }));
  assert.ok(!covers(undefined, { a: 1 }));
  assert.ok(!covers({ a: { b: 1 } }, { a: { c: 1 } }));
});

void test("what is wanted is put over what is held: objects join, lists and values are replaced", () => {
  const held = { metadata: { labels: { a: "1", b: "2" } }, ports: [1, 2], spec: { x: 1 } };
  const wanted = { metadata: { labels: { b: "3" } }, ports: [{ port: 1 }], spec: { y: { z: 1 } } };
  const joined = overlaid<object>(held, wanted);
  assert.deepEqual(joined, {
    metadata: { labels: { a: "1", b: "3" } },
    ports: [{ port: 1 }],
    spec: { x: 1, y: { z: 1 } },
  });
  assert.ok(covers(joined, wanted));
  assert.deepEqual(held.metadata.labels, { a: "1", b: "2" }, "what was held is as it was");
});
