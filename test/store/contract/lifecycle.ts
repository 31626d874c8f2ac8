import assert from "node:assert/strict";
import { Compacted } from "../../../src/store/store.ts";
import type { OpenStore } from "../contract.ts";
import { record } from "../watching.ts";
import { example, put, remove, write } from "./example.ts";

export const lifecycleExamples = (engine: string, open: OpenStore): void => {
  example(engine, open, "close waits for writes under way, then ends all watches", async (store) => {
    const watch = await record(store, "/", await store.revision());
    const writes = Array.from({ length: 20 }, (_, at) => store.write([], [put(`/${at}`, "")]));
    await store.close();
    assert.ok((await Promise.all(writes)).every((result) => result.ok));
    assert.equal(watch.events().length, 20);
    assert.deepEqual(watch.ends, [undefined]);
    await store.close();
  });

  example(engine, open, "a closed store answers nothing", async (store) => {
    await store.close();
    const closed = /the store is closed/;
    await assert.rejects(store.get("/a"), closed);
    await assert.rejects(store.list("/"), closed);
    await assert.rejects(store.write([], [put("/a", "")]), closed);
    await assert.rejects(record(store, "/", 0), closed);
    await assert.rejects(store.compact(1), closed);
    await assert.rejects(store.revision(), closed);
  });

  example(
    engine,
    open,
    "what was written, its history and its compaction are there when it is opened again",
    async (store, opened) => {
      if (opened.reopen === undefined) return;
      const one = await write(store, put("/a", "1"), put("/b", "1"));
      const two = await write(store, put("/a", "2"), remove("/b"));
      const three = await write(store, put("/a", "3"), put("/c", "3"));
      await store.compact(two);
      const now = await store.list("");
      const then = await store.list("", { revision: two });
      const watch = await record(store, "", two);
      await watch.reached(three);
      const again = await opened.reopen();
      assert.equal(await again.revision(), three);
      assert.deepEqual(await again.list(""), now);
      assert.deepEqual(await again.list("", { revision: two }), then);
      await assert.rejects(again.list("", { revision: one }), Compacted);
      await assert.rejects(record(again, "", one - 1), Compacted);
      const resumed = await record(again, "", two);
      await resumed.reached(three);
      assert.deepEqual(resumed.events(), watch.events());
      assert.equal(await write(again, put("/a", "4")), three + 1);
    },
  );
};
