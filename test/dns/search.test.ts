import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, test, type TestContext } from "node:test";
import * as packets from "dns-packet";
import type { PodClient } from "../../src/dns/clients/clients.ts";
import { usualBlock, usualForward } from "../../src/dns/configuration/usual.ts";
import { outsideOf } from "../../src/dns/forward/outside-of.ts";
import type { Outside } from "../../src/dns/forward/outside.ts";
import { clusterSource } from "../../src/dns/names/cluster.ts";
import { RCODE } from "../../src/dns/names/record.ts";
import type { Source } from "../../src/dns/names/source.ts";
import type { Block } from "../../src/dns/server/block.ts";
import { createResponder } from "../../src/dns/server/respond.ts";
import { listenTcp } from "../../src/dns/server/tcp.ts";
import { listenUdp } from "../../src/dns/server/udp.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { ask, framed, overTcp, overUdp } from "./running.ts";
import { testContents, zonesOf } from "./testns.ts";

const SUFFIX = "testns.svc.cluster.local";

const source = (): Source =>
  clusterSource({ zones: zonesOf({ searches: true }), contents: testContents(), isReady: () => true });

/** The resolver on this port of 127.0.0.1. */
const forward = (port: number): Outside | undefined =>
  outsideOf(
    { ...usualBlock, forward: [usualForward([{ address: "127.0.0.1", port }])] },
    { clock: systemClock, random: Math.random, log: silentLog, isOwn: () => false },
  );

type Records = Readonly<Record<string, readonly packets.Answer[]>>;
const SOA: packets.Answer = {
  type: "SOA",
  name: "test",
  ttl: 60,
  data: { mname: "ns.test", rname: "root.test", serial: 42, refresh: 1, retry: 2, expire: 3, minimum: 60 },
};

/** A resolver on 127.0.0.1 that knows these names and remembers what it was asked. */
async function upstream(t: TestContext, names: Records, failing: readonly string[] = []) {
  const asked: string[] = [];
  const udp = createSocket("udp4");
  udp.on("message", (packet, from) => {
    const query = packets.decode(packet);
    const { name, type } = query.questions![0]!;
    asked.push(`${name} ${type}`);
    const chain: packets.Answer[] = [];
    let at = name;
    for (;;) {
      const alias = names[at]?.find((record) => record.type === "CNAME");
      if (alias?.type !== "CNAME" || type === "CNAME") break;
      chain.push(alias);
      at = alias.data;
    }
    const answers = [...chain, ...(names[at] ?? []).filter((record) => record.type === type)];
    const isThere = names[at] !== undefined;
    const rcode = failing.includes(name) ? RCODE.SERVFAIL : isThere ? 0 : RCODE.NXDOMAIN;
    const response = packets.encode({
      type: "response",
      ...(query.id === undefined ? {} : { id: query.id }),
      flags: packets.RECURSION_DESIRED | packets.RECURSION_AVAILABLE | rcode,
      questions: query.questions ?? [],
      answers: rcode === RCODE.SERVFAIL ? [] : answers,
      authorities: answers.length > chain.length ? [] : [SOA],
    });
    udp.send(response, from.port, from.address);
  });
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  t.after(() => udp.close());
  return { asked, port: udp.address().port };
}

const a = (name: string, data: string): packets.Answer => ({ type: "A", name, ttl: 60, data });
const aaaa = (name: string, data: string): packets.Answer => ({ type: "AAAA", name, ttl: 60, data });
const alias = (name: string, data: string): packets.Answer => ({ type: "CNAME", name, ttl: 60, data });

const POD: PodClient = { namespace: "testns", name: "web-0", searches: [], logged: false };

