import assert from "node:assert/strict";
import { test } from "node:test";
import { configMap } from "../../api/configMap/configMap.ts";
import { systemClock } from "../../observe/clock.ts";
import { silentLog } from "../../observe/log.ts";
import { memoryStore } from "../../store/memory/memory.ts";
import type { Store, WatchHandler } from "../../store/store.ts";
import { itemFor } from "../write.ts";
import { itemOf, revisionedText, storedText } from "./item.ts";
import { EventRing } from "./ring.ts";
import { WatchCache } from "./watch-cache.ts";

const object = (name: string) => ({
  metadata: { name, namespace: "default", resourceVersion: "7" },
  apiVersion: "v1",
  kind: "ConfigMap",
});
const keyFor = (name: string) => `/registry/core/configmaps/default/${name}`;
const put = (store: Store, name: string) =>
  store.write([], [{ type: "put", key: keyFor(name), value: storedText(object(name)) }]);

void test("stored text has no resourceVersion; the revision is set into it without changing anything else", () => {
  const stored = storedText(object("a"));
  assert.equal(stored, '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"default"}}');
  assert.deepEqual(JSON.parse(revisionedText(stored, 12)), {
    ...JSON.parse(stored),
    metadata: { name: "a", namespace: "default", resourceVersion: "12" },
  });
});

void test("text that somebody else stored in another order gets its revision too", () => {
  const stored = '{"kind":"ConfigMap","data":{"x":"\\"metadata\\":{"},"metadata":{"name":"a"},"apiVersion":"v1"}';
  const item = itemOf({ key: "k", value: stored, modRevision: 5 });
  assert.equal(item.object.metadata.resourceVersion, "5");
  assert.equal(item.object.metadata.name, "a");
});

void test("an item just written equals the one read back", () => {
  const written = itemFor("k", object("a"), 9);
  assert.deepEqual(written, itemOf({ key: "k", value: storedText(object("a")), modRevision: 9 }));
});

void test("the ring gives whole revisions after one it remembers, and nothing for one it forgot", () => {
  const ring = new EventRing(10, 4);
  const change = (revision: number) => ({ revision, next: undefined, previous: undefined });
  for (const revision of [11, 12, 12, 13]) ring.push(change(revision));
  assert.deepEqual(
    ring.after(12)?.map((one) => one.revision),
    [13],
  );
  assert.equal(ring.after(10)?.length, 4);
  assert.equal(ring.after(9), undefined);
  for (const revision of [14, 14, 14, 15, 16]) ring.push(change(revision));
  assert.equal(ring.since, 14);
  assert.equal(ring.after(13), undefined);
  assert.deepEqual(
    ring.after(15)?.map((one) => one.revision),
    [16],
  );
});

void test("the range of a prefix is in order of keys and starts after a key", async () => {
  const store = memoryStore();
  const cache = new WatchCache({ store, kinds: [configMap], clock: systemClock, log: silentLog });
  await put(store, "c");
  await cache.start();
  for (const name of ["b", "a", "d"]) await put(store, name);
  const names = (after?: string) =>
    [...cache.of(configMap).range("/registry/core/configmaps/default/", after)].map(
      (item) => item.object.metadata.name,
    );
  assert.deepEqual(names(), ["a", "b", "c", "d"]);
  assert.deepEqual(names(keyFor("b")), ["c", "d"]);
  assert.deepEqual(names(keyFor("bb")), ["c", "d"]);
  await store.write([], [{ type: "delete", key: keyFor("b") }]);
  assert.deepEqual(names(), ["a", "c", "d"]);
  cache.close();
  await store.close();
});

void test("when the store's watch breaks, all is read again and listeners hear that the past is lost", async () => {
  const store = memoryStore();
  let handler: WatchHandler | undefined;
  const breakable: Store = {
    ...store,
    watch: (prefix, after, given) => {
      handler ??= given;
      return store.watch(prefix, after, given);
    },
  };
  const pending: (() => void)[] = [];
  const clock = { now: () => 0, after: (_: number, callback: () => void) => (pending.push(callback), () => {}) };
  const cache = new WatchCache({ store: breakable, kinds: [configMap], clock, log: silentLog });
  await cache.start();
  const lost = new Promise<void>((resolve) => {
    cache.of(configMap).listen({ changes: () => {}, lost: resolve });
  });
  handler?.ended(new Error("connection lost"));
  await put(store, "later");
  pending.shift()?.();
  await cache.reached(await store.revision());
  await lost;
  assert.equal(cache.of(configMap).get(keyFor("later"))?.object.metadata.name, "later");
  cache.close();
  await store.close();
});

const cacheOf = (store: Store): WatchCache =>
  new WatchCache({ store, kinds: [configMap], clock: systemClock, log: silentLog });

void test("a cache that starts anew has the changes of a while before, so that watches go on from there", async () => {
  const store = memoryStore();
  const { revision } = (await put(store, "a")) as { revision: number };
  await put(store, "b");
  await put(store, "b");
  await store.write([], [{ type: "delete", key: keyFor("a") }]);
  const cache = cacheOf(store);
  await cache.start();
  assert.equal(cache.revision, await store.revision());
  const resource = cache.of(configMap);
  assert.deepEqual(
    resource.ring.after(revision)?.map(({ next, previous }) => [next?.key, previous?.key]),
    [
      [keyFor("b"), undefined],
      [keyFor("b"), keyFor("b")],
      [undefined, keyFor("a")],
    ],
  );
  assert.deepEqual(
    [...resource.range(resource.prefix)].map(({ key }) => key),
    [keyFor("b")],
  );
  cache.close();
});

void test("where the store has forgotten what was, the cache starts from what is", async () => {
  const store = memoryStore();
  for (const name of ["a", "b", "c"]) await put(store, name);
  await store.compact(await store.revision());
  const cache = cacheOf(store);
  await cache.start();
  assert.equal(cache.revision, await store.revision());
  assert.equal(cache.of(configMap).size, 3);
  cache.close();
});
