import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock, type Clock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { openEtcdStore } from "../../src/store/etcd/etcd.ts";
import { Compacted } from "../../src/store/store.ts";
import { startEtcd, withoutEtcd } from "../lab/etcd.ts";
import { until } from "../lab/until.ts";
import { put, write } from "./contract/example.ts";
import { record } from "./watching.ts";

const EVERY = 123_456;

/** The system's clock, but the interval of compaction is over when `strike` says so. */
const strikingClock = (): Clock & { strike(): void; isWaiting(): boolean } => {
  let waiting: (() => void) | undefined;
  return {
    now: () => systemClock.now(),
    after: (milliseconds, callback) => {
      if (milliseconds !== EVERY) return systemClock.after(milliseconds, callback);
      waiting = callback;
      return () => {
        waiting = undefined;
      };
    },
    strike: () => {
      const callback = waiting;
      waiting = undefined;
      callback?.();
    },
    isWaiting: () => waiting !== undefined,
  };
};

void test(
  "etcd: several servers compact in turn, at the revision of an interval ago, and nobody's watch hears of it",
  { skip: withoutEtcd, timeout: 60_000 },
  async () => {
    const etcd = await startEtcd();
    const clocks = [strikingClock(), strikingClock(), strikingClock()];
    const stores = await Promise.all(
      clocks.map((clock) => openEtcdStore({ endpoints: etcd.endpoints, log: silentLog, clock, compactEveryMs: EVERY })),
    );
    const [store] = stores;
    try {
      const watches = await Promise.all(stores.map((one) => record(one, "/", 1)));
      const strikes: number[] = [];
      for (let interval = 0; interval < 4; interval++) {
        for (let at = 0; at < 5; at++) await write(store!, put("/a", `${interval}.${at}`));
        strikes.push(await store!.revision());
        for (const clock of clocks) clock.strike();
        await until("all to have had their turn", () => clocks.every((clock) => clock.isWaiting()));
      }
      const last = await store!.revision();
      for (const watch of watches) {
        await watch.reached(last);
        assert.deepEqual(watch.ends, []);
      }
      const turns = watches[0]!
        .events()
        .filter((event) => event.type === "put" && event.entry.key === "/fairlead/compaction");
      assert.equal(turns.length, 4, "one server an interval");
      // What was there at the last strike but one is still there; what was before that is not.
      const kept = (await store!.get("/fairlead/compaction")).entry!;
      assert.ok(
        Number(kept.value) >= strikes[2]! && Number(kept.value) < strikes[3]!,
        `${kept.value} of ${strikes.join()}`,
      );
      assert.equal((await store!.list("/a", { revision: Number(kept.value) })).entries[0]?.value, "2.4");
      for (const one of stores) {
        await assert.rejects(one.list("/a", { revision: strikes[1]! }), (error: unknown) => {
          assert.ok(error instanceof Compacted);
          // What a server knows of: its own last compaction, or by asking etcd that of another.
          assert.ok(error.compactRevision > strikes[1]! && error.compactRevision <= Number(kept.value));
          return true;
        });
      }
    } finally {
      for (const one of stores) await one.close();
      await etcd.close();
    }
  },
);
