import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { StoreEvent } from "./store.ts";
import { createTail, revisionOf } from "./tail.ts";

const put = (revision: number, length: number): StoreEvent => ({
  type: "put",
  entry: { key: "/a", value: "x".repeat(length), createRevision: revision, modRevision: revision },
  previous: undefined,
});

void test("the tail has all events since a revision, or says that it has not", () => {
  const writes = fc.array(fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 4 }), { maxLength: 40 });
  fc.assert(
    fc.property(writes, fc.nat({ max: 10 }), fc.nat({ max: 100 }), (writes, most, length) => {
      const tail = createTail(1, most, length);
      const all: StoreEvent[] = [];
      for (const [at, lengths] of writes.entries()) {
        const events = lengths.map((one) => put(at + 2, one));
        all.push(...events);
        tail.push(events);
        for (let after = 1; after <= at + 2; after++) {
          const since = tail.since(after);
          if (since === undefined) continue;
          assert.deepEqual(
            since,
            all.filter((event) => revisionOf(event) > after),
          );
        }
        assert.ok(tail.since(at + 2) !== undefined, "it always knows that nothing came after the newest");
      }
    }),
  );
});

void test("the tail keeps its newest events, and not many more", () => {
  const tail = createTail(1, 10, 1000);
  for (let revision = 2; revision <= 101; revision++) tail.push([put(revision, 1)]);
  assert.equal(tail.since(91)?.length, 10);
  assert.equal(tail.since(80), undefined);
  assert.equal(tail.since(0), undefined);
  tail.push([put(102, 5000)]);
  assert.equal(tail.since(101), undefined, "a value longer than the whole tail is not kept");
  assert.deepEqual(tail.since(102), []);
});
