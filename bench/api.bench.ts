/**
 * The API, each server a process of its own and this process its clients over HTTP/2: durable creates by 1 and by 50 clients, lists of 10,000 Services
 * as JSON and as a Table, a change told to 1,000 watches, and memory at 10,000 Services and 100,000 endpoints. On SQLite and on etcd; beside them
 * bare puts into etcd on the same disk, and a real kube-apiserver when KUBE_APISERVER names one (its etcd: ETCD, else the one in PATH).
 * What could not be had is not measured, and said.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type ClientHttp2Session } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApiServer } from "../src/apiserver/start.ts";
import { systemClock } from "../src/observe/clock.ts";
import { silentLog } from "../src/observe/log.ts";
import { openEtcdStore } from "../src/store/etcd/etcd.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite.ts";
import type { Store } from "../src/store/store.ts";
import { createAuthority } from "../test/apiserver/certificates.ts";
import { startKubernetes } from "../test/conformance/kubernetes.ts";
import { startEtcd, withoutEtcd } from "../test/lab/etcd.ts";
import { inMilliseconds } from "./percentiles.ts";

const CREATES = Number(process.env["CREATES"] ?? 10_000);
const SERVICES = 10_000;
const SLICES = 1000;
const WATCHES = 1000;
const CHANGES = 200;
const LISTS = 200;
const RANGE = "10.96.0.0/12";
const BASE = "/api/v1/namespaces/default";
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";

/** A server to be measured. */
interface Measured {
  readonly port: number;
  readonly pid: number;
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
  close(): Promise<void>;
}

/** The process that is measured: `serve sqlite FOLDER` or `serve etcd ENDPOINT`. */
async function serve(engine: string, where: string): Promise<void> {
  const store: Store =
    engine === "etcd"
      ? await openEtcdStore({ endpoints: [where], log: silentLog, clock: systemClock })
      : await openSqliteStore({ path: join(where, "store.db"), log: silentLog });
  const authority = await createAuthority();
  const [server, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  const api = await startApiServer({
    store,
    serviceRanges: [RANGE],
    nodePortRange: { first: 30_000, last: 32_767 },
    advertise: { ip: "192.0.2.1", port: 6443 },
    tls: { ...server, ca: authority.cert },
    clock: systemClock,
    log: silentLog,
  });
  const port = await api.listen({ host: "127.0.0.1", port: 0 });
  process.send!({ port, ca: authority.cert, ...admin });
  process.on("disconnect", () => void api.close().then(() => store.close().then(() => process.exit(0))));
}

async function fairlead(engine: "sqlite" | "etcd", where: string): Promise<Measured> {
  const profile = process.env["PROFILE"];
  const child = fork(import.meta.filename, ["serve", engine, where], {
    execArgv: [
      "--disable-warning=ExperimentalWarning",
      ...(profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`]),
    ],
  });
  const [ready] = (await once(child, "message")) as [Omit<Measured, "pid" | "close">];
  return {
    ...ready,
    pid: child.pid!,
    close: async () => {
      child.disconnect();
      await once(child, "exit");
    },
  };
}

async function kubernetes(): Promise<Measured> {
  const authority = await createAuthority();
  const [server, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
  const started = await startKubernetes({ ca: authority.cert, server, admin, serviceRanges: [RANGE] });
  return { ...started, ca: authority.cert, ...admin };
}

interface Answered {
  readonly code: number;
  readonly length: number;
  readonly text: string;
}

function ask(
  session: ClientHttp2Session,
  method: string,
  path: string,
  body?: string,
  accept = "application/json",
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": method,
      ":path": path,
      accept,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    });
    let code = 0;
    const chunks: Buffer[] = [];
    stream.on("response", (head) => (code = Number(head[":status"])));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const bytes = Buffer.concat(chunks);
      resolve({ code, length: bytes.length, text: code < 300 ? "" : bytes.toString() });
    });
    stream.on("error", reject);
    stream.end(body);
  });
}

/** `each` runs `count` times, spread over the clients, who each wait for their own last one. */
async function measure(
  name: string,
  count: number,
  clients: number,
  each: (at: number) => Promise<unknown>,
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
  console.log(`  ${name}: ${rate}/s, ${inMilliseconds(samples)}`);
}

const service = (at: number): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `service-${at}`, labels: { app: "web", tier: "front" } },
    spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
  });
const configMap = (at: number): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `map-${at}` },
    data: { text: "x".repeat(400) },
  });
const slice = (at: number): string =>
  JSON.stringify({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `slice-${at}`, labels: { "kubernetes.io/service-name": `service-${at}` } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: Array.from({ length: 100 }, (_, one) => ({
      addresses: [`10.${128 + (at >> 8)}.${at & 255}.${one + 1}`],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${one % 10}`,
      targetRef: { kind: "Pod", namespace: "default", name: `pod-${at}-${one}` },
    })),
  });

/** What the process alone holds of the machine's memory, shared pages by its part of them. */
function memoryOf(pid: number): string {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return `${Math.round(Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) / 1024)} MB`;
}

/** One change after another, each waited for until every watch has heard of it. */
async function fanOut(server: Measured, session: ClientHttp2Session): Promise<void> {
  const url = `https://127.0.0.1:${server.port}`;
  const sessions = Array.from({ length: 20 }, () => connect(url, server));
  const path = `${BASE}/secrets?watch=true&resourceVersion=0`;
  let told = 0;
  let expected = 0;
  let all = (): void => {};
  const open: Promise<unknown>[] = [];
  for (let at = 0; at < WATCHES; at++) {
    const stream = sessions[at % sessions.length]!.request({ ":path": path });
    open.push(once(stream, "response"));
    stream.on("data", (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 10) told += 1;
      if (told >= expected) all();
    });
    stream.on("error", () => {});
  }
  await Promise.all(open);
  const samples: number[] = [];
  const began = performance.now();
  for (let at = 0; at < CHANGES; at++) {
    expected += WATCHES;
    const heard = new Promise<void>((resolve) => (all = resolve));
    const asked = performance.now();
    const body = JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name: `s-${at}` } });
    const { code, text } = await ask(session, "POST", `${BASE}/secrets`, body);
    if (code !== 201) throw new Error(`creating a Secret: ${code} ${text}`);
    if (told < expected) await heard;
    samples.push(performance.now() - asked);
  }
  const rate = Math.round((told / (performance.now() - began)) * 1000).toLocaleString("en");
  console.log(`  one change until ${WATCHES} watches have it: ${inMilliseconds(samples)}; ${rate} events/s`);
  for (const each of sessions) each.destroy();
}

