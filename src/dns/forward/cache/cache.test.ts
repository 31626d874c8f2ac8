import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as packets from "dns-packet";
import { manualClock } from "../../../../test/client/waiting.ts";
import type { CacheOptions } from "../../configuration/configuration.ts";
import { usualCache } from "../../configuration/usual.ts";
import { parseQuery } from "../../wire/query.ts";
import { noFigures, type ForwardFigures } from "../figures.ts";
import type { Transport } from "../outside.ts";
import { readResponse } from "../response.ts";
import { Unanswered } from "../resolver.ts";
import { createTogether } from "../together.ts";
import { createCache } from "./cache.ts";

interface Asked {
  readonly name?: string;
  readonly dnssecOk?: boolean;
  readonly flags?: number;
  readonly transport?: Transport;
}

const query = ({ name = "a.test", dnssecOk = false, flags = 0x100 }: Asked): Buffer =>
  packets.encode({
    type: "query",
    id: 5,
    flags,
    questions: [{ name, type: "A" }],
    ...(dnssecOk
      ? { additionals: [{ type: "OPT", name: ".", udpPayloadSize: 1232, flags: 0x8000 } as packets.Answer] }
      : {}),
  });

const soa: packets.Answer = {
  type: "SOA",
  name: "test",
  ttl: 60,
  data: { mname: "ns.test", rname: "host.test", serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 60 },
};

function cached(cache: Partial<CacheOptions> = {}) {
  const clock = manualClock();
  const counted: Record<string, number> = {};
  const count = (what: string) => (): void => void (counted[what] = (counted[what] ?? 0) + 1);
  const figures: ForwardFigures = {
    ...noFigures,
    cacheHit: (kind) => count(kind)(),
    cacheMiss: count("miss"),
    cacheEvicted: count("evicted"),
    servedStale: count("stale"),
    prefetched: count("prefetch"),
  };
  /** What the upstream says, and what it was asked. */
  const upstream = { rcode: 0, ttl: 60, address: 1, gone: false, never: false, asked: 0 };
  const resolver = createTogether({
    resolve(packet, { end }) {
      upstream.asked += 1;
      if (upstream.never) return new Promise(() => {});
      if (upstream.gone) return Promise.reject(new Unanswered("none answered"));
      const { questions } = packets.decode(packet.subarray(0, end).fill(0, 6, 12));
      const { rcode, ttl, address } = upstream;
      const { name } = questions![0]!;
      const bytes = packets.encode({
        type: "response",
        flags: 0x180 | rcode,
        questions: questions!,
        answers: rcode === 0 ? [{ type: "A", name, ttl, data: `192.0.2.${address}` }] : [],
        authorities: rcode === 3 ? [soa] : [],
      });
      return Promise.resolve(readResponse(bytes, end)!);
    },
    stop() {},
  });
  const outside = createCache({ resolver, cache: { ...usualCache, ...cache }, clock, figures });
  /** `RCODE ADDRESS TTL` of the answer. */
  const ask = async (asked: Asked = {}): Promise<string> => {
    const packet = query(asked);
    const reply = packets.decode(await outside.resolve(packet, parseQuery(packet)!, asked.transport ?? "udp"));
    const [first] = reply.answers as { data: string; ttl: number }[];
    const code = (reply as unknown as { rcode: string }).rcode;
    return first === undefined ? code : `${code} ${first.data} ${first.ttl}`;
  };
  return { clock, counted, upstream, ask };
}

const seconds = (count: number): number => count * 1000;

