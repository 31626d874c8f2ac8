import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { silentLog } from "../../src/observe/log.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { Compacted } from "../../src/store/store.ts";
import { put, remove, write } from "./contract/example.ts";
import { eventually, record } from "./watching.ts";

const inDirectory = (title: string, body: (directory: string) => Promise<void>): void => {
  void test(`sqlite: ${title}`, { timeout: 60_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), "fairlead-file-"));
    try {
      await body(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
};

const log = silentLog;

/** Leaves a file of a store with one key behind. */
const makeStore = async (path: string): Promise<void> => {
  const store = await openSqliteStore({ path, log });
  await write(store, put("/a", "1"));
  await store.close();
};

const alter = (path: string, sql: string): void => {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
};

inDirectory("a file in use is refused, in this process and in another", async (directory) => {
  const path = join(directory, "store.db");
  const report = join(directory, "report");
  const child = spawn(process.execPath, [join(import.meta.dirname, "writer.ts"), path], {
    stdio: ["ignore", openSync(report, "w"), "inherit"],
  });
  const exit = once(child, "exit");
  try {
    await eventually("the writer wrote nothing", () => statSync(report).size > 0);
    const inUse = { message: `the store ${path} is in use by another process; stop that one, or choose another file` };
    await assert.rejects(openSqliteStore({ path, log }), inUse);
  } finally {
    child.kill("SIGKILL");
    await exit;
  }
  const store = await openSqliteStore({ path, log });
  await assert.rejects(openSqliteStore({ path, log }), /is in use by another process/);
  await store.close();
});

inDirectory("a newer schema is refused, naming both numbers, and the file is as it was", async (directory) => {
  const path = join(directory, "store.db");
  await makeStore(path);
  alter(path, "PRAGMA user_version = 7");
  await assert.rejects(openSqliteStore({ path, log }), {
    message: `the store ${path} has schema 7, and this Fairlead knows schemas up to 1; use the newer Fairlead that wrote it`,
  });
  alter(path, "PRAGMA user_version = 1");
  const store = await openSqliteStore({ path, log });
  assert.equal((await store.get("/a")).entry?.value, "1");
  await store.close();
});

inDirectory("another program's database is refused and not touched", async (directory) => {
  const path = join(directory, "other.db");
  alter(path, "CREATE TABLE books (title TEXT)");
  const { mtimeMs, size } = statSync(path);
  await assert.rejects(openSqliteStore({ path, log }), /other\.db is an SQLite database of another program/);
  assert.deepEqual([statSync(path).mtimeMs, statSync(path).size], [mtimeMs, size]);
});

/** Overwrites pages of a closed database (numbered from 1, as SQLite does). */
const damage = (path: string, first: number, last: number): void => {
  const fd = openSync(path, "r+");
  const garbage = Buffer.alloc((last - first + 1) * 8192, 0xa5);
  writeSync(fd, garbage, 0, garbage.length, (first - 1) * 8192);
  closeSync(fd);
};

inDirectory("a damaged file is refused", async (directory) => {
  const path = join(directory, "store.db");
  writeFileSync(path, "this was never a database\n".repeat(1000));
  await assert.rejects(openSqliteStore({ path, log }), /store\.db is damaged \(file is not a database\); put a copy/);
  const torn = join(directory, "torn.db");
  await makeStore(torn);
  // All but the first page, where the schema is.
  damage(torn, 2, statSync(torn).size / 8192);
  await assert.rejects(
    openSqliteStore({ path: torn, log }),
    /torn\.db is damaged \(database disk image is malformed\)/,
  );
});

inDirectory(
  "damage that shows later ends the store, its watches and all requests with a sentence",
  async (directory) => {
    const path = join(directory, "store.db");
    await makeStore(path);
    // The pages of the entries and of their index.
    damage(path, 2, 3);
    const store = await openSqliteStore({ path, log });
    const watch = await record(store, "/", await store.revision());
    const sentence = { message: `reading the store ${path}: database disk image is malformed` };
    await assert.rejects(store.get("/a"), sentence);
    await assert.rejects(store.write([], [put("/b", "")]), sentence);
    assert.equal(watch.ends[0]?.message, sentence.message);
    await store.close();
  },
);

inDirectory(
  "a directory that is missing, not writable or no directory is named, and nothing is left",
  async (directory) => {
    const missing = join(directory, "no", "store.db");
    await assert.rejects(openSqliteStore({ path: missing, log }), {
      message: `cannot make the store ${missing}: there is no directory ${join(directory, "no")}`,
    });
    // Not even root may make files here.
    await assert.rejects(openSqliteStore({ path: "/sys/store.db", log }), {
      message: "cannot make the store /sys/store.db: the directory /sys is not writable",
    });
    const taken = join(directory, "taken.db");
    mkdirSync(taken);
    await assert.rejects(openSqliteStore({ path: taken, log }), /taken\.db cannot be read and written by this user/);
    assert.deepEqual(readdirSync(directory), ["taken.db"]);
  },
);

inDirectory("its files can be read by their owner alone", async (directory) => {
  const path = join(directory, "store.db");
  const store = await openSqliteStore({ path, log });
  await write(store, put("/a", "1"));
  for (const name of readdirSync(directory)) assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name);
  await store.close();
  assert.deepEqual(readdirSync(directory), ["store.db"], "a closed store is one file");
});

