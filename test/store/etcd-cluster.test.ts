import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { openEtcdStore, type EtcdStoreOptions } from "../../src/store/etcd/etcd.ts";
import { OutcomeUnknown, Unavailable } from "../../src/store/store.ts";
import type { Store } from "../../src/store/store.ts";
import { times } from "../lab/counts.ts";
import { startEtcd, withoutEtcd, type Etcd, type EtcdMember } from "../lab/etcd.ts";
import { until } from "../lab/until.ts";
import { checkPromises, eventually, keyOf, record, revisionOf } from "./watching.ts";

const ROUNDS = times(3, 30);
/** Between two events of a round, at the least. */
const WRITES = times(100, 1000);

const openStore = (etcd: Etcd, options: Partial<EtcdStoreOptions> = {}): Promise<Store> =>
  openEtcdStore({ endpoints: etcd.endpoints, log: silentLog, clock: systemClock, compactEveryMs: 0, ...options });

/** What a writer was told of one of its writes. */
type Told =
  | { readonly key: string; readonly value: string; readonly revision: number }
  | { readonly key: string; readonly value: string; readonly error: unknown };

/** Creates keys and counts a counter of its own up, each time by what it was told last, until it is stopped. */
const writeUntil = async (store: Store, name: string, stopped: () => boolean): Promise<Told[]> => {
  const told: Told[] = [];
  const counter = `/counters/${name}`;
  let modRevision: number | undefined;
  for (let turn = 0; !stopped(); turn++) {
    const key = `/made/${name}/${turn}`;
    const value = `${name}:${turn}`;
    const condition =
      modRevision === undefined ? { key: counter, absent: true as const } : { key: counter, modRevision };
    try {
      const result = await store.write(turn % 2 === 0 ? [condition, { key, absent: true }] : [{ key, absent: true }], [
        { type: "put", key, value },
        ...(turn % 2 === 0 ? [{ type: "put" as const, key: counter, value }] : []),
      ]);
      assert.ok(result.ok, `${key} was refused: ${JSON.stringify(result)}`);
      if (turn % 2 === 0) modRevision = result.revision;
      told.push({ key, value, revision: result.revision });
    } catch (error) {
      if (!(error instanceof Unavailable) && !(error instanceof OutcomeUnknown)) throw error;
      told.push({ key, value, error });
      if (turn % 2 === 0)
        modRevision = await until("the counter", async () => (await store.get(counter)).entry?.modRevision ?? 0);
      if (modRevision === 0) modRevision = undefined;
    }
  }
  return told;
};

void test(
  `etcd: three members, the leader killed ${ROUNDS} times under writes: nothing acknowledged is lost, watches have no gap and nothing twice`,
  { skip: withoutEtcd, timeout: 60_000 + ROUNDS * 20_000 },
  async (t) => {
    const etcd = await startEtcd({ members: 3, durable: true });
    const stores = [await openStore(etcd), await openStore(etcd)];
    try {
      const start = await stores[0]!.revision();
      const watches = await Promise.all(stores.map((store) => record(store, "/", start)));
      let isOver = false;
      const writing = stores.map((store, at) => writeUntil(store, `w${at}`, () => isOver));
      for (const one of writing) one.catch(() => {});
      for (let round = 0; round < ROUNDS; round++) {
        const before = watches[0]!.calls.at(-1)?.revision ?? start;
        const leader = await etcd.leader();
        await leader.kill();
        await until("writes under the next leader", () => (watches[0]!.calls.at(-1)?.revision ?? 0) > before + WRITES);
        await leader.start();
        const restarted = watches[1]!.calls.at(-1)?.revision ?? start;
        await until("writes with all members", () => (watches[1]!.calls.at(-1)?.revision ?? 0) > restarted + WRITES);
      }
      isOver = true;
      const told = (await Promise.all(writing)).flat();
      const last = await stores[0]!.revision();

      // The history of etcd itself, read at the end by a store that saw nothing of it.
      const reader = await openStore(etcd, { tailEvents: 0 });
      const history = await record(reader, "/", start);
      await history.reached(last);
      for (const watch of watches) {
        await watch.reached(last);
        checkPromises(watch, "/", start);
        assert.deepEqual(watch.events(), history.events());
        assert.deepEqual(watch.ends, []);
      }
      const made = new Map(
        history
          .events()
          .filter((one) => keyOf(one).startsWith("/made/"))
          .map((one) => [keyOf(one), one]),
      );
      const madeCount = history.events().filter((one) => keyOf(one).startsWith("/made/")).length;
      assert.equal(madeCount, made.size, "no write happened twice");
      for (const one of told) {
        const event = made.get(one.key);
        if ("revision" in one) assert.equal(event && revisionOf(event), one.revision, `${one.key} was acknowledged`);
        // What was not sent did not happen; only of an unknown outcome may it be either.
        else if (one.error instanceof Unavailable) assert.equal(event, undefined, `${one.key}: ${one.error.message}`);
      }
      const failed = told.filter((one) => "error" in one);
      const known = new Set(told.map(({ key }) => key));
      assert.deepEqual(
        [...made.keys()].filter((key) => !known.has(key)),
        [],
      );
      await reader.close();
      t.diagnostic(`${told.length} writes, ${failed.length} not acknowledged, last revision ${last}`);
    } finally {
      for (const store of stores) await store.close();
      await etcd.close();
    }
  },
);

