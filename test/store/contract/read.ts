import assert from "node:assert/strict";
import { Compacted } from "../../../src/store/store.ts";
import type { OpenStore } from "../contract.ts";
import { example, put, remove, write } from "./example.ts";

export const readExamples = (engine: string, open: OpenStore): void => {
  example(engine, open, "an empty store is at revision 1, and the first write makes 2", async (store) => {
    assert.equal(await store.revision(), 1);
    assert.deepEqual(await store.list(""), { entries: [], revision: 1, more: false, remaining: 0 });
    assert.deepEqual(await store.get("/a"), { entry: undefined, revision: 1 });
    assert.equal(await write(store, put("/a", "1")), 2);
  });

  example(engine, open, "get gives the entry with the revisions of its creation and last change", async (store) => {
    const created = await write(store, put("/a", "1"));
    const changed = await write(store, put("/a", "2"));
    await write(store, put("/b", "3"));
    const { entry, revision } = await store.get("/a");
    assert.deepEqual(entry, { key: "/a", value: "2", createRevision: created, modRevision: changed });
    assert.equal(revision, changed + 1);
  });

  example(engine, open, "a key that was deleted and made again has a new createRevision", async (store) => {
    await write(store, put("/a", "1"));
    await write(store, remove("/a"));
    const again = await write(store, put("/a", "2"));
    assert.equal((await store.get("/a")).entry?.createRevision, again);
  });

  example(engine, open, "list gives the entries under a prefix, by bytes, and no neighbours", async (store) => {
    const keys = ["/a", "/a/", "/a/1", "/a/2", "/a0", "/b/1", "/a/\u{ffee}", "/a/\u{1f600}", "/a/\u{10ffff}z", "/a/\0"];
    await write(store, ...keys.map((key) => put(key, key)));
    const under = async (prefix: string): Promise<string[]> =>
      (await store.list(prefix)).entries.map((entry) => entry.key);
    assert.deepEqual(await under("/a/"), [
      "/a/",
      "/a/\0",
      "/a/1",
      "/a/2",
      "/a/\u{ffee}",
      "/a/\u{1f600}",
      "/a/\u{10ffff}z",
    ]);
    assert.deepEqual(await under("/a/1"), ["/a/1"]);
    assert.deepEqual(await under("/a/\u{10ffff}"), ["/a/\u{10ffff}z"]);
    assert.deepEqual(await under("/c"), []);
    assert.equal((await under("")).length, keys.length);
  });

  example(engine, open, "values come back as they were, whatever they hold", async (store) => {
    const values = ["", "{}", "\0", '"\u{1f600}\u{ffee}\\ud800"', "x".repeat(1_500_000)];
    await write(store, ...values.map((value, at) => put(`/${at}`, value)));
    assert.deepEqual(
      (await store.list("/")).entries.map((entry) => entry.value),
      values,
    );
    assert.equal((await store.get("/4")).entry?.value.length, 1_500_000);
  });

  example(engine, open, "list with a limit says what is left, and continues after a key", async (store) => {
    const revision = await write(store, ...["a", "b", "c", "d", "e"].map((name) => put(`/x/${name}`, name)));
    await write(store, put("/y", ""));
    const page = async (limit: number, after?: string) => {
      const found = await store.list("/x/", { limit, revision, ...(after === undefined ? {} : { after }) });
      return { ...found, entries: found.entries.map((entry) => entry.value).join("") };
    };
    assert.deepEqual(await page(2), { entries: "ab", revision, more: true, remaining: 3 });
    assert.deepEqual(await page(2, "/x/b"), { entries: "cd", revision, more: true, remaining: 1 });
    assert.deepEqual(await page(2, "/x/d"), { entries: "e", revision, more: false, remaining: 0 });
    assert.deepEqual(await page(5), { entries: "abcde", revision, more: false, remaining: 0 });
    assert.deepEqual(await page(0), { entries: "abcde", revision, more: false, remaining: 0 });
    assert.deepEqual(await page(1, "/x/bb"), { entries: "c", revision, more: true, remaining: 2 });
    assert.deepEqual(await page(9, "/a"), { entries: "abcde", revision, more: false, remaining: 0 });
    assert.deepEqual(await page(9, "/y"), { entries: "", revision, more: false, remaining: 0 });
  });

  example(engine, open, "pages at one revision are one picture, whatever is written between them", async (store) => {
    const revision = await write(store, ...["a", "b", "c", "d"].map((name) => put(`/${name}`, "old")));
    const first = await store.list("/", { limit: 1, revision });
    await write(store, remove("/a"), put("/b", "new"), put("/bb", "new"), remove("/d"));
    await write(store, put("/b", "newer"), put("/d", "again"));
    await write(store, remove("/c"));
    const second = await store.list("/", { limit: 2, revision, after: "/a" });
    const third = await store.list("/", { limit: 2, revision, after: "/c" });
    const pages = [first, second, third];
    assert.deepEqual(
      pages.flatMap((page) => page.entries),
      ["/a", "/b", "/c", "/d"].map((key) => ({ key, value: "old", createRevision: revision, modRevision: revision })),
    );
    assert.deepEqual(
      pages.map((page) => page.remaining),
      [3, 1, 0],
    );
    assert.deepEqual(
      (await store.list("/")).entries.map(({ key, value }) => key + value),
      ["/bnewer", "/bbnew", "/dagain"],
    );
  });

  example(engine, open, "list at revision 0 is now, and a revision of the future is a RangeError", async (store) => {
    const revision = await write(store, put("/a", "1"));
    assert.equal((await store.list("/", { revision: 0 })).revision, revision);
    assert.deepEqual((await store.list("/", { revision: 1 })).entries, []);
    await assert.rejects(store.list("/", { revision: revision + 1 }), RangeError);
    await assert.rejects(store.list("/", { revision: -1 }), RangeError);
    await assert.rejects(store.list("/", { revision: 1.5 }), RangeError);
    await assert.rejects(store.list("/", { limit: -1 }), RangeError);
  });

  example(
    engine,
    open,
    "a list older than the compaction is Compacted; at it and after it all is there",
    async (store) => {
      const one = await write(store, put("/a", "1"), put("/gone", ""));
      const two = await write(store, put("/a", "2"), remove("/gone"));
      const three = await write(store, put("/a", "3"));
      await store.compact(two);
      await assert.rejects(store.list("/", { revision: one }), (error: unknown) => {
        assert.ok(error instanceof Compacted);
        assert.deepEqual([error.revision, error.compactRevision], [one, two]);
        return true;
      });
      const values = async (revision: number) =>
        (await store.list("/", { revision })).entries.map((entry) => entry.key + entry.value);
      assert.deepEqual(await values(two), ["/a2"]);
      assert.deepEqual(await values(three), ["/a3"]);
      await store.compact(one);
      await assert.rejects(store.list("/", { revision: one }), Compacted, "an older compaction brings nothing back");
      await store.compact(three);
      await assert.rejects(store.list("/", { revision: two }), Compacted);
      assert.deepEqual(await values(three), ["/a3"]);
      await assert.rejects(store.compact(three + 1), RangeError);
    },
  );
};
