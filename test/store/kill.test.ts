import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { times } from "../lab/counts.ts";
import { silentLog } from "../../src/observe/log.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { checkPromises, eventually, record } from "./watching.ts";

const rounds = times(10, 100);

interface Acknowledged {
  readonly writer: number;
  readonly turn: number;
  readonly revision: number;
}

/** Runs the writer until its report has grown to `bytes`, kills it, and returns what it had acknowledged. */
const killMidWrite = async (path: string, report: string, bytes: number): Promise<Acknowledged[]> => {
  const fd = openSync(report, "w");
  const child = spawn(process.execPath, [join(import.meta.dirname, "writer.ts"), path], {
    stdio: ["ignore", fd, "inherit"],
  });
  const exit = once(child, "exit");
  try {
    await eventually("the writer wrote nothing", () => {
      assert.equal(child.exitCode, null, "the writer failed");
      return statSync(report).size >= bytes;
    });
  } finally {
    child.kill("SIGKILL");
    closeSync(fd);
  }
  assert.deepEqual(await exit, [null, "SIGKILL"]);
  const lines = readFileSync(report, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [writer = -1, turn = -1, revision = -1] = line.split(" ").map(Number);
    return { writer, turn, revision };
  });
};

const turnsOf = async (store: Store, side: string, writer: number) =>
  (await store.list(`/${side}/${writer}/`)).entries
    .map((entry) => ({ ...entry, turn: Number(entry.key.split("/").at(-1)) }))
    .sort((a, b) => a.turn - b.turn);

/** Checks what is there against what was acknowledged before the kill; returns the newest revision. */
const check = async (store: Store, acknowledged: readonly Acknowledged[], before: number): Promise<number> => {
  const revision = await store.revision();
  for (const { revision: own } of acknowledged) assert.ok(own > before && own <= revision, `${own} of ${revision}`);
  assert.equal(new Set(acknowledged.map((one) => one.revision)).size, acknowledged.length);
  for (const writer of new Set(acknowledged.map((one) => one.writer))) {
    const newest = acknowledged.filter((one) => one.writer === writer).at(-1);
    assert.ok(newest !== undefined);
    const left = await turnsOf(store, "left", writer);
    const right = await turnsOf(store, "right", writer);
    // Both keys of a write, or neither; and of each writer its last two writes, without a gap.
    const facts = (side: typeof left) => side.map(({ turn, value, modRevision }) => ({ turn, value, modRevision }));
    assert.deepEqual(facts(left), facts(right));
    assert.ok(
      left.length <= 2 && left.every((entry) => (JSON.parse(entry.value) as { turn: number }).turn === entry.turn),
    );
    const last = left.at(-1);
    const gap = (last?.turn ?? -1) - newest.turn;
    // The newest acknowledged write is there, or one later that died before it was acknowledged.
    assert.ok(gap === 0 || gap === 1, `writer ${writer}: turn ${newest.turn} was acknowledged, ${last?.turn} is there`);
    const same = left.find((entry) => entry.turn === newest.turn);
    assert.equal(same?.modRevision, newest.revision, `writer ${writer}, turn ${newest.turn}`);
  }
  return revision;
};

void test(
  `sqlite: ${rounds} times kill -9 in mid-write: no acknowledged write lost, none half there, revisions go on`,
  { timeout: 60_000 + rounds * 5000 },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), "fairlead-kill-"));
    const path = join(directory, "store.db");
    let revision = 1;
    let total = 0;
    try {
      for (let round = 0; round < rounds; round++) {
        // Some die in their first writes, most in the full stream of them, a few after a checkpoint of the log.
        const bytes = Math.floor(Math.random() ** 2 * 60_000) + 1;
        const acknowledged = await killMidWrite(path, join(directory, "report"), bytes);
        total += acknowledged.length;
        const store = await openSqliteStore({ path, log: silentLog, historyChanges: 500 });
        try {
          revision = await check(store, acknowledged, revision);
          const after = Math.max(1, revision - 50);
          const past = await record(store, "/", after);
          await past.reached(revision);
          checkPromises(past, "/", after);
          const seen = new Set(
            past.events().map((event) => (event.type === "put" ? event.entry.modRevision : event.revision)),
          );
          assert.equal(seen.size, revision - after, "each write of the past is remembered");
          const next = await store.write([], [{ type: "put", key: "/round", value: `${round}` }]);
          assert.deepEqual(next, { ok: true, revision: revision + 1 });
          revision += 1;
        } finally {
          await store.close();
        }
      }
      t.diagnostic(`${rounds} kills, ${total} acknowledged writes checked, last revision ${revision}`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
