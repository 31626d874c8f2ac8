import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { before, test } from "node:test";
import type { KubeObject } from "../../src/api/object.ts";
import { keyOf } from "../../src/api/object.ts";
import { configMaps } from "../../src/api/resources.ts";
import type { CacheOptions } from "../../src/client/cache.ts";
import { createCache } from "../../src/client/cache.ts";
import type { Cache, CacheChange } from "../../src/client/cached.ts";
import { createClient } from "../../src/client/connect.ts";
import type { Connection } from "../../src/client/connection.ts";
import { silentLog } from "../../src/observe/log.ts";
import type { Certificates } from "./certificates.ts";
import { makeCertificates } from "./certificates.ts";
import { FakeServer, refuse, status } from "./fake-server.ts";
import { eagerClock, manualClock, until } from "./waiting.ts";

let certificates: Certificates;
before(async () => {
  certificates = await makeCertificates();
});

interface Trial {
  readonly server: FakeServer;
  readonly cache: Cache<KubeObject>;
  readonly told: CacheChange<KubeObject>[];
  readonly waits: number[];
  /** Waits until the cache holds the truth, and checks that the changes told lead there, each told once. */
  readonly converges: () => Promise<void>;
}

async function trial(
  t: TestContext,
  prepare: (server: FakeServer) => void = () => {},
  connection: Partial<Connection> = {},
  options: Partial<CacheOptions<KubeObject>> = {},
): Promise<Trial> {
  const server = new FakeServer(certificates);
  await server.start();
  for (const name of ["a", "b", "c", "d", "e"]) server.put(name, "0");
  prepare(server);
  const client = createClient({ server: server.url, ca: certificates.ca, ...connection });
  const clock = eagerClock();
  const cache = createCache<KubeObject>({
    client,
    resource: configMaps,
    namespace: "default",
    clock,
    random: () => 0.5,
    log: silentLog,
    pageSize: 2,
    ...options,
  });
  const told: CacheChange<KubeObject>[] = [];
  cache.onChange((change) => told.push(change));
  t.after(async () => {
    cache.stop();
    client.close();
    await server.stop();
  });
  const converges = async (): Promise<void> => {
    const inTruth = (): string[] => [...server.truth.values()].map((object) => JSON.stringify(object)).sort();
    const inCache = (): string[] => [...cache.values()].map((object) => JSON.stringify(object)).sort();
    await until("the cache holds the truth", () => inCache().join() === inTruth().join());
    const replayed = new Map<string, KubeObject>();
    for (const change of told) {
      if (change.type === "added") {
        assert.equal(replayed.has(keyOf(change.object)), false, "added while it was there");
        replayed.set(keyOf(change.object), change.object);
      } else if (change.type === "changed") {
        assert.equal(replayed.get(keyOf(change.object)), change.previous, "changed from another object than was told");
        assert.equal(change.object.metadata.uid, change.previous.metadata.uid);
        assert.notEqual(change.object.metadata.resourceVersion, change.previous.metadata.resourceVersion);
        replayed.set(keyOf(change.object), change.object);
      } else {
        assert.equal(replayed.get(keyOf(change.previous)), change.previous, "removed what was not there");
        replayed.delete(keyOf(change.previous));
      }
    }
    assert.deepEqual([...replayed.values()].map((object) => JSON.stringify(object)).sort(), inTruth());
  };
  return { server, cache, told, waits: clock.waits, converges };
}

const listsOf = (server: FakeServer): number =>
  server.requests.filter((line) => !line.includes("watch=true") && !line.includes("continue=")).length;

test("a cache lists in pages, then follows the watch", async (t) => {
  const { server, cache, told, converges } = await trial(t);
  await cache.synced();
  assert.equal(cache.hasSynced, true);
  await converges();
  assert.equal(server.requests.filter((line) => line.includes("limit=2")).length, 3);
  await until("the watch is open", () => server.watching === 1);
  server.put("a", "1");
  server.put("f", "1");
  server.remove("b");
  await until("three more changes", () => told.length === 8);
  await converges();
  assert.deepEqual(
    told.slice(5).map(({ type }) => type),
    ["changed", "added", "removed"],
  );
  assert.equal(listsOf(server), 1);
});

test("a cache syncs although the connection is reset in the middle of a list", async (t) => {
  const { server, converges, waits } = await trial(t, (server) => {
    server.listFaults.push(
      () => false,
      (_request, response) => {
        response.writeHead(200, { "content-length": "5000" });
        response.write('{"kind":"ConfigMapList","items":[', () => response.destroy());
        return true;
      },
    );
  });
  await converges();
  assert.equal(listsOf(server), 2);
  assert.deepEqual(waits, [38]);
});

