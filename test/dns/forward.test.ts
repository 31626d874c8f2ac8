import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import * as packets from "dns-packet";
import { usualForward } from "../../src/dns/configuration/usual.ts";
import { createForwarder } from "../../src/dns/forward/forwarder.ts";
import type { Response } from "../../src/dns/forward/response.ts";
import { parseQuery } from "../../src/dns/wire/query.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { answer, NXDOMAIN, resolver, SERVFAIL, truncated } from "./resolver.ts";
import { ask, running } from "./running.ts";

const SVC = "testns.svc.cluster.local";

void test("DNS-081: other names are answered by the upstream, over UDP and TCP, with RA set", async (t) => {
  const { address: upstream } = await resolver(t, (query) => [answer(query, ["192.0.2.80"])]);
  const { dns, dig } = await running(t, { upstreams: [upstream] });
  await dns.synced();
  for (const transport of ["+notcp", "+tcp"]) {
    const found = await dig(transport, "example.com");
    assert.match(found, /flags: qr rd ra;/);
    assert.match(found, /example\.com\.\s+60\s+IN\s+A\s+192\.0\.2\.80/);
  }
  assert.match(await dig(`svc1.${SVC}`), /flags: qr aa rd ra;/);
});

void test("DNS-081: ids and ports differ from query to query, and the client gets its own id back", async (t) => {
  const ids = new Set<number>();
  const { address: upstream } = await resolver(t, (query) => {
    ids.add(query.id!);
    return [answer(query, ["192.0.2.80"])];
  });
  let state = 0;
  const random = (): number => (state = (state + 0.377) % 1);
  const { dns, dig } = await running(t, { upstreams: [upstream], random });
  await dns.synced();
  for (let turn = 0; turn < 5; turn += 1) assert.equal(await dig("+short", "example.com"), "192.0.2.80");
  assert.equal(ids.size, 5);
});

void test("DNS-081: responses with another id or question are passed over", async (t) => {
  const { address: upstream } = await resolver(t, (query) => [
    answer(query, ["203.0.113.1"], { id: (query.id! + 1) & 0xffff }),
    answer({ ...query, questions: [{ type: "A", name: "other.com", class: "IN" }] }, ["203.0.113.2"]),
    Buffer.from([1, 2, 3]),
    answer(query, ["192.0.2.80"]),
  ]);
  const { dns, dig } = await running(t, { upstreams: [upstream] });
  await dns.synced();
  assert.equal(await dig("+short", "example.com"), "192.0.2.80");
});

void test("DNS-057: a truncated upstream answer is truncated for UDP, and asked again over TCP for TCP", async (t) => {
  const { address: upstream } = await resolver(t, (query, transport) => [
    transport === "udp" ? truncated(query) : answer(query, ["192.0.2.81", "192.0.2.82"]),
  ]);
  const { dns, dig } = await running(t, { upstreams: [upstream] });
  await dns.synced();
  assert.match(await dig("+ignore", "example.com"), /flags: qr tc rd ra;/);
  assert.equal(await dig("+short", "example.com"), "192.0.2.81\n192.0.2.82");
});

void test("DNS-081: an upstream that fails or is not there is passed over for the next", async (t) => {
  const { address: failing } = await resolver(t, (query) => [answer(query, [], { flags: SERVFAIL })]);
  const { address: working } = await resolver(t, (query) => [answer(query, ["192.0.2.80"])]);
  const { dns, dig } = await running(t, { upstreams: ["127.0.0.1:1", failing, working] });
  await dns.synced();
  assert.equal(await dig("+short", "example.com"), "192.0.2.80");
});

void test("when no upstream answers, the client hears SERVFAIL before it gives up, and the zone is not held up", async (t) => {
  const { address: silent } = await resolver(t, () => []);
  const { dns, dig } = await running(t, { upstreams: [silent] });
  await dns.synced();
  const waiting = dig("+time=6", "example.com");
  assert.equal(await dig("+short", `svc1.${SVC}`), "10.0.0.1");
  assert.match(await waiting, /status: SERVFAIL/);
});

