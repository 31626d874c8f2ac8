import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore, type Entry } from "./store.ts";

const question = (key: number): Buffer => Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, key, 0, 0, 1, 0, 1]);
const entry = (key: number, size = 19): Entry => ({
  key,
  variant: 0,
  response: {
    bytes: Buffer.concat([question(key), Buffer.alloc(size - 19)]),
    end: 19,
    rcode: 0,
    isCut: false,
    hasOpt: false,
    ttls: [],
    answers: 0,
    authority: 0,
  },
  isFailure: false,
  stored: 0,
  expires: 1,
  hits: 0,
  lastHit: 0,
  isWanted: false,
  isRefreshing: false,
});

void test("beyond its number the oldest go, but what was asked for is spared once", () => {
  let evicted = 0;
  const store = createStore(3, 1 << 20, () => (evicted += 1));
  const has = (): number[] => [1, 2, 3, 4, 5].filter((key) => store.get(key, 0, question(key), 19) !== undefined);
  for (const key of [1, 2, 3]) store.set(entry(key));
  store.get(1, 0, question(1), 19)!.isWanted = true;
  store.set(entry(4));
  assert.deepEqual([has(), evicted], [[1, 3, 4], 1]);
  store.set(entry(5));
  assert.deepEqual([has(), evicted, store.size], [[1, 4, 5], 2, 3]);
});

void test("beyond its bytes, too; and what is huge is not taken in", () => {
  const store = createStore(1000, 100_000, () => {});
  for (let key = 0; key < 100; key += 1) store.set(entry(key, 9_000));
  assert.ok(store.bytes <= 100_000, `${store.bytes}`);
  assert.ok(store.size >= 9);
  store.set(entry(101, 60_000));
  assert.equal(store.get(101, 0, question(101), 19), undefined);
});

void test("an answer is found by its own question and variant alone, and replaced by a newer one", () => {
  const store = createStore(10, 1 << 20, () => {});
  store.set(entry(97));
  assert.ok(store.get(97, 0, question(65), 19));
  assert.equal(store.get(97, 1, question(97), 19), undefined);
  assert.equal(store.get(97, 0, question(98), 19), undefined);
  const before = store.bytes;
  store.set(entry(97));
  assert.deepEqual([store.size, store.bytes], [1, before]);
  store.delete(store.get(97, 0, question(97), 19)!);
  assert.deepEqual([store.size, store.bytes], [0, 0]);
});