test("a cache watches on from where it was when the connection is reset in mid-watch", async (t) => {
  const { server, converges, told } = await trial(t);
  await until("the watch is open", () => server.watching === 1);
  server.put("a", "1");
  await until("the change is told", () => told.length === 6);
  server.eachWatch((response) => response.destroy());
  server.put("a", "2");
  server.remove("c");
  await converges();
  assert.equal(listsOf(server), 1);
  assert.equal(told.length, 8);
});

test("a cache survives 500s of lists and watches, each followed by a longer wait, and the wait starts anew after success", async (t) => {
  const oops = (_request: unknown, response: Parameters<typeof refuse>[0]): boolean => {
    response.writeHead(500);
    response.end("oops");
    return true;
  };
  const { server, cache, converges, waits, told } = await trial(t, (server) => {
    server.listFaults.push(oops, oops, oops);
    server.watchFaults.push(oops, oops);
  });
  await cache.synced();
  await until("the watch is open", () => server.watching === 1);
  assert.deepEqual(waits, [38, 75, 150, 300, 600]);
  server.put("a", "1");
  await until("the change is told", () => told.length === 6);
  server.eachWatch((response) => response.destroy());
  await until("another wait", () => waits.length === 6);
  assert.equal(waits[5], 38);
  await converges();
});

test("a cache lists again after 410 by HTTP and tells only the differences", async (t) => {
  const { server, cache, told, converges } = await trial(t);
  await until("the watch is open", () => server.watching === 1);
  server.watchFaults.push((_request, response) => {
    // What happens while nobody watches is seen only by the list.
    server.put("a", "1");
    server.put("g", "1");
    server.remove("b");
    server.remove("c");
    server.put("c", "again");
    server.compact();
    refuse(response, 410, "Expired");
    return true;
  });
  server.eachWatch((response) => response.destroy());
  await until("six changes", () => told.length >= 10);
  await converges();
  assert.deepEqual(
    told
      .slice(5)
      .map((change) => `${change.type} ${"object" in change ? keyOf(change.object) : keyOf(change.previous)}`),
    ["removed default/b", "changed default/a", "added default/g", "removed default/c", "added default/c"],
  );
  assert.equal(listsOf(server), 2);
  assert.equal(cache.hasSynced, true);
});

test("a cache lists again after 410 by an ERROR event", async (t) => {
  const { server, told, converges } = await trial(t);
  await until("the watch is open", () => server.watching === 1);
  server.eachWatch((response) => {
    response.end(`${JSON.stringify({ type: "ERROR", object: status(410, "Expired") })}\n`);
  });
  await until("a second list", () => listsOf(server) === 2);
  await until("the watch is open", () => server.watching === 1);
  server.put("z", "1");
  await converges();
  assert.equal(told.length, 6);
});

test("a list whose pages expire is read again in one piece", async (t) => {
  const { server, converges } = await trial(t, (server) => {
    server.listFaults.push(
      () => false,
      (_request, response) => {
        refuse(response, 410, "Expired");
        return true;
      },
    );
  });
  await converges();
  assert.equal(
    server.requests.some((line) => !line.includes("limit=") && !line.includes("watch=")),
    true,
  );
});

test("half a line is not taken for an object, and the watch is opened again", async (t) => {
  const { server, told, converges } = await trial(t);
  await until("the watch is open", () => server.watching === 1);
  server.eachWatch((response) => response.end('{"type":"DELETED","object":{"kind":"ConfigMap"'));
  await until("the watch is open again", () => server.requests.filter((line) => line.includes("watch")).length === 2);
  server.put("a", "1");
  await until("the change is told", () => told.length === 6);
  await converges();
});

test("a line that is no JSON, or no event, or too long, breaks the watch and nothing else", async (t) => {
  const { server, told, converges } = await trial(t, undefined, { lineLimit: 2000 });
  const lines = ["{nonsense}\n", '{"type":"ADDED"}\n', '{"type":"ADDED","object":{}}\n', `${"x".repeat(3000)}\n`];
  for (const [done, line] of lines.entries()) {
    await until("the watch is open", () => server.watching === 1);
    server.eachWatch((response) => response.write(line));
    await until("the watch is closed", () => server.watching === 0);
    server.put("a", String(done));
    await converges();
  }
  assert.equal(told.length, 9);
});

