import assert from "node:assert/strict";
import { test } from "node:test";
import * as packets from "dns-packet";
import { usualCache } from "../../src/dns/configuration/usual.ts";
import { manualClock } from "../client/waiting.ts";
import { answer, NXDOMAIN, resolver, SERVFAIL, truncated } from "./resolver.ts";
import { ask, overUdp, running } from "./running.ts";

const soa: packets.Answer = {
  type: "SOA",
  name: "test",
  ttl: 300,
  data: { mname: "ns.test", rname: "host.test", serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 30 },
};
const denial = (query: packets.DecodedPacket, rcode: number): Buffer =>
  packets.encode({ ...packets.decode(answer(query, [], { flags: rcode })), authorities: [soa] });

void test("DNS-082: positive and negative answers are kept as long as they say, with TTLs that grow less", async (t) => {
  const clock = manualClock();
  const asked: string[] = [];
  const upstream = await resolver(t, (query) => {
    const { name, type } = query.questions![0]!;
    asked.push(`${name} ${type}`);
    if (name.startsWith("missing")) return [denial(query, NXDOMAIN)];
    return [type === "A" ? answer(query, ["192.0.2.1"]) : denial(query, 0)];
  });
  const { dns, dig } = await running(t, { upstreams: [upstream.address], clock, block: { cache: usualCache } });
  await dns.synced();
  const ttl = async (...args: string[]): Promise<number> =>
    Number(/\s(\d+)\s+IN\s+(?:A|SOA)\s/.exec(await dig(...args))?.[1]);

  assert.match(await dig("a.test"), /flags: qr rd ra;[^]*a\.test\.\s+60\s+IN\s+A\s+192\.0\.2\.1/);
  clock.advance(20_000);
  assert.equal(await ttl("a.test"), 40);
  assert.match(await dig("A.TeSt"), /^;A\.TeSt\.[^]*^a\.test\.\s+40\s+IN\s+A\s+192\.0\.2\.1$/m);
  assert.equal(await ttl("+tcp", "a.test"), 40);
  assert.deepEqual(asked, ["a.test A"]);

  // Thirty seconds, as the last field of the SOA record says, though the record itself has 300.
  assert.match(await dig("missing.test"), /status: NXDOMAIN[^]*test\.\s+30\s+IN\s+SOA/);
  assert.match(await dig("a.test", "AAAA"), /status: NOERROR[^]*ANSWER: 0, AUTHORITY: 1/);
  clock.advance(10_000);
  assert.equal(await ttl("missing.test"), 20);
  assert.equal(await ttl("a.test", "AAAA"), 20);
  assert.deepEqual(asked.slice(1), ["missing.test A", "a.test AAAA"]);
  clock.advance(20_000);
  assert.match(await dig("missing.test"), /status: NXDOMAIN/);
  assert.deepEqual(asked.slice(3), ["missing.test A"]);
  clock.advance(10_000);
  assert.equal(await ttl("a.test"), 60);
  assert.deepEqual(asked.slice(4), ["a.test A"]);
});

void test("askers with EDNS and without, with DO and without, get what is theirs from memory", async (t) => {
  let asked = 0;
  const upstream = await resolver(t, (query) => {
    asked += 1;
    return [answer(query, ["192.0.2.1"])];
  });
  const { dns, dig } = await running(t, { upstreams: [upstream.address], block: { cache: usualCache } });
  await dns.synced();
  for (let turn = 0; turn < 2; turn += 1) {
    assert.doesNotMatch(await dig("+noedns", "a.test"), /EDNS|WARNING/);
    assert.match(await dig("+bufsize=4096", "a.test"), /EDNS: version: 0, flags:; udp: 1232/);
    assert.match(await dig("+dnssec", "a.test"), /EDNS: version: 0, flags: do; udp: 1232/);
    assert.match(await dig("+cd", "a.test"), /flags: qr rd ra cd;/);
    assert.doesNotMatch(await dig("a.test"), / cd;/);
  }
  assert.equal(asked, 3);
});

void test("an answer that was cut is not kept", async (t) => {
  let isCut = true;
  const upstream = await resolver(t, (query) => [isCut ? truncated(query) : answer(query, ["192.0.2.1"])]);
  const { dns, dig } = await running(t, { upstreams: [upstream.address], block: { cache: usualCache } });
  await dns.synced();
  assert.match(await dig("+ignore", "a.test"), /flags: qr tc rd ra;/);
  isCut = false;
  assert.equal(await dig("+short", "+ignore", "a.test"), "192.0.2.1");
});

void test("many clients that ask the same at one time make one query upstream, and each gets its own id", async (t) => {
  let asked = 0;
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const upstream = await resolver(t, async (query) => {
    asked += 1;
    await held;
    return [answer(query, ["192.0.2.1"])];
  });
  const { dns, dig, port } = await running(t, { upstreams: [upstream.address] });
  await dns.synced();
  const waiting = Array.from({ length: 40 }, (_, at) =>
    overUdp(port, ask(at % 2 === 0 ? "a.test" : "A.Test", "A", at), 10_000),
  );
  // The server has read them all when it has answered what was sent after them.
  await dig("kubernetes.default.svc.cluster.local");
  release();
  const replies = await Promise.all(waiting);
  assert.deepEqual(
    replies.map((reply) => packets.decode(reply!).questions![0]!.name),
    replies.map((_, at) => (at % 2 === 0 ? "a.test" : "A.Test")),
  );
  assert.deepEqual(
    replies.map((reply) => reply!.readUInt16BE(0)),
    replies.map((_, at) => at),
  );
  assert.equal(asked, 1);
});

void test("RFC 8767: with nobody upstream, answers that are over are told with a TTL of 0", async (t) => {
  const clock = manualClock();
  let isFailing = false;
  const upstream = await resolver(t, (query) => [
    isFailing ? answer(query, [], { flags: SERVFAIL }) : answer(query, ["192.0.2.1"]),
  ]);
  const cache = { ...usualCache, serveStale: { duration: 3_600_000, verify: true } };
  const { dns, dig } = await running(t, { upstreams: [upstream.address], clock, block: { cache } });
  await dns.synced();
  assert.equal(await dig("+short", "a.test"), "192.0.2.1");
  isFailing = true;
  clock.advance(61_000);
  assert.match(await dig("a.test"), /status: NOERROR[^]*a\.test\.\s+0\s+IN\s+A\s+192\.0\.2\.1/);
  clock.advance(3_600_000);
  assert.match(await dig("a.test"), /status: SERVFAIL/);
});

void test("DNS-050, DNS-082: an ExternalName's target is taken from memory too", async (t) => {
  let asked = 0;
  const upstream = await resolver(t, (query) => {
    asked += 1;
    return [answer(query, ["192.0.2.90"])];
  });
  const { dns, dig } = await running(t, { upstreams: [upstream.address], block: { cache: usualCache } });
  await dns.synced();
  for (let turn = 0; turn < 3; turn += 1) {
    assert.equal(await dig("+short", "external.testns.svc.cluster.local"), "ext.interwebs.test.\n192.0.2.90");
  }
  assert.equal(asked, 1);
});
