/**
 * The API server on SQLite in a process of its own, this process being its clients: durable creates by 50 clients over one HTTP/2 connection,
 * a list of 10,000 Services, and events told to 20 watches. The rival is etcd by its JSON gateway: only a store, without
 * validation, defaults or addresses; it is measured when an `etcd` is in PATH.
 */
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type ClientHttp2Session } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootstrap } from "../src/apiserver/bootstrap/bootstrap.ts";
import { kinds } from "../src/api/kinds.ts";
import { WatchCache } from "../src/apiserver/cache/watch-cache.ts";
import { cachedReader } from "../src/apiserver/claims/cached-reader.ts";
import { serviceClaims } from "../src/apiserver/claims/service-claims.ts";
import { systemClock } from "../src/observe/clock.ts";
import { silentLog } from "../src/observe/log.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite.ts";
import { createCluster } from "../test/apiserver/cluster.ts";
import { inMilliseconds } from "./percentiles.ts";

const CLIENTS = 50;
const CREATES = Number(process.env["CREATES"] ?? 10_000);
const WATCHES = 20;

interface Ready {
  readonly port: number;
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}

/** The process that is measured. */
async function serve(directory: string): Promise<void> {
  const store = await openSqliteStore({ path: join(directory, "store.db"), log: silentLog });
  const nodePortRange = { first: 30_000, last: 32_767 };
  const cache = new WatchCache({ store, kinds, clock: systemClock, log: silentLog });
  const claims = serviceClaims({ reader: cachedReader(store, cache), nodePortRange, clock: systemClock });
  await bootstrap({
    store,
    serviceRanges: ["10.96.0.0/12"],
    nodePortRange,
    advertise: { ip: "192.0.2.1", port: 6443 },
    clock: systemClock,
    log: silentLog,
  });
  const cluster = await createCluster({ store, kinds, cache, claims });
  process.send!({
    port: cluster.port,
    ca: cluster.ca,
    key: cluster.admin.key,
    cert: cluster.admin.cert,
  } satisfies Ready);
  process.on("disconnect", () => void cluster.close().then(() => process.exit(0)));
}

function ask(
  session: ClientHttp2Session,
  method: string,
  path: string,
  body?: string,
): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": method,
      ":path": path,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    });
    let code = 0;
    const chunks: Buffer[] = [];
    stream.on("response", (head) => (code = Number(head[":status"])));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => resolve({ code, text: Buffer.concat(chunks).toString() }));
    stream.on("error", reject);
    stream.end(body);
  });
}

/** `each` runs `count` times, spread over the clients, who each wait for their own last one. */
async function measure(
  name: string,
  count: number,
  each: (at: number) => Promise<void>,
  clients = CLIENTS,
): Promise<void> {
  const samples: number[] = [];
  let next = 0;
  const began = performance.now();
  const client = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      const asked = performance.now();
      await each(at);
      samples.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const rate = Math.round((count / (performance.now() - began)) * 1000).toLocaleString("en");
  console.log(`${name}: ${rate}/s, ${inMilliseconds(samples)}`);
}

const service = (at: number, clusterIP?: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `service-${at}`, labels: { app: "web", tier: "front" } },
    spec: {
      ...(clusterIP && { clusterIP }),
      selector: { app: "web" },
      ports: [{ name: "http", port: 80, targetPort: 8080 }],
    },
  });
const configMap = (at: number): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `map-${at}` },
    data: { text: "x".repeat(400) },
  });

async function bench(directory: string): Promise<void> {
  const server = fork(import.meta.filename, ["serve", directory], {
    execArgv: [
      "--disable-warning=ExperimentalWarning",
      ...(process.env["PROFILE"] ? ["--cpu-prof", `--cpu-prof-dir=${process.env["PROFILE"]}`] : []),
    ],
  });
  const [ready] = (await once(server, "message")) as [Ready];
  const session = connect(`https://127.0.0.1:${ready.port}`, ready);
  const post = async (path: string, body: string): Promise<void> => {
    const { code, text } = await ask(session, "POST", path, body);
    if (code !== 201) throw new Error(`creating: ${code} ${text}`);
  };
  const base = "/api/v1/namespaces/default";
  await measure("durable creates of ConfigMaps, 50 clients", CREATES, (at) =>
    post(`${base}/configmaps`, configMap(at)),
  );
  await measure("durable creates of headless Services", 2000, (at) =>
    post(`${base}/services`, service(at + 100_000, "None")),
  );
  await measure("durable creates of Services with addresses", CREATES, (at) => post(`${base}/services`, service(at)));
  await measure("list of 12,000 Services", 20, async () => void (await ask(session, "GET", "/api/v1/services")), 1);

  let told = 0;
  const expected = WATCHES * 2000;
  const watches = Array.from({ length: WATCHES }, () => connect(`https://127.0.0.1:${ready.port}`, ready));
  const all = new Promise<void>((resolve) => {
    for (const watch of watches) {
      watch.request({ ":path": `${base}/secrets?watch=true&resourceVersion=0` }).on("data", (chunk: Buffer) => {
        for (const byte of chunk) if (byte === 10) told += 1;
        if (told >= expected) resolve();
      });
    }
  });
  const secret = (at: number): string =>
    JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name: `s-${at}` } });
  const began = performance.now();
  await measure("durable creates of Secrets beside 20 watches", 2000, (at) => post(`${base}/secrets`, secret(at)));
  await all;
  console.log(
    `events told to ${WATCHES} watches: ${Math.round((told / (performance.now() - began)) * 1000).toLocaleString("en")}/s (bounded by the creates)`,
  );
  for (const watch of watches) watch.destroy();
  session.destroy();
  server.disconnect();
  await once(server, "exit");
}

/** The same number of creates in etcd's own way: a transaction that holds only where the key is absent. */
async function rival(directory: string): Promise<void> {
  const program = "etcd";
  const etcd = spawn(program, ["--data-dir", join(directory, "etcd"), "--log-level", "error"], { stdio: "ignore" });
  const started = await once(etcd, "spawn").then(
    () => true,
    () => false,
  );
  if (!started) return console.log("rival: etcd: not measured (there is none in PATH)");
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const create = async (at: number): Promise<void> => {
    const key = base64(`/registry/configmaps/default/map-${at}`);
    const answer = await fetch("http://127.0.0.1:2379/v3/kv/txn", {
      method: "POST",
      body: JSON.stringify({
        compare: [{ key, target: "VERSION", version: "0" }],
        success: [{ requestPut: { key, value: base64(configMap(at)) } }],
      }),
    });
    await answer.text();
    if (!answer.ok) throw new Error(`etcd: ${answer.status}`);
  };
  for (let tries = 0; ; tries++) {
    const up = await create(-1).then(
      () => true,
      () => false,
    );
    if (up) break;
    if (tries > 100) throw new Error("etcd does not answer");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await measure("rival: etcd by its JSON gateway, durable creates", CREATES, create);
  etcd.kill();
  await once(etcd, "exit");
}

if (process.argv[2] === "serve") await serve(process.argv[3]!);
else {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
  try {
    await bench(directory);
    await rival(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