/** A server whose clients on 127.0.0.1 are all this pod. */
async function serving(
  t: TestContext,
  options: { pod?: PodClient | undefined; upstream?: number; blocks?: (usual: Block) => Block[] },
) {
  const outside = options.upstream === undefined ? undefined : forward(options.upstream);
  t.after(() => outside?.stop());
  const block: Block = { apex: [], sources: [source()], outside, rotates: true };
  const responder = createResponder({
    blocks: options.blocks?.(block) ?? [block],
    clients: { of: (address) => (address === "127.0.0.1" ? options.pod : undefined) },
    serial: () => 7,
    log: silentLog,
    random: Math.random,
  });
  const tcp = await listenTcp(responder, { address: "127.0.0.1", port: 0 }, systemClock, silentLog);
  const udp = await listenUdp(responder, { address: "127.0.0.1", port: tcp.port }, silentLog);
  t.after(() => Promise.all([udp.close(), tcp.close()]));
  return {
    bytes: async (name: string, type: packets.RecordType = "A"): Promise<Buffer> => {
      const reply = await overUdp(tcp.port, ask(name, type));
      assert.ok(reply !== undefined, `no answer for ${name} ${type}`);
      return reply;
    },
    port: tcp.port,
  };
}

const flags = (reply: Buffer): string =>
  `${reply[3]! & 15}${(reply[2]! & 4) > 0 ? " aa" : ""}${(reply[3]! & 0x80) > 0 ? " ra" : ""}${(reply[3]! & 0x20) > 0 ? " ad" : ""}`;
const answersOf = (reply: Buffer): packets.Answer[] => packets.decode(reply).answers ?? [];
const strip = (record: packets.Answer): unknown =>
  "data" in record && "ttl" in record ? [record.name, record.type, record.ttl, record.data] : record;

