import assert from "node:assert/strict";
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { after, before, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { times } from "../lab/counts.ts";
import { until } from "../lab/until.ts";
import { silentLog } from "../../src/observe/log.ts";
import { createCluster, type Cluster } from "./cluster.ts";

/** Watches of one connection, as a proxy in front of many clients may have them. */
const EACH = 500;
/** Bytes of memory for one watch, that of the client in the same process among them. */
const MAXIMUM_BYTES = 48 * 1024;

let cluster: Cluster;
/** What the server says of watches that it gives up. */
const dropped: string[] = [];
before(async () => {
  const warn = (_facts: object, sentence: string): void => {
    if (sentence.includes("too slowly")) dropped.push(sentence);
  };
  cluster = await createCluster({ log: { ...silentLog, warn } });
});
after(() => cluster.close());

const configMaps = "/api/v1/namespaces/default/configmaps";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
function memory(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

interface Watcher {
  readonly stream: ClientHttp2Stream;
  isOpen: boolean;
  heard: string;
}

function watch(session: ClientHttp2Session, path: string): Watcher {
  const stream = session.request({ ":path": path });
  const watcher: Watcher = { stream, isOpen: false, heard: "" };
  stream.setEncoding("utf8");
  stream.on("response", (headers) => (watcher.isOpen = headers[":status"] === 200));
  stream.on("data", (text: string) => (watcher.heard += text));
  stream.on("error", () => {});
  return watcher;
}

void test("thousands of idle watches cost little, and an event reaches every one", async () => {
  const count = times(1000, 10_000);
  const sessions: ClientHttp2Session[] = [];
  const watchers: Watcher[] = [];
  const { body } = await cluster.ask("GET", configMaps);
  const path = `${configMaps}?watch=true&resourceVersion=${body.metadata.resourceVersion}`;
  const before = memory();
  try {
    while (watchers.length < count) {
      const session = await opened();
      sessions.push(session);
      for (let at = 0; at < EACH; at++) watchers.push(watch(session, path));
      await until("every watch of a connection to stand", () => watchers.every(({ isOpen }) => isOpen));
    }
    const each = (memory() - before) / count;
    assert.ok(each < MAXIMUM_BYTES, `${Math.round(each / 1024)} KiB a watch`);
    const began = performance.now();
    const { code } = await cluster.ask("POST", configMaps, { metadata: { name: "news" } });
    assert.equal(code, 201);
    assert.ok(performance.now() - began < 5000, "whoever writes does not wait for all who watch");
    await until("the event at every watch", () => watchers.every(({ heard }) => heard.endsWith("\n")));
    for (const { heard } of watchers) assert.match(heard, /^\{"type":"ADDED".*"name":"news".*\}\n$/);
  } finally {
    for (const session of sessions) session.destroy();
  }
  // Nothing of them is left.
  await until("their memory to be given back", () => (memory() - before) / count < MAXIMUM_BYTES / 8);
});

async function opened(): Promise<ClientHttp2Session> {
  const { key, cert } = cluster.admin;
  const session = connect(`https://127.0.0.1:${cluster.port}`, { ca: cluster.ca, key, cert });
  session.on("error", () => {});
  await new Promise<void>((resolve) => session.once("connect", () => resolve()));
  return session;
}

void test("a watch that is not read is given up before much is kept for it, and others hear everything meanwhile", async () => {
  const sessions = [await opened(), await opened()];
  const { body } = await cluster.ask("GET", configMaps);
  const path = `${configMaps}?watch=true&resourceVersion=${body.metadata.resourceVersion}`;
  const [slow, reader] = sessions.map((session) => watch(session, path)) as [Watcher, Watcher];
  try {
    await until("both watches to stand", () => slow.isOpen && reader.isOpen);
    slow.stream.pause();
    const data = { text: "x".repeat(900_000) };
    let sent = 0;
    await until("the slow watch to be given up", async () => {
      await cluster.ask("POST", configMaps, { metadata: { name: `large-${(sent += 1)}` }, data });
      return dropped.length > 0;
    });
    assert.ok(sent < 20, `${sent} events of a megabyte were kept for it`);
    await until("every event at the other watch", () => reader.heard.split("\n").length === sent + 1);
    assert.equal(dropped.length, 1);
  } finally {
    for (const session of sessions) session.destroy();
  }
});