void test("queries beyond what may wait for upstreams fail at once, and room is made again", async (t) => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const upstream = createSocket("udp4");
  upstream.on("message", (packet, from) => {
    void held.then(() => upstream.send(answer(packets.decode(packet), ["192.0.2.80"]), from.port, from.address));
  });
  upstream.bind(0, "127.0.0.1");
  await once(upstream, "listening");
  t.after(() => upstream.close());
  const { port, address } = upstream.address();
  const forwarder = createForwarder({
    forward: usualForward([{ address, port }]),
    clock: systemClock,
    random: Math.random,
    waiting: 3,
  });
  const query = ask("example.com");
  t.after(() => forwarder.stop());
  const asked = (): Promise<Response> => forwarder.resolve(query, parseQuery(query)!, "udp");
  const waiting = [1, 2, 3].map(asked);
  await assert.rejects(asked(), /3 queries wait for them already/);
  release();
  assert.equal((await Promise.all(waiting)).length, 3);
  assert.equal((await asked()).answers, 1);
});

void test("DNS-045: a reverse name nobody here has goes upstream, a known one does not", async (t) => {
  const asked: string[] = [];
  const { address: upstream } = await resolver(t, (query) => {
    asked.push(query.questions![0]!.name);
    return [answer(query, [], { flags: NXDOMAIN })];
  });
  const { dns, dig } = await running(t, { upstreams: [upstream] });
  await dns.synced();
  assert.match(await dig("-x", "192.0.2.9"), /status: NXDOMAIN/);
  assert.equal(await dig("+short", "-x", "10.0.0.1"), `svc1.${SVC}.`);
  assert.deepEqual(asked, ["9.2.0.192.in-addr.arpa"]);
});

void test("DNS-050, DNS-052: an ExternalName brings its target's addresses, or its target alone where it has none or nobody can say", async (t) => {
  let flags = 0;
  let addresses = ["192.0.2.90", "192.0.2.91"];
  const { address: upstream } = await resolver(t, (query) => [answer(query, addresses, { flags })]);
  const { dns, dig } = await running(t, { upstreams: [upstream] });
  await dns.synced();
  const name = `external.${SVC}`;
  const asked = async (): Promise<string> => dig("+short", name);
  assert.equal(await asked(), "ext.interwebs.test.\n192.0.2.90\n192.0.2.91");
  addresses = [];
  flags = NXDOMAIN;
  assert.equal(await asked(), "ext.interwebs.test.");
  assert.match(await dig(name), /status: NOERROR/);
  flags = SERVFAIL;
  assert.equal(await asked(), "ext.interwebs.test.");
  assert.match(await dig(name), /status: NOERROR[^]*ANSWER: 1, AUTHORITY: 0/);
});

void test("DNS-057: an ExternalName whose target was truncated upstream is truncated for UDP, and whole over TCP", async (t) => {
  const all = Array.from({ length: 60 }, (_, index) => `192.0.2.${index + 1}`);
  const { address: upstream } = await resolver(t, (query, transport) => [
    transport === "udp" ? truncated(query) : answer(query, all),
  ]);
  const { dns, dig } = await running(t, { upstreams: [upstream] });
  await dns.synced();
  assert.match(await dig("+ignore", "+noedns", `external.${SVC}`), /flags: qr aa tc rd/);
  const [target, ...addresses] = (await dig("+short", "+noedns", `external.${SVC}`)).split("\n");
  assert.equal(target, "ext.interwebs.test.");
  assert.deepEqual(addresses.toSorted(), all.toSorted());
});

void test("an upstream that is this server itself is left out", async (t) => {
  const first = await running(t);
  const address = `127.0.0.1:${first.port}`;
  await first.dns.stop();
  const { dns, dig } = await running(t, {
    listen: { address: "127.0.0.1", port: first.port },
    upstreams: [address],
  });
  await dns.synced();
  assert.match(await dig("example.com"), /status: REFUSED/);
  await dns.stop();
  // So is each address of the machine, where all of them are listened on.
  const everywhere = await running(t, { listen: { address: "0.0.0.0", port: first.port }, upstreams: [address] });
  await everywhere.dns.synced();
  assert.match(await everywhere.dig("example.com"), /status: REFUSED/);
});