async function measureServer(name: string, server: Measured): Promise<void> {
  console.log(`${name}: at rest ${memoryOf(server.pid)}`);
  const session = connect(`https://127.0.0.1:${server.port}`, server);
  const post = async (path: string, body: string): Promise<void> => {
    const { code, text } = await ask(session, "POST", path, body);
    if (code !== 201) throw new Error(`creating: ${code} ${text}`);
  };
  await measure("durable creates of ConfigMaps, 1 client", CREATES / 10, 1, (at) =>
    post(`${BASE}/configmaps`, configMap(at)),
  );
  await measure("durable creates of ConfigMaps, 50 clients", CREATES, 50, (at) =>
    post(`${BASE}/configmaps`, configMap(at + CREATES)),
  );
  await measure("durable creates of Services with addresses, 50 clients", SERVICES, 50, (at) =>
    post(`${BASE}/services`, service(at)),
  );
  for (const [form, accept] of [
    ["JSON", "application/json"],
    ["Table", TABLE],
  ] as const) {
    await measure(`list of 10,000 Services as ${form}`, LISTS, 1, async () => {
      const { code, length } = await ask(session, "GET", "/api/v1/services", undefined, accept);
      if (code !== 200 || length < 1_000_000) throw new Error(`listing: ${code}, ${length} bytes`);
    });
  }
  const slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
  await measure("durable creates of EndpointSlices of 100, 50 clients", SLICES, 50, (at) => post(slices, slice(at)));
  console.log(`  memory at 10,000 Services and 100,000 endpoints: ${memoryOf(server.pid)}`);
  await fanOut(server, session);
  console.log(`  memory after it: ${memoryOf(server.pid)}`);
  session.destroy();
}

async function barePuts(endpoint: string): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const put = async (at: number): Promise<void> => {
    const answer = await fetch(`http://${endpoint}/v3/kv/put`, {
      method: "POST",
      body: JSON.stringify({ key: base64(`/bare/map-${at}`), value: base64(configMap(at)) }),
    });
    await answer.text();
    if (!answer.ok) throw new Error(`etcd: ${answer.status}`);
  };
  console.log("rival: bare etcd, puts by its JSON gateway: no conditions, validation, defaults or addresses");
  await measure("puts, 1 client", CREATES / 10, 1, put);
  await measure("puts, 50 clients", CREATES, 50, (at) => put(at + CREATES));
}

async function bench(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
  const run = async (name: string, start: () => Promise<Measured>): Promise<void> => {
    const server = await start();
    try {
      await measureServer(name, server);
    } finally {
      await server.close();
    }
  };
  try {
    await run("Fairlead on SQLite", () => fairlead("sqlite", folder));
    if (withoutEtcd !== false) console.log(`etcd: not measured (${withoutEtcd})`);
    else {
      const etcd = await startEtcd({ folder, durable: true });
      try {
        await barePuts(etcd.endpoints[0]!);
        await run("Fairlead on etcd", () => fairlead("etcd", etcd.endpoints[0]!));
      } finally {
        await etcd.close();
      }
    }
    if (process.env["KUBE_APISERVER"] === undefined) {
      console.log("rival: kube-apiserver: not measured (KUBE_APISERVER names none)");
    } else await run("rival: kube-apiserver on etcd", kubernetes);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[2] === "serve") await serve(process.argv[3]!, process.argv[4]!);
else await bench();
