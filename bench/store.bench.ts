// Durable creates and lists of the SQLite store, beside a plain node:sqlite program that commits each write by itself; and of the store
// in etcd, beside bare puts and bare creates through the same client library into the same etcd (not measured where there is no etcd).
// Run: node bench/store.bench.ts [DIRECTORY]   (the directory's disk is what is measured; default: the system's for temporary files)
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { systemClock } from "../src/observe/clock.ts";
import { silentLog } from "../src/observe/log.ts";
import { openEtcdStore } from "../src/store/etcd/etcd.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite.ts";
import type { Store } from "../src/store/store.ts";
import { startEtcd, withoutEtcd } from "../test/lab/etcd.ts";

const value = JSON.stringify({ kind: "Service", padding: "x".repeat(1070) });
const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), "fairlead-bench-"));

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

const row = (...cells: readonly string[]): void => {
  const [name = "", ...figures] = cells;
  console.log(name.padEnd(50) + figures.map((cell) => cell.padStart(14)).join(""));
};

const report = (name: string, samples: readonly number[], milliseconds: number): void => {
  const sorted = samples.toSorted((a, b) => a - b);
  const rate = Math.round((samples.length / milliseconds) * 1000).toLocaleString("en");
  const times = [0.5, 0.99].map((share) => `${percentile(sorted, share).toFixed(2)} ms`);
  row(name, `${rate}/s`, ...times, `${samples.length}`);
};

/** `each` runs `count` times, spread over `writers` who each wait for their own last one. */
const measure = async (
  name: string,
  writers: number,
  count: number,
  each: (at: number) => Promise<void>,
): Promise<void> => {
  const samples: number[] = [];
  let next = 0;
  const start = performance.now();
  const write = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      const begun = performance.now();
      await each(at);
      samples.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  report(name, samples, performance.now() - start);
};

/** What one would write first: one table, one transaction for each create, in the thread that serves. */
const rival = async (): Promise<void> => {
  const db = new DatabaseSync(join(directory, "rival.db"));
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  db.exec("CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT, revision INTEGER)");
  const find = db.prepare("SELECT revision FROM entry WHERE key = ?");
  const insert = db.prepare("INSERT INTO entry VALUES (?, ?, ?)");
  let revision = 1;
  const create = async (key: string): Promise<void> => {
    db.exec("BEGIN IMMEDIATE");
    if (find.get(key) === undefined) insert.run(key, value, (revision += 1));
    db.exec("COMMIT");
  };
  await measure("plain node:sqlite, durable creates, 1 writer", 1, 2000, (at) => create(`/rival/1/${at}`));
  await measure("plain node:sqlite, durable creates, 50 writers", 50, 8000, (at) => create(`/rival/50/${at}`));
  const list = db.prepare("SELECT key, value, revision FROM entry WHERE key >= ? AND key < ? ORDER BY key LIMIT 10000");
  await measure("plain node:sqlite, list of 10,000", 1, 20, async () => void list.all("/rival/", "/rival0"));
  db.close();
};

const create = async (store: Store, key: string): Promise<void> => {
  const result = await store.write([{ key, absent: true }], [{ type: "put", key, value }]);
  if (!result.ok) throw new Error(`${key} was there`);
};

const ours = async (): Promise<void> => {
  const path = join(directory, "store.db");
  const open = (): Promise<Store> => openSqliteStore({ path, log: silentLog });
  let store = await open();
  await measure("store, durable creates, 1 writer", 1, 2000, (at) => create(store, `/one/${at}`));
  let told = 0;
  for (let at = 0; at < 20; at++) {
    await store.watch("/", await store.revision(), {
      events: (events) => void (told += events.length),
      ended: () => {},
    });
  }
  await measure("store, durable creates, 50 writers, 20 watches", 50, 20_000, (at) => create(store, `/list/${at}`));
  console.log(`  (${told.toLocaleString("en")} events told)`);
  await measure("store, durable updates, 50 writers, 20 watches", 50, 20_000, async (at) => {
    await store.write([], [{ type: "put", key: `/list/${at % 10_000}`, value }]);
  });
  const revision = await store.revision();
  await measure("store, list of 10,000", 1, 20, async () => void (await store.list("/list/", { limit: 10_000 })));
  for (let at = 0; at < 2000; at++) void create(store, `/list/later/${at}`);
  await measure("store, list of 10,000 at an older revision", 1, 20, async () => {
    await store.list("/list/", { limit: 10_000, revision });
  });
  await measure("store, get", 50, 10_000, async (at) => void (await store.get(`/list/${at}`)));
  await store.close();
  await measure("store, open and close, 22,000 entries", 1, 20, async () => {
    store = await open();
    await store.close();
  });
};

/** The client library alone: what one would write first. */
const bareEtcd = (endpoint: string) => {
  const proto = loadSync(join(import.meta.dirname, "../src/store/etcd/etcd.proto"), { keepCase: true, longs: Number });
  const { KV } = loadPackageDefinition(proto)["etcdserverpb"] as unknown as { KV: ServiceClientConstructor };
  const client = new KV(endpoint, credentials.createInsecure());
  const send = (request: object): Promise<void> =>
    new Promise((resolve, reject) => {
      client["Txn"]!(request, (error: Error | null) => (error === null ? resolve() : reject(error)));
    });
  const request_put = (key: string) => ({ request_put: { key, value } });
  return {
    put: (key: string) => send({ success: [request_put(key)] }),
    create: (key: string) =>
      send({ compare: [{ key, target: "CREATE", result: "EQUAL", create_revision: 0 }], success: [request_put(key)] }),
    close: () => client.close(),
  };
};

const etcd = async (): Promise<void> => {
  if (withoutEtcd !== false) return console.log(`etcd: not measured (${withoutEtcd})`);
  const server = await startEtcd({ durable: true, folder: directory });
  const bare = bareEtcd(server.endpoints[0]!);
  const store = await openEtcdStore({ endpoints: server.endpoints, log: silentLog, clock: systemClock });
  try {
    for (const writers of [1, 50]) {
      const many = `${writers} writer${writers === 1 ? "" : "s"}`;
      const count = writers === 1 ? 1000 : 5000;
      await measure(`etcd, bare puts, ${many}`, writers, count, (at) => bare.put(`/bare/puts/${writers}/${at}`));
      await measure(`etcd, bare creates, ${many}`, writers, count, (at) => bare.create(`/bare/new/${writers}/${at}`));
      await measure(`store in etcd, creates, ${many}`, writers, count, (at) => create(store, `/ours/${writers}/${at}`));
    }
    await measure("store in etcd, newest revision", 50, 5000, async () => void (await store.revision()));
    await measure("store in etcd, list of 5,000", 1, 20, async () => void (await store.list("/ours/50/")));
  } finally {
    bare.close();
    await store.close();
    await server.close();
  }
};

try {
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`,
  );
  row("", "rate", "p50", "p99", "samples");
  await rival();
  await ours();
  await etcd();
} finally {
  rmSync(directory, { recursive: true });
}