void describe("the search list in one reply", () => {
  void test("an outside name of a pod's first search domain is answered at once, with one query upstream per type asked", async (t) => {
    const names = { "www.example.test": [a("www.example.test", "192.0.2.1"), aaaa("www.example.test", "2001:db8::1")] };
    const { asked, port } = await upstream(t, names);
    const { bytes } = await serving(t, { pod: POD, upstream: port });
    const name = `www.example.test.${SUFFIX}`;
    const four = await bytes(name);
    assert.equal(flags(four), "0 aa ra");
    assert.deepEqual(answersOf(four).map(strip), [
      [name, "CNAME", 5, "www.example.test"],
      ["www.example.test", "A", 60, "192.0.2.1"],
    ]);
    assert.deepEqual(asked, ["www.example.test A"]);
    assert.deepEqual(answersOf(await bytes(name, "AAAA")).map(strip), [
      [name, "CNAME", 5, "www.example.test"],
      ["www.example.test", "AAAA", 60, "2001:db8::1"],
    ]);
    assert.deepEqual(asked, ["www.example.test A", "www.example.test AAAA"]);
  });

  void test("every type is handed on: TXT, MX, SRV, HTTPS, SOA, CAA, and chains of aliases", async (t) => {
    const name = "www.example.test";
    const records: packets.Answer[] = [
      { type: "TXT", name, ttl: 60, data: [Buffer.from("one"), Buffer.from("two words")] },
      { type: "MX", name, ttl: 60, data: { preference: 10, exchange: "mail.example.test" } },
      { type: "SRV", name, ttl: 60, data: { priority: 1, weight: 2, port: 3, target: "srv.example.test" } },
      { type: "CAA", name, ttl: 60, data: { flags: 0, tag: "issue", value: "ca.test", issuerCritical: false } },
      { ...SOA, name },
    ];
    const names = {
      [name]: records,
      "alias.example.test": [alias("alias.example.test", "second.example.test")],
      "second.example.test": [alias("second.example.test", name)],
    };
    const { port } = await upstream(t, names);
    const { bytes } = await serving(t, { pod: POD, upstream: port });
    for (const record of records) {
      const [first, ...others] = answersOf(await bytes(`${name}.${SUFFIX}`, record.type));
      assert.deepEqual(strip(first!), [`${name}.${SUFFIX}`, "CNAME", 5, name]);
      assert.deepEqual(others.map(strip), [record].map(strip), record.type);
    }
    const chained = answersOf(await bytes(`alias.example.test.${SUFFIX}`, "MX"));
    assert.deepEqual(
      chained.map((record) => `${record.name} ${record.type}`),
      [`alias.example.test.${SUFFIX} CNAME`, "alias.example.test CNAME", "second.example.test CNAME", `${name} MX`],
    );
    const ends = answersOf(await bytes(`alias.example.test.${SUFFIX}`, "CNAME")).map(strip);
    assert.deepEqual(ends.at(-1), ["alias.example.test", "CNAME", 60, "second.example.test"]);
  });

  void test("RFC 9460: an HTTPS record is handed on byte for byte", async (t) => {
    const data = Buffer.from("0001000001000302683200040004c0000201", "hex");
    const udp = createSocket("udp4");
    udp.on("message", (packet, from) => {
      const end = packet.indexOf(0, 12) + 5;
      const reply = Buffer.concat([packet.subarray(0, end), Buffer.from("c00c004100010000003c0012", "hex"), data]);
      reply[2] = 0x81;
      reply[3] = 0x80;
      reply.writeUInt32BE(0x0001_0000, 6);
      reply.writeUInt16BE(0, 10);
      udp.send(reply, from.port, from.address);
    });
    udp.bind(0, "127.0.0.1");
    await once(udp, "listening");
    t.after(() => udp.close());
    const { bytes } = await serving(t, { pod: POD, upstream: udp.address().port });
    const reply = await bytes(`www.example.test.${SUFFIX}`, "HTTPS" as packets.RecordType);
    assert.equal(packets.decode(reply).answers?.length, 2);
    assert.ok(reply.includes(data));
  });

  void test("RFC 2308 §2: outside there is no such name, or nothing of that type: the code, the alias, and the outside's start of authority", async (t) => {
    const { port } = await upstream(t, { "here.test": [a("here.test", "192.0.2.1")] });
    const { bytes } = await serving(t, { pod: POD, upstream: port });
    for (const [rest, type, rcode] of [
      ["nowhere.test", "A", RCODE.NXDOMAIN],
      ["here.test", "TXT", RCODE.NOERROR],
      ["here.test", "AAAA", RCODE.NOERROR],
    ] as const) {
      const reply = await bytes(`${rest}.${SUFFIX}`, type);
      assert.equal(flags(reply), `${rcode} aa ra`);
      const { answers, authorities } = packets.decode(reply);
      assert.deepEqual(answers?.map(strip), [[`${rest}.${SUFFIX}`, "CNAME", 5, rest]]);
      assert.deepEqual(authorities?.map(strip), [strip(SOA)]);
    }
  });

  void test("a failure outside is a failure here", async (t) => {
    const { port } = await upstream(t, {}, ["broken.test"]);
    const { bytes } = await serving(t, { pod: POD, upstream: port });
    assert.equal((await bytes(`broken.test.${SUFFIX}`))[3]! & 15, RCODE.SERVFAIL);
  });

  void test("DNS-070, DNS-078: everybody else gets the plain bytes: strangers, other namespaces, unknown lists, no outside, no recursion", async (t) => {
    const names = { "www.example.test": [a("www.example.test", "192.0.2.1")] };
    const { asked, port } = await upstream(t, names);
    const name = `www.example.test.${SUFFIX}`;
    const plain = await (await serving(t, { upstream: port })).bytes(name);
    assert.equal(flags(plain), "3 aa ra");
    assert.equal(packets.decode(plain).authorities?.[0]?.name, "cluster.local");
    for (const pod of [
      { ...POD, namespace: "other" },
      { ...POD, searches: undefined },
    ]) {
      assert.deepEqual(await (await serving(t, { pod, upstream: port })).bytes(name), plain);
    }
    const alone = await (await serving(t, { pod: POD })).bytes(name);
    assert.deepEqual(answersOf(alone), []);
    assert.equal(flags(alone), "3 aa");
    const here = await serving(t, { pod: POD, upstream: port });
    const query = ask(name);
    query[2] = 0;
    const unasked = (await overUdp(here.port, query))!;
    assert.deepEqual([unasked[3]! & 15, answersOf(unasked).length], [RCODE.NXDOMAIN, 0]);
    assert.deepEqual(answersOf(await here.bytes(name, "ANY" as packets.RecordType)), []);
    assert.deepEqual(asked, []);
  });

  void test("further domains of the list are tried in order, and A and AAAA come to the same end", async (t) => {
    const names = {
      "www.example.one.test": [{ type: "TXT", name: "www.example.one.test", ttl: 60, data: ["x"] } as packets.Answer],
      "www.example.two.test": [a("www.example.two.test", "192.0.2.2")],
      "www.example": [a("www.example", "192.0.2.9"), aaaa("www.example", "2001:db8::9")],
    };
    const { asked, port } = await upstream(t, names);
    const pod = { ...POD, searches: ["one.test", "two.test.", "three.test"] };
    const { bytes } = await serving(t, { pod, upstream: port });
    const name = `www.example.${SUFFIX}`;
    assert.deepEqual(answersOf(await bytes(name)).map(strip), [
      [name, "CNAME", 5, "www.example.two.test"],
      ["www.example.two.test", "A", 60, "192.0.2.2"],
    ]);
    // Its first domain has neither family; the second is where A found something, so AAAA ends there too.
    const six = await bytes(name, "AAAA");
    assert.deepEqual(answersOf(six).map(strip), [[name, "CNAME", 5, "www.example.two.test"]]);
    assert.equal(flags(six), "0 aa ra");
    assert.ok(!asked.some((each) => each.startsWith("www.example ") || each.includes("three")), asked.join(", "));
    const text = answersOf(await bytes(name, "TXT"));
    assert.equal(strip(text[0]!)?.toString(), [name, "CNAME", 5, "www.example.one.test"].toString());
  });

  void test("with none of the domains the name itself is taken; domains that make it too long are passed over", async (t) => {
    const names = { "www.example": [a("www.example", "192.0.2.9")] };
    const { asked, port } = await upstream(t, names);
    const long = Array.from({ length: 5 }, () => "x".repeat(48)).join(".");
    const { bytes } = await serving(t, { pod: { ...POD, searches: [long, "one.test"] }, upstream: port });
    assert.equal(answersOf(await bytes(`www.example.${SUFFIX}`)).length, 2);
    assert.deepEqual(asked, ["www.example.one.test A", "www.example.one.test AAAA", "www.example A"]);
  });

  void test("what is outside is asked through the blocks again: a stub domain goes to its own resolver", async (t) => {
    const stub = await upstream(t, { "db.acme.test": [a("db.acme.test", "192.0.2.7")] });
    const usual = await upstream(t, {});
    const outside = forward(stub.port);
    t.after(() => outside?.stop());
    const { bytes } = await serving(t, {
      pod: POD,
      upstream: usual.port,
      blocks: (block) => [block, { apex: ["acme", "test"], sources: [], outside, rotates: false }],
    });
    assert.equal(answersOf(await bytes(`db.acme.test.${SUFFIX}`)).length, 2);
    assert.deepEqual([usual.asked, stub.asked], [[], ["db.acme.test A"]]);
  });

  void test("what cannot be handed on faithfully is left to the resolver: the plain answer", async (t) => {
    const dotted = Buffer.from("\x03a.b\x04test\0", "latin1");
    const udp = createSocket("udp4");
    udp.on("message", (packet, from) => {
      const end = packet.indexOf(0, 12) + 5;
      const head = Buffer.from("c00c000500010000003c00", "hex");
      const reply = Buffer.concat([packet.subarray(0, end), head, Buffer.from([dotted.length]), dotted]);
      reply[2] = 0x81;
      reply[3] = 0x80;
      reply.writeUInt32BE(0x0001_0000, 6);
      reply.writeUInt16BE(0, 10);
      udp.send(reply, from.port, from.address);
    });
    udp.bind(0, "127.0.0.1");
    await once(udp, "listening");
    t.after(() => udp.close());
    const { bytes } = await serving(t, { pod: POD, upstream: udp.address().port });
    const reply = await bytes(`www.example.test.${SUFFIX}`);
    assert.deepEqual([reply[3]! & 15, answersOf(reply).length], [RCODE.NXDOMAIN, 0]);
  });

  void test("DNS-132: a long answer is cut over UDP and whole over TCP, under the asker's spelling", async (t) => {
    const name = "many.test";
    const { port } = await upstream(t, {
      [name]: Array.from({ length: 60 }, (_, at) => a(name, `192.0.2.${at}`)),
    });
    const server = await serving(t, { pod: POD, upstream: port });
    const spelled = `Many.Test.${SUFFIX}`;
    const cut = await server.bytes(spelled);
    assert.ok(packets.decode(cut).flag_tc && cut.length <= 512);
    const [whole] = await overTcp(server.port, [framed(ask(spelled))], 1);
    assert.equal(answersOf(whole!).length, 61);
    assert.equal(packets.decode(whole!).questions?.[0]?.name, spelled);
    assert.equal(answersOf(whole!)[0]?.name, spelled);
  });
});
