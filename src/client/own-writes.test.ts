import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../api/object.ts";
import { keyOf } from "../api/object.ts";
import type { Cache, CacheChange } from "./cached.ts";
import { createOwnWrites } from "./own-writes.ts";

const object = (name: string, version: number, uid = `uid-${name}`): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { namespace: "x", name, uid, resourceVersion: String(version), labels: { group: "g" } },
});

function trial() {
  const held = new Map<string, KubeObject>();
  const listeners: ((change: CacheChange<KubeObject>) => void)[] = [];
  let version = "0";
  const cache = {
    get: (key: string) => held.get(key),
    by: () => [...held.values()],
    get resourceVersion() {
      return version;
    },
    onChange: (listener: (change: CacheChange<KubeObject>) => void) => {
      listeners.push(listener);
      return () => {};
    },
  } as unknown as Cache<KubeObject>;
  const writes = createOwnWrites(cache, "group", ({ metadata }) => metadata.labels?.["group"] ?? "");
  const foreign: string[] = [];
  writes.onForeignChange(({ type }) => foreign.push(type));
  const tell = (change: CacheChange<KubeObject>): void => {
    for (const listener of listeners) listener(change);
  };
  const see = (next: KubeObject): void => {
    const previous = held.get(keyOf(next));
    held.set(keyOf(next), next);
    version = next.metadata.resourceVersion ?? "";
    tell(previous === undefined ? { type: "added", object: next } : { type: "changed", object: next, previous });
  };
  const lose = (previous: KubeObject, at: number): void => {
    held.delete(keyOf(previous));
    version = String(at);
    tell({ type: "removed", previous });
  };
  const shown = (): string[] =>
    writes
      .by("g")
      .map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)
      .sort();
  return { writes, see, lose, shown, foreign, moveTo: (at: number) => (version = String(at)) };
}

test("CTL-051: what was created counts before the cache shows it, and its echo is no foreign change", () => {
  const { writes, see, shown, foreign } = trial();
  see(object("old", 1));
  writes.wrote(object("new", 9));
  assert.deepEqual(shown(), ["new@9", "old@1"]);
  assert.equal(writes.get("x/new")?.metadata.resourceVersion, "9");
  see(object("new", 9));
  assert.deepEqual(shown(), ["new@9", "old@1"]);
  assert.deepEqual(foreign, ["added"], "only the old one was made by others");
});

test("an update lies over what the cache still shows, until the cache is newer", () => {
  const { writes, see, shown, foreign } = trial();
  see(object("a", 1));
  writes.wrote(object("a", 9));
  see(object("a", 5));
  assert.deepEqual(shown(), ["a@9"]);
  see(object("a", 9));
  see(object("a", 12));
  assert.deepEqual(shown(), ["a@12"]);
  assert.deepEqual(foreign, ["added", "changed"]);
});

test("what was deleted is not shown while the cache still has it; a namesake is", () => {
  const { writes, see, lose, shown, foreign } = trial();
  see(object("a", 1));
  writes.deleted(object("a", 1));
  assert.deepEqual(shown(), []);
  assert.equal(writes.get("x/a"), undefined);
  lose(object("a", 1), 5);
  see(object("a", 7, "another"));
  assert.deepEqual(shown(), ["a@7"]);
  assert.deepEqual(foreign, ["added", "added"]);
});

test("what was created and then deleted by others, unseen, is given up once the cache has passed its version", () => {
  const { writes, shown, moveTo } = trial();
  writes.wrote(object("a", 9));
  moveTo(8);
  assert.deepEqual(shown(), ["a@9"]);
  moveTo(10);
  assert.deepEqual(shown(), []);
});

test("what is forgotten counts no more", () => {
  const { writes, see, shown } = trial();
  see(object("a", 1));
  writes.wrote(object("a", 9));
  writes.forget(object("a", 9));
  assert.deepEqual(shown(), ["a@1"]);
});

test("a write that the watch shows before its answer is here is our own all the same; what others did meanwhile is told after it", async () => {
  const { writes, see, shown, foreign } = trial();
  see(object("a", 1));
  await writes.writing("g", async () => {
    see(object("a", 9));
    see(object("b", 10));
    assert.deepEqual(foreign, ["added"], "nobody is told before the answer");
    await Promise.resolve();
    writes.wrote(object("a", 9));
  });
  assert.deepEqual(foreign, ["added", "added"], "b, and not a");
  assert.deepEqual(shown(), ["a@9", "b@10"]);
  await assert.rejects(
    writes.writing("g", async () => {
      see(object("a", 11));
      await Promise.reject(new Error("no answer"));
    }),
    /no answer/,
  );
  assert.deepEqual(foreign, ["added", "added", "changed"], "what may not be ours is told");
});
