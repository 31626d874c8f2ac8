import assert from "node:assert/strict";
import { test } from "node:test";
import { Compacted } from "../store.ts";
import type { WatchEvent } from "./calls.ts";
import { changesOf } from "./entries.ts";

const created = (key: string, mod_revision: number): WatchEvent => ({
  kv: { key, value: "v", create_revision: mod_revision, mod_revision, version: 1 },
});

test("events of a watch are whole writes in order; a revision that is missing is noticed", () => {
  const { events, revision } = changesOf([created("/a", 5), created("/b", 5), created("/c", 6)], 4, false);
  assert.deepEqual([events.length, revision], [3, 6]);
  assert.throws(() => changesOf([created("/a", 5), created("/b", 7)], 4, true), /after revision 5 of etcd came 7/);
  assert.throws(() => changesOf([created("/a", 6)], 4, false), /after revision 4 of etcd came 6/);
  assert.throws(() => changesOf([created("/a", 4)], 4, false), /after revision 4 of etcd came 4/);
});

test("what is missing at the very start of a watch, and what an event replaced, was compacted away", () => {
  assert.throws(() => changesOf([created("/a", 6)], 4, true), Compacted);
  const changed: WatchEvent = { kv: { key: "/a", mod_revision: 5, create_revision: 2, version: 3 } };
  assert.throws(() => changesOf([changed], 4, false), Compacted);
  assert.throws(() => changesOf([{ type: "DELETE", kv: { key: "/a", mod_revision: 5 } }], 4, false), Compacted);
  const previous = { key: "/a", value: "old", create_revision: 2, mod_revision: 3 };
  const [event] = changesOf(
    [{ type: "DELETE", kv: { key: "/a", mod_revision: 5 }, prev_kv: previous }],
    4,
    false,
  ).events;
  const entry = { key: "/a", value: "old", createRevision: 2, modRevision: 3 };
  assert.deepEqual(event, { type: "delete", key: "/a", revision: 5, previous: entry });
});
