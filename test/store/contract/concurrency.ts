import assert from "node:assert/strict";
import { memoryStore } from "../../../src/store/memory/memory.ts";
import type { Condition, Operation, WriteResult } from "../../../src/store/store.ts";
import type { OpenStore } from "../contract.ts";
import { checkPromises, record } from "../watching.ts";
import type { Recorded } from "../watching.ts";
import { example, put, remove } from "./example.ts";

interface Done {
  readonly conditions: readonly Condition[];
  readonly operations: readonly Operation[];
  readonly result: WriteResult;
}

export const concurrencyExamples = (engine: string, open: OpenStore): void => {
  example(engine, open, "of many writers who read, add one and write back, no addition is lost", async (store) => {
    await store.write([], [put("/counter", "0")]);
    let refused = 0;
    const add = async (): Promise<void> => {
      for (let at = 0; at < 10;) {
        const { entry } = await store.get("/counter");
        assert.ok(entry !== undefined);
        const condition = { key: "/counter", modRevision: entry.modRevision };
        const result = await store.write([condition], [put("/counter", `${Number(entry.value) + 1}`)]);
        if (result.ok) at += 1;
        else refused += 1;
      }
    };
    await Promise.all(Array.from({ length: 8 }, add));
    assert.equal((await store.get("/counter")).entry?.value, "80");
    assert.ok(refused > 0, "the writers never met");
  });

  example(
    engine,
    open,
    "concurrent writes happen as if one after the other, and watches lose and double nothing",
    async (store) => {
      const start = await store.revision();
      const done: Done[] = [];
      const watches: { readonly prefix: string; readonly after: number; readonly recorded: Recorded }[] = [];
      const writer = async (name: number): Promise<void> => {
        for (let turn = 0; turn < 40; turn++) {
          const shared = `/shared/${(turn * 7 + name) % 5}`;
          const own = `/own/${name}/${turn % 4}`;
          const conditions: Condition[] = turn % 3 === 0 ? [{ key: shared, absent: true }] : [];
          const operations = [turn % 3 === 1 ? remove(shared) : put(shared, `${name}:${turn}`), put(own, `${turn}`)];
          done.push({ conditions, operations, result: await store.write(conditions, operations) });
          if (turn % 10 === name) {
            const prefix = name % 2 === 0 ? "/shared/" : "/";
            const after = turn % 20 === name ? start : await store.revision();
            watches.push({ prefix, after, recorded: await record(store, prefix, after) });
          }
        }
      };
      await Promise.all(Array.from({ length: 10 }, (_, name) => writer(name)));

      // Each write that changed something has a revision of its own: one after the other by revision they give the same store.
      const model = memoryStore();
      const happened = done.flatMap((one) => (one.result.ok ? [{ ...one, revision: one.result.revision }] : []));
      happened.sort((a, b) => a.revision - b.revision);
      for (const { conditions, operations, revision } of happened) {
        assert.deepEqual(await model.write(conditions, operations), { ok: true, revision });
      }
      assert.deepEqual(await store.list(""), await model.list(""));
      assert.ok(watches.length > 10);
      const last = await store.revision();
      for (const { prefix, after, recorded } of watches) {
        const expected = await record(model, prefix, after);
        await recorded.reached(last);
        checkPromises(recorded, prefix, after);
        assert.deepEqual(recorded.events(), expected.events());
      }
    },
  );
};