void test(
  "etcd away: requests fail within their time as Unavailable, and all is well when it is back",
  { skip: withoutEtcd, timeout: 60_000 },
  async () => {
    const etcd = await startEtcd({ durable: true });
    const store = await openStore(etcd, { timeoutMs: 500 });
    try {
      const [member] = etcd.members;
      const made = await store.write([], [{ type: "put", key: "/a", value: "1" }]);
      assert.ok(made.ok);
      const watch = await record(store, "/", made.revision);
      const within = async (work: Promise<unknown>): Promise<unknown> => {
        const began = performance.now();
        const error = await work.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        const took = performance.now() - began;
        assert.ok(took < 2500, `it took ${took} ms`);
        return error;
      };

      await member!.signal("SIGSTOP");
      // Sent to a server that stands still: nobody can know.
      assert.ok(
        (await within(store.write([{ key: "/b", absent: true }], [{ type: "put", key: "/b", value: "1" }]))) instanceof
          OutcomeUnknown,
      );
      for (const ask of [() => store.get("/a"), () => store.list("/"), () => store.revision()]) {
        assert.ok((await within(ask())) instanceof Unavailable);
      }
      await member!.signal("SIGCONT");
      await until("an answer after SIGCONT", () => store.revision());
      assert.ok((await store.write([], [{ type: "put", key: "/c", value: "1" }])).ok);

      await member!.kill();
      assert.ok((await within(store.get("/a"))) instanceof Unavailable);
      // Now that the connection is known to be gone, a write is known not to have been sent.
      const refused = await within(store.write([], [{ type: "put", key: "/d", value: "1" }]));
      assert.ok(refused instanceof Unavailable, String(refused));
      assert.match(refused.message, /^etcd at 127\.0\.0\.1:\d+ does not answer: .*ECONNREFUSED/);
      await member!.start();
      await until("an answer after the restart", () => store.revision());
      assert.equal((await store.get("/d")).entry, undefined);
      const last = await store.write([], [{ type: "put", key: "/e", value: "1" }]);
      assert.ok(last.ok);
      await watch.reached(last.revision);
      checkPromises(watch, "/", made.revision);
      assert.deepEqual(watch.ends, []);
      const keys = watch.events().map(keyOf);
      assert.deepEqual(
        keys.filter((key) => key !== "/b"),
        ["/c", "/e"],
      );
      // Whatever became of the write of unknown outcome, the watch says the same as the store.
      assert.equal(keys.includes("/b"), (await store.get("/b")).entry !== undefined);
    } finally {
      await store.close();
      await etcd.close();
    }
  },
);

void test(
  "etcd: a member that stands still is left for another, by requests and by watches",
  { skip: withoutEtcd, timeout: 60_000 },
  async () => {
    const etcd = await startEtcd({ members: 3 });
    const leader = await etcd.leader();
    const followers = etcd.members.filter((member) => member !== leader);
    const [still, other] = followers as [EtcdMember, EtcdMember];
    // Without the leader, so that no election is needed; all begins at the first.
    const store = await openStore(etcd, { endpoints: [still.endpoint, other.endpoint], timeoutMs: 3000 });
    try {
      const made = await store.write([], [{ type: "put", key: "/a", value: "1" }]);
      assert.ok(made.ok);
      const watch = await record(store, "/", made.revision);
      await still.signal("SIGSTOP");
      assert.equal((await store.get("/a")).entry?.value, "1");
      const next = await store.write([], [{ type: "put", key: "/a", value: "2" }]);
      assert.ok(next.ok);
      // The dead connection itself would be found after nine seconds; that it lags is seen before.
      const began = performance.now();
      await watch.reached(next.revision);
      const took = performance.now() - began;
      assert.ok(took < 6000, `the watch moved on after ${took} ms`);
      assert.equal(watch.events().length, 1);
      assert.deepEqual(watch.ends, []);
    } finally {
      await still.signal("SIGCONT");
      await store.close();
      await etcd.close();
    }
  },
);

void test(
  "etcd set up anew, with less than there was: watches end with the reason, and the store goes on with what is there",
  { skip: withoutEtcd, timeout: 60_000 },
  async () => {
    const etcd = await startEtcd();
    const store = await openStore(etcd, { timeoutMs: 1000 });
    try {
      for (let at = 0; at < 5; at++) await store.write([], [{ type: "put", key: `/${at}`, value: "" }]);
      const watch = await record(store, "/", 1);
      await watch.reached(6);
      await etcd.members[0]!.start(true);
      await eventually("the watch never ended", () => watch.ends.length > 0);
      assert.match(String(watch.ends[0]), /went back from revision 6 to 1: it was set up anew/);
      await until("a new watch", async () => {
        const again = await record(store, "/", 1);
        const written = await store.write([], [{ type: "put", key: "/new", value: "" }]);
        assert.ok(written.ok);
        await again.reached(written.revision);
        return true;
      });
    } finally {
      await store.close();
      await etcd.close();
    }
  },
);