void describe("the cache of what is outside", () => {
  void test("DNS-082: an answer is asked for once while its TTL lasts, which is told as what is left of it", async () => {
    const { clock, upstream, ask, counted } = cached();
    assert.equal(await ask(), "NOERROR 192.0.2.1 60");
    upstream.address = 2;
    clock.advance(seconds(59.5));
    assert.equal(await ask({ name: "A.TEST" }), "NOERROR 192.0.2.1 1");
    clock.advance(seconds(0.5));
    assert.equal(await ask(), "NOERROR 192.0.2.2 60");
    assert.equal(upstream.asked, 2);
    assert.deepEqual(counted, { miss: 2, success: 1 });
  });

  void test("DNS-082: a denial is kept likewise, and a failure for 5 seconds", async () => {
    const { clock, upstream, ask } = cached();
    upstream.rcode = 3;
    for (let turn = 0; turn < 3; turn += 1) assert.equal(await ask(), "NXDOMAIN");
    assert.equal(upstream.asked, 1);
    clock.advance(seconds(60));
    upstream.rcode = 2;
    for (let turn = 0; turn < 3; turn += 1) assert.equal(await ask(), "SERVFAIL");
    assert.equal(upstream.asked, 2);
    clock.advance(seconds(5));
    upstream.rcode = 0;
    assert.equal(await ask(), "NOERROR 192.0.2.1 60");
  });

  void test("the DO and CD bits have answers of their own; without RD nothing is kept", async () => {
    const { upstream, ask } = cached();
    await ask({ flags: 0 });
    await ask({ flags: 0 });
    assert.equal(upstream.asked, 2);
    for (const asked of [{}, { dnssecOk: true }, { flags: 0x110 }, { dnssecOk: true, flags: 0x110 }]) {
      await ask(asked);
      await ask(asked);
    }
    assert.equal(upstream.asked, 6);
  });

  void test("of equal questions at one time one goes upstream", async () => {
    const { upstream, ask } = cached();
    const answers = await Promise.all(["a.test", "A.test", "a.TEST"].map((name) => ask({ name })));
    assert.deepEqual([answers.length, new Set(answers).size, upstream.asked], [3, 1, 1]);
  });

  void test("TTLs can be kept as they came", async () => {
    const { clock, ask } = cached({ keepTtl: true });
    await ask();
    clock.advance(seconds(30));
    assert.equal(await ask(), "NOERROR 192.0.2.1 60");
  });

  void test("names outside the zones, and those that are left out, are asked for each time", async () => {
    const zoned = cached({ zones: ["b.test"] });
    for (let turn = 0; turn < 2; turn += 1) await zoned.ask();
    assert.equal(zoned.upstream.asked, 2);
    for (let turn = 0; turn < 2; turn += 1) await zoned.ask({ name: "x.b.test" });
    assert.equal(zoned.upstream.asked, 3);

    const part = cached({ disable: { success: [], denial: ["test"] } });
    for (let turn = 0; turn < 2; turn += 1) await part.ask();
    part.upstream.rcode = 3;
    for (let turn = 0; turn < 2; turn += 1) await part.ask({ name: "c.test" });
    assert.equal(part.upstream.asked, 3);
  });

  void test("RFC 8767: an answer that is over is told with a TTL of 0, and asked for anew behind", async () => {
    const { clock, upstream, ask, counted } = cached({ serveStale: { duration: seconds(3600), verify: false } });
    await ask();
    clock.advance(seconds(61));
    upstream.address = 2;
    assert.equal(await ask(), "NOERROR 192.0.2.1 0");
    await new Promise(setImmediate);
    assert.equal(await ask(), "NOERROR 192.0.2.2 60");
    assert.equal(counted["stale"], 1);
    // Nobody upstream: asked again only after a while, and told until the time is up.
    upstream.gone = true;
    clock.advance(seconds(61));
    for (let turn = 0; turn < 5; turn += 1) {
      assert.equal(await ask(), "NOERROR 192.0.2.2 0");
      await new Promise(setImmediate);
    }
    assert.equal(upstream.asked, 3);
    clock.advance(seconds(3600));
    await assert.rejects(ask(), /none answered/);
  });

  void test("RFC 8767: with verify the upstream is waited for first, but not long; its failure is not told", async () => {
    const { clock, upstream, ask } = cached({ serveStale: { duration: seconds(3600), verify: true } });
    await ask();
    clock.advance(seconds(61));
    upstream.address = 2;
    assert.equal(await ask(), "NOERROR 192.0.2.2 60");
    clock.advance(seconds(61));
    upstream.rcode = 2;
    assert.equal(await ask(), "NOERROR 192.0.2.2 0");
    clock.advance(seconds(31));
    upstream.never = true;
    const waiting = ask();
    clock.advance(1800);
    assert.equal(await waiting, "NOERROR 192.0.2.2 0");
  });

  void test("what is asked for often is fetched anew before it is over", async () => {
    const prefetch = { amount: 2, duration: seconds(60), percentage: 10 };
    const { clock, upstream, ask, counted } = cached({ prefetch });
    await ask();
    await ask();
    clock.advance(seconds(50));
    await ask();
    assert.equal(upstream.asked, 1);
    clock.advance(seconds(5));
    upstream.address = 2;
    assert.equal(await ask(), "NOERROR 192.0.2.1 5");
    await new Promise(setImmediate);
    assert.equal(await ask(), "NOERROR 192.0.2.2 60");
    assert.deepEqual([upstream.asked, counted["prefetch"]], [2, 1]);
  });

  void test("at most so many answers are kept", async () => {
    const { ask, counted } = cached({ success: { capacity: 10, ttl: 60, minTtl: 5 } });
    for (let name = 0; name < 25; name += 1) await ask({ name: `n${name}.test` });
    assert.equal(counted["evicted"], 15);
  });
});
