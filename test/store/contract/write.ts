import assert from "node:assert/strict";
import type { Condition } from "../../../src/store/store.ts";
import type { OpenStore } from "../contract.ts";
import { example, put, remove, write } from "./example.ts";

export const writeExamples = (engine: string, open: OpenStore): void => {
  example(engine, open, "a write is at one revision, and each write is one more than the last", async (store) => {
    const revision = await write(store, put("/a", "1"), put("/b", "2"), remove("/c"));
    assert.deepEqual(
      (await store.list("/")).entries.map((entry) => [entry.key, entry.createRevision, entry.modRevision]),
      [
        ["/a", revision, revision],
        ["/b", revision, revision],
      ],
    );
    assert.equal(await write(store, put("/a", "1")), revision + 1, "a put of the same value is a change");
    assert.equal(await write(store, remove("/b")), revision + 2);
  });

  example(engine, open, "a write that changes nothing keeps the revision", async (store) => {
    const revision = await write(store, put("/a", "1"));
    assert.equal(await write(store, remove("/absent")), revision);
    assert.equal(await write(store), revision);
    assert.deepEqual(await store.write([{ key: "/absent", absent: true }], []), { ok: true, revision });
    assert.equal(await store.revision(), revision);
  });

  example(engine, open, "conditions: absent, and last written at a revision", async (store) => {
    const absent: Condition = { key: "/a", absent: true };
    const created = await store.write([absent], [put("/a", "1")]);
    assert.ok(created.ok);
    const at: Condition = { key: "/a", modRevision: created.revision };
    assert.ok((await store.write([at], [put("/a", "2")])).ok);
    const { entry } = await store.get("/a");
    assert.deepEqual(await store.write([at], [put("/a", "3")]), { ok: false, failed: at, current: entry });
    assert.deepEqual(await store.write([absent], [remove("/a")]), { ok: false, failed: absent, current: entry });
    const missing: Condition = { key: "/b", modRevision: created.revision };
    const refused = { ok: false, failed: missing, current: undefined };
    assert.deepEqual(await store.write([missing], [put("/b", "")]), refused);
    assert.deepEqual(await store.get("/a"), { entry, revision: created.revision + 1 });
  });

  example(engine, open, "the first condition that fails is named, and no operation happens", async (store) => {
    const revision = await write(store, put("/a", "1"));
    const { entry } = await store.get("/a");
    const failed: Condition = { key: "/a", absent: true };
    const conditions: Condition[] = [
      { key: "/a", modRevision: revision },
      failed,
      { key: "/b", modRevision: revision },
    ];
    const result = await store.write(conditions, [put("/b", "2"), remove("/a"), put("/c", "3")]);
    assert.deepEqual(result, { ok: false, failed, current: entry });
    assert.deepEqual(await store.list("/"), { entries: [entry], revision, more: false, remaining: 0 });
  });

  example(engine, open, "an object and its claims are made together or not at all", async (store) => {
    const claim = "/claims/nodeports/30080";
    const make = (name: string) =>
      store.write(
        [
          { key: `/services/${name}`, absent: true },
          { key: claim, absent: true },
        ],
        [put(`/services/${name}`, name), put(claim, name)],
      );
    const results = await Promise.all(["a", "b", "c", "d"].map(make));
    assert.equal(results.filter((result) => result.ok).length, 1);
    const services = (await store.list("/services/")).entries;
    assert.equal(services.length, 1);
    assert.equal((await store.get(claim)).entry?.value, services[0]?.value);
    assert.ok(results.every((result) => result.ok || result.current?.key === claim));
  });

  example(engine, open, "two operations on one key, and keys no store can hold, are TypeErrors", async (store) => {
    const revision = await write(store, put("/a", "1"));
    await assert.rejects(store.write([], [put("/b", "1"), put("/b", "2")]), TypeError);
    await assert.rejects(store.write([], [put("/b", "1"), remove("/b")]), TypeError);
    await assert.rejects(store.write([], [put("", "1")]), TypeError);
    await assert.rejects(store.write([], [put("/\ud800", "1")]), TypeError);
    await assert.rejects(store.write([], [put("/b", "\ud800")]), TypeError);
    await assert.rejects(store.get(""), TypeError);
    assert.equal(await store.revision(), revision);
    assert.deepEqual((await store.get("/b")).entry, undefined);
  });
};