inDirectory(
  "the file and its log do not grow with history, and the past is trimmed by whole writes",
  async (directory) => {
    const path = join(directory, "store.db");
    const store = await openSqliteStore({ path, log, historyChanges: 300 });
    const start = await store.revision();
    let largestLog = 0;
    const value = (at: number) => `${at}`.padEnd(5000, "x");
    for (let round = 0; round < 40; round++) {
      const batch = Array.from({ length: 100 }, (_, at) =>
        write(store, put(`/k/${at}`, value(round)), put("/hot", value(at))),
      );
      await Promise.all(batch);
      largestLog = Math.max(largestLog, statSync(`${path}-wal`).size);
    }
    // 8,000 changes of 5 kB are 40 MB; 101 entries and 300 to 428 changes are under 3 MB.
    const { size } = statSync(path);
    assert.ok(size < 5_000_000, `the file has ${size} bytes`);
    assert.ok(largestLog < 20_000_000, `the write-ahead log had ${largestLog} bytes`);
    const newest = await store.revision();
    assert.equal(newest, start + 4000);
    await assert.rejects(store.list("/", { revision: start }), Compacted);
    await assert.rejects(record(store, "/", start), Compacted);
    const kept = newest - 140;
    assert.equal((await store.list("/", { revision: kept })).entries.length, 101);
    const past = await record(store, "/", kept);
    await past.reached(newest);
    assert.equal(past.events().length, 280);
    await store.close();
  },
);

inDirectory("large values are forgotten earlier, by their bytes", async (directory) => {
  const path = join(directory, "store.db");
  const store = await openSqliteStore({ path, log, historyBytes: 1_000_000 });
  for (let at = 0; at < 60; at++) await write(store, put("/large", `${at}`.padEnd(100_000, "x")));
  const newest = await store.revision();
  await assert.rejects(store.list("/", { revision: newest - 12 }), Compacted);
  const [then] = (await store.list("/", { revision: newest - 5 })).entries;
  assert.equal(then?.value.slice(0, 3), "54x");
  await store.close();
  assert.ok(statSync(path).size < 3_000_000);
});

inDirectory("what is remembered after a trim, it remembers after it is opened again", async (directory) => {
  const path = join(directory, "store.db");
  const open = () => openSqliteStore({ path, log, historyChanges: 50 });
  let store = await open();
  for (let at = 0; at < 400; at++) await write(store, at % 5 === 4 ? remove("/a") : put("/a", `${at}`));
  const newest = await store.revision();
  const oldest = await store.list("/", { revision: 1 }).catch((error: unknown) => error);
  assert.ok(oldest instanceof Compacted);
  const { compactRevision } = oldest;
  assert.ok(newest - compactRevision >= 50 && newest - compactRevision <= 178, `${compactRevision} of ${newest}`);
  const past = await record(store, "/", compactRevision);
  await store.close();
  store = await open();
  const again = await record(store, "/", compactRevision);
  await again.reached(newest);
  assert.deepEqual(again.events(), past.events());
  await assert.rejects(record(store, "/", compactRevision - 1), Compacted);
  await store.close();
  assert.ok(!existsSync(`${path}-wal`));
});
