import assert from "node:assert/strict";
import { Compacted } from "../../../src/store/store.ts";
import type { StoreEvent } from "../../../src/store/store.ts";
import type { OpenStore } from "../contract.ts";
import { checkPromises, eventually, record } from "../watching.ts";
import { example, put, remove, write } from "./example.ts";

export const watchExamples = (engine: string, open: OpenStore): void => {
  example(engine, open, "a watch tells puts and deletes with what they replaced", async (store) => {
    const start = await store.revision();
    const watch = await record(store, "/a/", start);
    const one = await write(store, put("/a/x", "1"));
    const two = await write(store, put("/a/x", "2"), put("/b", "elsewhere"));
    const three = await write(store, remove("/a/x"));
    await watch.reached(three);
    const first = { key: "/a/x", value: "1", createRevision: one, modRevision: one };
    const second = { key: "/a/x", value: "2", createRevision: one, modRevision: two };
    assert.deepEqual(watch.events(), [
      { type: "put", entry: first, previous: undefined },
      { type: "put", entry: second, previous: first },
      { type: "delete", key: "/a/x", revision: three, previous: second },
    ]);
    checkPromises(watch, "/a/", start);
  });

  example(engine, open, "the events of a write arrive together, in the order of its operations", async (store) => {
    await write(store, put("/3", ""));
    const start = await store.revision();
    const watch = await record(store, "/", start);
    const revision = await write(store, put("/2", ""), remove("/3"), remove("/absent"), put("/1", ""));
    await watch.reached(revision);
    const keys = (events: readonly StoreEvent[]) =>
      events.map((event) => (event.type === "put" ? event.entry.key : `-${event.key}`));
    assert.deepEqual(
      watch.calls.filter((call) => call.events.length > 0).map((call) => keys(call.events)),
      [["/2", "-/3", "/1"]],
    );
  });

  example(
    engine,
    open,
    "a watch from an older revision tells first what was written, then what comes",
    async (store) => {
      const start = await store.revision();
      const revisions: number[] = [];
      for (let at = 0; at < 20; at++) revisions.push(await write(store, put(`/${at % 3}`, `${at}`), put("/other", "")));
      const all = await record(store, "/", start);
      const half = await record(store, "/", revisions[9] ?? 0);
      const none = await record(store, "/", revisions[19] ?? 0);
      const last = await write(store, put("/1", "last"));
      for (const watch of [all, half, none]) await watch.reached(last);
      assert.deepEqual(
        [all, half, none].map((watch) => watch.events().length),
        [41, 21, 1],
      );
      assert.deepEqual(half.events(), all.events().slice(20));
      checkPromises(all, "/", start);
    },
  );

  example(engine, open, "a watch after a revision of the future tells nothing up to it", async (store) => {
    const start = await store.revision();
    const watch = await record(store, "/", start + 2);
    for (let at = 1; at <= 3; at++) await write(store, put("/a", `${at}`));
    await watch.reached(start + 3);
    assert.equal(watch.events().length, 1);
    checkPromises(watch, "/", start + 2);
  });

  example(engine, open, "a watch's revision grows when nothing under its prefix changes", async (store) => {
    const start = await store.revision();
    const watch = await record(store, "/quiet/", start);
    const revision = await write(store, put("/loud", ""));
    await watch.reached(revision);
    assert.deepEqual(watch.events(), []);
    const late = await record(store, "/quiet/", start);
    await late.reached(revision);
    assert.deepEqual(late.events(), []);
  });

  example(engine, open, "a closed watch tells no more, and its end is not told", async (store) => {
    const closed = await record(store, "/", await store.revision());
    const other = await record(store, "/", await store.revision());
    await other.reached(await write(store, put("/a", "1")));
    await closed.reached(2);
    closed.watch.close();
    closed.watch.close();
    await other.reached(await write(store, put("/a", "2")));
    await store.close();
    assert.equal(closed.events().length, 1);
    assert.deepEqual([closed.ends.length, other.ends], [0, [undefined]]);
  });

  example(engine, open, "a watch from before the compaction is Compacted; a running one goes on", async (store) => {
    const start = await store.revision();
    const running = await record(store, "/", start);
    for (let at = 0; at < 5; at++) await write(store, put("/a", `${at}`));
    const kept = await store.revision();
    const last = await write(store, put("/a", "last"));
    await running.reached(last);
    await store.compact(kept);
    await assert.rejects(record(store, "/", start), Compacted);
    await assert.rejects(record(store, "/", kept - 2), Compacted);
    const resumed = await record(store, "/", kept);
    const after = await write(store, put("/b", ""));
    for (const watch of [running, resumed]) await watch.reached(after);
    assert.deepEqual([running.events().length, resumed.events().length], [7, 2]);
    const [event] = resumed.events();
    assert.equal(event?.previous?.value, "4", "what the last remembered change replaced is remembered");
  });

  example(engine, open, "a handler may write, watch and close in its turn", async (store) => {
    const start = await store.revision();
    const before = await record(store, "/", start);
    const inner: Promise<Awaited<ReturnType<typeof record>>>[] = [];
    const echo = await store.watch("/ping/", start, {
      events: (events) => {
        if (events.length === 0) return;
        inner.push(record(store, "/", start));
        void store.write([], [put("/pong", "")]);
      },
      ended: () => {},
    });
    const behind = await record(store, "/", start);
    const ping = await write(store, put("/ping/1", ""));
    for (const watch of [before, behind]) await watch.reached(ping + 1);
    const [late] = await Promise.all(inner);
    await late?.reached(ping + 1);
    for (const watch of [before, behind, late]) {
      assert.deepEqual(
        watch?.events().map((event) => (event.type === "put" ? event.entry.key : "")),
        ["/ping/1", "/pong"],
      );
    }
    echo.close();
  });

  example(engine, open, "a handler that throws ends its own watch and disturbs nobody else", async (store) => {
    const start = await store.revision();
    const ends: (Error | undefined)[] = [];
    let calls = 0;
    await store.watch("/", start, {
      events: () => {
        calls += 1;
        throw new Error("no room");
      },
      ended: (error) => void ends.push(error),
    });
    const other = await record(store, "/", start);
    const first = await write(store, put("/a", "1"));
    await eventually("the end was never told", () => ends.length > 0);
    await other.reached(await write(store, put("/a", "2")));
    assert.deepEqual([calls, ends.length, ends[0]?.message], [1, 1, "no room"]);
    assert.equal(other.events().length, 2);
    assert.equal(await store.revision(), first + 1);
  });
};
