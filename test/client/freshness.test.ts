import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { before, test } from "node:test";
import type { KubeObject } from "../../src/api/object.ts";
import { configMaps } from "../../src/api/resources.ts";
import { createCache } from "../../src/client/cache.ts";
import type { Cache } from "../../src/client/cached.ts";
import type { Client } from "../../src/client/client.ts";
import { createClient } from "../../src/client/connect.ts";
import { silentLog } from "../../src/observe/log.ts";
import type { Certificates } from "./certificates.ts";
import { makeCertificates } from "./certificates.ts";
import { FakeServer } from "./fake-server.ts";
import { manualClock, until } from "./waiting.ts";

let certificates: Certificates;
before(async () => {
  certificates = await makeCertificates();
});

/** Lets time go on step by step, up to `most` milliseconds, until something holds: what waits for real packets must not run out of it. */
async function passing(clock: Trial["clock"], most: number, what: string, holds: () => boolean): Promise<void> {
  let passed = 0;
  await until(what, () => {
    if (holds()) return true;
    if (passed < most) clock.advance(100);
    passed += 100;
    return holds();
  });
}

interface Trial {
  readonly server: FakeServer;
  readonly caches: readonly Cache<KubeObject>[];
  readonly clock: ReturnType<typeof manualClock>;
  /** How often the server was asked for a sign of life. */
  readonly signs: () => number;
  readonly watches: () => number;
  /** Milliseconds since the older of the caches was last known to be current. */
  readonly age: () => number;
}

/** Two caches of one client, with their watches open. */
async function trial(t: TestContext): Promise<Trial> {
  const server = new FakeServer(certificates);
  await server.start();
  server.put("a", "0");
  const clock = manualClock();
  const client = createClient({ server: server.url, ca: certificates.ca, clock });
  let opened = 0;
  const counting: Client = {
    ...client,
    get heardAt() {
      return client.heardAt!;
    },
    watch: (resource, parameters, signal, tell) =>
      client.watch(resource, parameters, signal, () => {
        opened += 1;
        tell?.();
      }),
  };
  const options = {
    client: counting,
    resource: configMaps,
    namespace: "default",
    clock,
    random: () => 0.5,
    log: silentLog,
  };
  const caches = [createCache<KubeObject>(options), createCache<KubeObject>(options)];
  t.after(async () => {
    for (const cache of caches) cache.stop();
    client.close();
    await server.stop();
  });
  assert.deepEqual(
    caches.map(({ heardAt }) => heardAt),
    [undefined, undefined],
    "before the first list nothing is known",
  );
  await until("both watches are open", () => opened === 2);
  return {
    server,
    caches,
    clock,
    signs: () => server.requests.filter((line) => line.endsWith("/version")).length,
    watches: () => server.requests.filter((line) => line.includes("watch=true")).length,
    age: () => clock.now() - Math.min(...caches.map(({ heardAt }) => heardAt ?? 0)),
  };
}

test("in silence the server is asked for one sign of life, whatever it answers, and what is held is current again", async (t) => {
  const { server, clock, signs, watches, age } = await trial(t);
  for (const [turn, code] of [200, 403, 500].entries()) {
    server.sign = code;
    clock.advance(9000);
    assert.equal(age(), 9000);
    clock.advance(1000);
    await until("it is known to be current", () => age() === 0);
    assert.equal(signs(), turn + 1);
  }
  assert.equal(watches(), 2);
});

test("an event that one cache hears makes all of its client's current; then nobody asks for a sign of life", async (t) => {
  const { server, clock, signs, age, caches } = await trial(t);
  for (let turn = 1; turn < 10; turn += 1) {
    clock.advance(9000);
    server.put("a", `${turn}`);
    await until("the event is taken in", () =>
      caches.every((cache) => JSON.stringify(cache.get("default/a")).includes(`"value":"${turn}"`)),
    );
    assert.equal(age(), 0);
  }
  assert.equal(signs(), 0);
});

test("bookmarks make it current too", async (t) => {
  const { server, clock, age, caches } = await trial(t);
  const held = caches[0]!.resourceVersion;
  clock.advance(9000);
  server.bookmark();
  await until("the bookmark is taken in", () => caches.every(({ resourceVersion }) => resourceVersion !== held));
  assert.equal(age(), 0);
});

test("a frozen server is noticed within 30 seconds; what is held stays, ages, and is made current when the server goes on", async (t) => {
  const { server, clock, signs, watches, age, caches } = await trial(t);
  server.frozen = true;
  server.put("a", "unseen");
  clock.advance(10_000);
  await until("a first question", () => signs() === 1);
  clock.advance(7500);
  await passing(clock, 1500, "a second question", () => signs() === 2);
  assert.equal(watches(), 2);
  clock.advance(7500);
  await passing(clock, 1000, "both watches are opened anew", () => watches() === 4);
  assert.equal(age() < 30_000, true, `it took ${age()} ms`);
  assert.equal(age() > 25_000, true, `it took ${age()} ms`);
  const before = age();
  clock.advance(20_000);
  assert.equal(age(), before + 20_000);
  assert.match(JSON.stringify(caches[0]?.get("default/a")), /"value":"0"/);

  server.frozen = false;
  await passing(clock, 60_000, "what was not heard of is taken in", () =>
    caches.every((cache) => JSON.stringify(cache.get("default/a")).includes("unseen")),
  );
  clock.advance(10_000);
  await until("it is current", () => age() === 0);
});

test("one sign of life that stays out ends no watch", async (t) => {
  const { server, clock, signs, watches, age } = await trial(t);
  server.frozen = true;
  clock.advance(10_000);
  await until("a first question", () => signs() === 1);
  server.frozen = false;
  clock.advance(7500);
  await passing(clock, 1500, "a second question", () => signs() === 2);
  await until("it is current", () => age() === 0);
  assert.equal(watches(), 2);
});

test("while its watch is broken a cache grows older, although the server answers other requests", async (t) => {
  const { server, clock, caches, age } = await trial(t);
  // Only the first cache loses its watch, and finds no other.
  for (let turn = 0; turn < 100; turn += 1) {
    server.watchFaults.push((_request, response) => {
      response.writeHead(500);
      response.end("oops");
      return true;
    });
  }
  let cut = false;
  server.eachWatch((response) => {
    if (!cut) response.destroy();
    cut = true;
  });
  await until("one watch is left", () => server.watching === 1);
  for (let second = 0; second < 20; second += 1) {
    clock.advance(1000);
    server.put("a", `${second}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until("the other cache is current", () => caches.some(({ heardAt }) => heardAt === clock.now()));
  // Lists of the first are asked for in between; each of them makes it as current as it was then.
  const ages = caches.map(({ heardAt }) => clock.now() - (heardAt ?? 0));
  assert.equal(Math.max(...ages), age());
  assert.equal(age() > 0, true, ages.join());
});
