import assert from "node:assert/strict";
import { test } from "node:test";
import type { Condition, Entry, Operation, StoreEvent } from "../store.ts";
import type { TxnAnswer } from "./calls.ts";
import { cannotHappen, failedIn, isMadeBy, isOnlyOnce, resultOf, transactionOf } from "./transaction.ts";

const put = (key: string, value = ""): Operation => ({ type: "put", key, value });
const remove = (key: string): Operation => ({ type: "delete", key });
const entry = (key: string, value = ""): Entry => ({ key, value, createRevision: 5, modRevision: 5 });
const puts = (key: string, value = ""): StoreEvent => ({ type: "put", entry: entry(key, value), previous: undefined });
const removes = (key: string): StoreEvent => ({ type: "delete", key, revision: 5, previous: entry(key) });

/** An answer whose reads found these keys, last written at these revisions. */
const found = (keys: Readonly<Record<string, number>>): TxnAnswer => ({
  header: { revision: 9 },
  responses: Object.entries(keys).map(([key, mod_revision]) => ({ response_range: { kvs: [{ key, mod_revision }] } })),
});

test("a write becomes one transaction; what its conditions are about is read, each key once, when it is refused", () => {
  const conditions: Condition[] = [
    { key: "/a", absent: true },
    { key: "/b", modRevision: 7 },
    { key: "/a", modRevision: 0 },
  ];
  assert.deepEqual(transactionOf(conditions, [put("/a", "1"), remove("/b")]), {
    compare: [
      { key: "/a", target: "CREATE", result: "EQUAL", create_revision: 0 },
      { key: "/b", target: "MOD", result: "EQUAL", mod_revision: 7 },
      // Revision 0 is what etcd says of a key that is not there; our condition cannot hold.
      { key: "/a", target: "CREATE", result: "LESS", create_revision: 0 },
    ],
    success: [{ request_put: { key: "/a", value: "1" } }, { request_delete_range: { key: "/b" } }],
    failure: [{ request_range: { key: "/a" } }, { request_range: { key: "/b" } }],
  });
});

test("the first condition that does not hold is told, with what is there", () => {
  const conditions: Condition[] = [
    { key: "/a", absent: true },
    { key: "/b", modRevision: 7 },
  ];
  assert.deepEqual(resultOf(conditions, { succeeded: true, header: { revision: 4 } }), { ok: true, revision: 4 });
  const current = { key: "/b", value: "", createRevision: 0, modRevision: 8 };
  assert.deepEqual(resultOf(conditions, found({ "/b": 8 })), { ok: false, failed: conditions[1], current });
  assert.deepEqual(failedIn(conditions, found({})), { ok: false, failed: conditions[1], current: undefined });
  assert.equal(failedIn(conditions, found({ "/b": 7 })), undefined);
  assert.throws(() => resultOf(conditions, found({ "/b": 7 })), /all hold by its own answer/);
});

test("a write is found again in the history by exactly what it would have made", () => {
  const cases: [string, Operation[], StoreEvent[], boolean][] = [
    ["the same", [put("/a", "1"), remove("/b")], [puts("/a", "1"), removes("/b")], true],
    ["a delete of nothing", [put("/a", "1"), remove("/b")], [puts("/a", "1")], true],
    ["another value", [put("/a", "1")], [puts("/a", "2")], false],
    ["less", [put("/a"), put("/b")], [puts("/a")], false],
    ["more", [put("/a")], [puts("/a"), puts("/b")], false],
    ["deleted, not put", [put("/a")], [removes("/a")], false],
    ["put, not deleted", [remove("/a")], [puts("/a")], false],
    ["nothing", [remove("/a")], [], false],
  ];
  for (const [name, operations, events, is] of cases) assert.equal(isMadeBy(operations, events), is, name);
});

test("a revision does not come back, an absence may: only the first says for all time that a write cannot happen", () => {
  assert.equal(cannotHappen([{ key: "/a", modRevision: 7 }], found({ "/a": 8 })), true);
  assert.equal(cannotHappen([{ key: "/a", modRevision: 7 }], found({})), true);
  assert.equal(cannotHappen([{ key: "/a", modRevision: 7 }], found({ "/a": 7 })), false);
  assert.equal(cannotHappen([{ key: "/a", absent: true }], found({ "/a": 7 })), false);
});

test("a write may be sent again when it changes what it wants to find unchanged", () => {
  assert.equal(isOnlyOnce([{ key: "/a", modRevision: 7 }], [put("/a")]), true);
  assert.equal(isOnlyOnce([{ key: "/a", modRevision: 7 }], [remove("/a")]), true);
  assert.equal(isOnlyOnce([{ key: "/a", modRevision: 7 }], [put("/b")]), false);
  assert.equal(isOnlyOnce([{ key: "/a", absent: true }], [put("/a")]), false);
  assert.equal(isOnlyOnce([], [put("/a")]), false);
});