test("a list that is wrong JSON is tried again", async (t) => {
  const { converges, waits } = await trial(t, (server) => {
    const wrong = (text: string) => (_request: unknown, response: Parameters<typeof refuse>[0]) => {
      response.end(text);
      return true;
    };
    server.listFaults.push(wrong('{"items":'), wrong("[]"), wrong('{"metadata":{},"items":[]}'), wrong("null"));
  });
  await converges();
  assert.equal(waits.length, 4);
});

test("a watch that falls silent is noticed after the stall limit and opened again; bookmarks keep it alive", async (t) => {
  const clock = manualClock();
  const { server, cache, converges, told } = await trial(t, undefined, {
    clock,
    stall: 60_000,
    silence: 60_000,
    deadline: 1e9,
  });
  await until("the watch is open", () => server.watching === 1);
  for (let minute = 0; minute < 3; minute += 1) {
    clock.advance(50_000);
    const held = cache.resourceVersion;
    server.put(`m${minute}`, "1");
    await until("the event is taken in", () => cache.resourceVersion !== held);
  }
  assert.equal(server.requests.filter((line) => line.includes("watch=true")).length, 1);
  let stalled = false;
  server.eachWatch((response) => {
    // The server goes on, but this stream carries no more.
    response.write = () => (stalled = true);
  });
  server.put("unseen", "1");
  assert.equal(stalled, true);
  clock.advance(61_000);
  await until("a second watch", () => server.requests.filter((line) => line.includes("watch=true")).length === 2);
  await converges();
  assert.equal(told.length, 9);
});

test("bookmarks move the version a broken watch continues from", async (t) => {
  const { server, cache, converges } = await trial(t);
  await until("the watch is open", () => server.watching === 1);
  const held = cache.resourceVersion;
  server.bookmark();
  await until("the version moved", () => cache.resourceVersion !== held);
  server.compact();
  server.eachWatch((response) => response.end());
  await until("the watch is open again", () => server.requests.filter((line) => line.includes("watch")).length === 2);
  server.put("a", "2");
  await converges();
  assert.equal(listsOf(server), 1);
});

test("a server that is away refuses connections; the cache never gives up and finds it when it is back", async (t) => {
  const { server, told, converges, waits } = await trial(t);
  await until("the watch is open", () => server.watching === 1);
  await server.stop();
  await until("many tries", () => waits.length > 20);
  assert.equal(Math.max(...waits) <= 5000, true);
  assert.equal(waits[15], 3750);
  server.put("a", "1");
  server.remove("b");
  server.put("n", "1");
  await server.start();
  await converges();
  await until("the watch is open", () => server.watching === 1);
  assert.equal(told.length, 8);
  server.put("n", "2");
  await converges();
});

test("a server that ends each watch at once is not asked without end", async (t) => {
  const { server, converges, waits } = await trial(t, (server) => {
    for (let count = 0; count < 5; count += 1) {
      server.watchFaults.push((_request, response) => {
        response.end();
        return true;
      });
    }
  });
  await until("the watch is open", () => server.watching === 1);
  // The first comes right after a list that brought something new.
  assert.deepEqual(waits, [38, 75, 150, 300]);
  await converges();
});

test("a listener that throws does not keep others from hearing, nor end the watch", async (t) => {
  const { server, cache, told, converges } = await trial(t);
  cache.onChange(() => {
    throw new Error("a listener's own fault");
  });
  const late: string[] = [];
  cache.onChange(({ type }) => late.push(type));
  await until("the watch is open", () => server.watching === 1);
  server.put("a", "1");
  server.put("a", "2");
  await until("both are told", () => told.length === 7);
  assert.equal(late.length, 7);
  await converges();
});

test("objects are found by the words of an index, also after they change and go", async (t) => {
  const valueOf = (object: KubeObject): string => (object as KubeObject & { data: { value: string } }).data.value;
  const { server, cache, told } = await trial(t, undefined, {}, { indexes: { value: (object) => [valueOf(object)] } });
  const found = (word: string): (string | undefined)[] => cache.by("value", word).map(({ metadata }) => metadata.name);
  await until("the watch is open", () => server.watching === 1);
  assert.deepEqual(found("0"), ["a", "b", "c", "d", "e"]);
  server.put("b", "1");
  server.remove("c");
  await until("both are told", () => told.length === 7);
  assert.deepEqual(found("0"), ["a", "d", "e"]);
  assert.deepEqual(found("1"), ["b"]);
  assert.throws(() => cache.by("colour", "1"), /no index is called colour; there are: value/);
});

test("a stopped cache opens nothing more", async (t) => {
  const { server, cache } = await trial(t);
  await until("the watch is open", () => server.watching === 1);
  cache.stop();
  await until("the watch is closed", () => server.watching === 0);
  const asked = server.requests.length;
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(server.requests.length, asked);
});
