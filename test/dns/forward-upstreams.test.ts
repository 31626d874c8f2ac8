import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from "node:tls";
import { promisify } from "node:util";
import * as packets from "dns-packet";
import { usualCache, usualForward } from "../../src/dns/configuration/usual.ts";
import { noFigures } from "../../src/dns/forward/figures.ts";
import { until } from "../lab/until.ts";
import { answer, NXDOMAIN, resolver, serveStream, SERVFAIL, truncated, type Resolver } from "./resolver.ts";
import { ask, framed, overTcp, overUdp, running } from "./running.ts";

const run = promisify(execFile);

/** A resolver that answers every name with one address, and counts. */
async function counting(t: TestContext, address: string): Promise<Resolver & { asked: string[] }> {
  const asked: string[] = [];
  const found = await resolver(t, (query) => {
    asked.push(query.questions![0]!.name);
    return [answer(query, [address])];
  });
  return { ...found, asked };
}

void describe("which upstream is asked", () => {
  void test("DNS-130: stub domains have upstreams of their own, as a block or as a further forward", async (t) => {
    const usual = await counting(t, "192.0.2.1");
    const acme = await counting(t, "192.0.2.2");
    const deep = await counting(t, "192.0.2.3");
    const at = (upstream: Resolver, from?: string) =>
      usualForward([{ address: "127.0.0.1", port: upstream.port }], from);
    const { dns, dig } = await running(t, {
      block: { forward: [at(usual), at(deep, "deep.test"), { ...at(usual, "left.test"), except: ["out.left.test"] }] },
      more: [{ zones: ["acme.local"], forward: [at(acme)] }],
    });
    await dns.synced();
    assert.equal(await dig("+short", "www.acme.local"), "192.0.2.2");
    assert.equal(await dig("+short", "ACME.local"), "192.0.2.2");
    assert.equal(await dig("+short", "notacme.local"), "192.0.2.1");
    assert.equal(await dig("+short", "x.deep.test"), "192.0.2.3");
    assert.equal(await dig("+short", "x.test"), "192.0.2.1");
    assert.deepEqual([acme.asked, deep.asked], [["www.acme.local", "ACME.local"], ["x.deep.test"]]);
  });

  void test("names that every forward leaves out are refused", async (t) => {
    const upstream = await counting(t, "192.0.2.1");
    const { dns, dig } = await running(t, { upstreams: [upstream.address], forward: { except: ["internal.test"] } });
    await dns.synced();
    assert.match(await dig("x.internal.test"), /status: REFUSED/);
    assert.equal(await dig("+short", "x.test"), "192.0.2.1");
  });

  void test("round_robin asks each in turn", async (t) => {
    const both = [await counting(t, "192.0.2.1"), await counting(t, "192.0.2.2")];
    const upstreams = both.map(({ address }) => address);
    const { dns, dig } = await running(t, { upstreams, forward: { policy: "round_robin" } });
    await dns.synced();
    for (let turn = 0; turn < 4; turn += 1) await dig("example.com");
    assert.deepEqual(
      both.map(({ asked }) => asked.length),
      [2, 2],
    );
  });

  void test("codes that are set lead to the next upstream; if all say so, the first one's answer is told", async (t) => {
    const first = await resolver(t, (query) => [answer(query, [], { flags: NXDOMAIN })]);
    const second = await counting(t, "192.0.2.2");
    const upstreams = [first.address, second.address];
    const { dns, dig } = await running(t, { upstreams, forward: { failover: [NXDOMAIN] } });
    await dns.synced();
    assert.equal(await dig("+short", "example.com"), "192.0.2.2");
    const alone = await running(t, { upstreams: [first.address, first.address], forward: { failover: [NXDOMAIN] } });
    await alone.dns.synced();
    assert.match(await alone.dig("example.com"), /status: NXDOMAIN/);
  });

  void test("DNS-081: an upstream that answers late is heard all the same, though another one was asked meanwhile", async (t) => {
    const other = Promise.withResolvers<void>();
    let questions = 0;
    const late = await resolver(t, async (query) => {
      // Asked once more in its turn, it says nothing: only its late answer can be heard.
      if (++questions > 1) return [];
      await other.promise;
      return [answer(query, ["192.0.2.1"])];
    });
    const silent = await resolver(t, () => {
      other.resolve();
      return [];
    });
    const { dns, dig } = await running(t, { upstreams: [late.address, silent.address] });
    await dns.synced();
    assert.equal(await dig("+short", "+time=10", "example.com"), "192.0.2.1");
  });
});

void describe("upstreams that are down", () => {
  void test("one that failed is checked until it answers, and meanwhile not asked", async (t) => {
    const checks: string[] = [];
    let failures = 0;
    const first = await resolver(t, () => []);
    const { port } = first;
    first.stop();
    const second = await counting(t, "192.0.2.2");
    const { dns, dig } = await running(t, {
      upstreams: [first.address, second.address],
      forward: { maxFails: 1, healthCheck: { interval: 20, domain: "health.test", recursion: false } },
      forwardFigures: () => ({ ...noFigures, healthCheckFailed: () => (failures += 1) }),
    });
    await dns.synced();
    assert.equal(await dig("+short", "example.com"), "192.0.2.2");
    await until("checks that failed", () => failures > 2);
    const back = await resolver(
      t,
      (query) => {
        const { name, type } = query.questions![0]!;
        const told = `${name} ${type} ${query.flag_rd}`;
        checks.push(told);
        return [answer(query, ["192.0.2.1"])];
      },
      port,
    );
    await until(
      "the first upstream being asked again",
      async () => (await dig("+short", "example.com")) === "192.0.2.1",
    );
    assert.equal(checks[0], "health.test NS false");
    const before = checks.filter((check) => check.startsWith("health")).length;
    await dig("example.com");
    assert.equal(checks.filter((check) => check.startsWith("health")).length, before);
    back.stop();
  });

  void test("when all are down one is tried all the same, or SERVFAIL told at once where that is set", async (t) => {
    const gone = await resolver(t, () => []);
    gone.stop();
    const settings = { maxFails: 1, healthCheck: { interval: 10, domain: "", recursion: true } };
    let down = 0;
    let tried = 0;
    const { dns, dig } = await running(t, {
      upstreams: [gone.address],
      forward: { ...settings, failFast: true },
      forwardFigures: () => ({ ...noFigures, allDown: () => (down += 1), connection: () => (tried += 1) }),
    });
    await dns.synced();
    await until("the upstream to count as down", async () => {
      assert.match(await dig("example.com"), /status: SERVFAIL/);
      return down > 0;
    });
    assert.ok(tried > 0);
    const slow = await running(t, {
      upstreams: [gone.address],
      forward: settings,
      forwardFigures: () => ({ ...noFigures, allDown: () => (down += 1) }),
    });
    await slow.dns.synced();
    down = 0;
    await until("a query although all are down", async () => {
      await slow.dig("example.com");
      return down > 0;
    });
    await resolver(t, (query) => [answer(query, ["192.0.2.1"])], gone.port);
    await until("its answer", async () => (await slow.dig("+short", "example.com")) === "192.0.2.1");
  });

  void test("more queries at a time than are allowed are refused, and counted", async (t) => {
    let rejected = 0;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const underWay = new Set<string>();
    const upstream = await resolver(t, async (query) => {
      underWay.add(query.questions![0]!.name);
      await held;
      return [answer(query, ["192.0.2.1"])];
    });
    const { dns, dig, port } = await running(t, {
      upstreams: [upstream.address],
      forward: { maxConcurrent: 2 },
      forwardFigures: () => ({ ...noFigures, rejected: () => (rejected += 1) }),
    });
    await dns.synced();
    const waiting = ["a.test", "b.test"].map((name) => overUdp(port, ask(name), 10_000));
    await until("both to be under way", () => underWay.size === 2);
    await until("a refusal", async () => ((await overUdp(port, ask("c.test")))?.[3] ?? 0) % 16 === 5);
    assert.ok(rejected > 0);
    release();
    for (const each of await Promise.all(waiting)) assert.equal(each![3]! & 0x0f, 0);
    assert.equal(await dig("+short", "c.test"), "192.0.2.1");
  });
});

void describe("transports to upstreams", () => {
  void test("RFC 5452: queries leave from several ports, each by chance, though no socket is made for each", async (t) => {
    const upstream = await counting(t, "192.0.2.1");
    const { dns, port } = await running(t, { upstreams: [upstream.address] });
    await dns.synced();
    for (let at = 0; at < 100; at += 1) assert.ok(await overUdp(port, ask(`n${at}.test`)));
    assert.ok(upstream.ports.size >= 4 && upstream.ports.size <= 20, `${upstream.ports.size} ports`);
  });

  void test("TCP connections are kept for further queries, which share them, and made anew when they are closed", async (t) => {
    const upstream = await resolver(t, (query, transport) =>
      transport === "udp" ? [truncated(query)] : [answer(query, ["192.0.2.1"])],
    );
    const { dns, dig, port } = await running(t, { upstreams: [upstream.address] });
    await dns.synced();
    const names = Array.from({ length: 50 }, (_, at) => ask(`n${at}.test`, "A", at));
    const replies = await overTcp(port, names.map(framed), 50);
    assert.deepEqual(
      replies.map((reply) => reply.readUInt16BE(0)).sort((one, other) => one - other),
      names.map((_, at) => at),
    );
    assert.equal(upstream.connections(), 1);
    upstream.hangUp();
    for (let turn = 0; turn < 3; turn += 1) assert.equal(await dig("+tcp", "+short", "example.com"), "192.0.2.1");
    assert.equal(upstream.connections(), 2);
  });

  void test("a connection that nobody uses is closed after the time that is set", async (t) => {
    const upstream = await resolver(t, (query) => [answer(query, ["192.0.2.1"])]);
    const { dns, dig } = await running(t, { upstreams: [upstream.address], forward: { forceTcp: true, expire: 50 } });
    await dns.synced();
    assert.equal(await dig("+short", "example.com"), "192.0.2.1");
    const asked = async (): Promise<boolean> => {
      assert.equal(await dig("+short", "example.com"), "192.0.2.1");
      return upstream.connections() > 1;
    };
    // Asked more often, the connection would never be unused for as long.
    await until("a further connection", asked, { every: 120 });
  });

  void test("forceTcp asks over TCP alone; preferUdp asks over TCP what UDP has cut, whoever asked", async (t) => {
    const used: string[] = [];
    const upstream = await resolver(t, (query, transport) => {
      used.push(transport);
      return transport === "udp" ? [truncated(query)] : [answer(query, ["192.0.2.1"])];
    });
    for (const [forward, expected] of [
      [{ forceTcp: true }, ["tcp"]],
      [{ preferUdp: true }, ["udp", "tcp"]],
      [{ preferUdp: true, forceTcp: true }, ["tcp"]],
    ] as const) {
      used.length = 0;
      const { dns, dig } = await running(t, { upstreams: [upstream.address], forward });
      await dns.synced();
      assert.equal(await dig("+short", "+ignore", "example.com"), "192.0.2.1");
      assert.deepEqual(used, expected);
    }
  });

  void test("RFC 6891: what a client or an upstream says in its OPT record goes no further", async (t) => {
    const seen: packets.DecodedPacket[] = [];
    const upstream = await resolver(t, (query) => {
      seen.push(query);
      const cookie = { code: 10, data: Buffer.alloc(16, 7) } as unknown as packets.PacketOpt;
      const decoded = packets.decode(answer(query, ["192.0.2.1"]));
      const opt = {
        type: "OPT",
        name: ".",
        udpPayloadSize: 4000,
        flags: 0,
        options: [cookie],
      } as unknown as packets.Answer;
      return [packets.encode({ ...decoded, additionals: [opt] })];
    });
    const { dns, dig } = await running(t, { upstreams: [upstream.address] });
    await dns.synced();
    const found = await dig("+cookie=0123456789abcdef", "+subnet=192.0.2.0/24", "+dnssec", "example.com");
    assert.match(found, /EDNS: version: 0, flags: do; udp: 1232/);
    assert.doesNotMatch(found, /COOKIE|CLIENT-SUBNET/);
    assert.doesNotMatch(await dig("+noedns", "example.com"), /EDNS/);
    for (const { additionals } of seen) {
      const [opt] = additionals as packets.OptAnswer[];
      assert.deepEqual([additionals!.length, opt!.udpPayloadSize, opt!.options.length], [1, 1232, 0]);
    }
    assert.equal((seen[0]!.additionals as packets.OptAnswer[])[0]!.flag_do, true);
  });

  void test("RFC 6891 §6.2.2: an upstream that knows no EDNS is asked without, from then on", async (t) => {
    const sizes: number[] = [];
    const upstream = await resolver(t, (query) => {
      sizes.push(query.additionals!.length);
      return [query.additionals!.length > 0 ? answer(query, [], { flags: 1 }) : answer(query, ["192.0.2.1"])];
    });
    const { dns, dig } = await running(t, { upstreams: [upstream.address] });
    await dns.synced();
    assert.equal(await dig("+short", "a.test"), "192.0.2.1");
    assert.equal(await dig("+short", "b.test"), "192.0.2.1");
    assert.deepEqual(sizes, [1, 0, 0]);
  });

  void test("RFC 7858: over TLS, to a resolver whose certificate has the name that is set, and to no other", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "dns-tls-"));
    t.after(() => rm(folder, { recursive: true }));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=dns.test", "-addext", "subjectAltName=DNS:dns.test,IP:127.0.0.1"];
    await run("openssl", [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "1",
      "-keyout",
      key,
      "-out",
      cert,
      ...subject,
    ]);
    const pem = { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
    setDefaultCACertificates([...getCACertificates("default"), pem.cert]);
    let connections = 0;
    const names: (string | false)[] = [];
    const server = createTlsServer({ ...pem, ALPNProtocols: ["dot"] }, (socket) => {
      connections += 1;
      names.push(socket.servername ?? false);
      serveStream(socket, (query) => [framed(answer(packets.decode(query), ["192.0.2.1"]))]);
    });
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const asked = async (tls: { serverName?: string }): Promise<string> => {
      const forward = [usualForward([{ address: "127.0.0.1", port, tls }])];
      const { dns, dig } = await running(t, { block: { forward } });
      await dns.synced();
      for (let turn = 0; turn < 3; turn += 1) await dig("example.com");
      const found = await dig("example.com");
      await dns.stop();
      return found;
    };
    assert.match(await asked({ serverName: "dns.test" }), /192\.0\.2\.1/);
    assert.equal(connections, 1);
    assert.match(await asked({}), /192\.0\.2\.1/);
    assert.match(await asked({ serverName: "other.test" }), /status: SERVFAIL/);
    assert.equal(names[0], "dns.test");
  });
});

void describe("loops", () => {
  /** A resolver that sends what it is asked to a port, and what it hears back. */
  const relay = (t: TestContext, to: () => number): Promise<Resolver> =>
    resolver(t, async (query) => {
      const { name, type } = query.questions![0]!;
      const packet = packets.encode({
        type: "query",
        id: query.id!,
        flags: 0x100,
        questions: [{ name, type }],
      });
      const reply = await overUdp(to(), packet, 1000);
      return reply === undefined ? [] : [reply];
    });

  void test("queries that come back to us by way of another server are found at the start", async (t) => {
    let port = 0;
    const upstream = await relay(t, () => port);
    const { promise, resolve } = Promise.withResolvers<Error>();
    const began = await running(t, { upstreams: [upstream.address], block: { loop: true }, looped: resolve });
    port = began.port;
    const error = await promise;
    assert.match(error.message, /sends our queries back to us/);
  });

  void test("without a loop nothing is said, and the server goes on", async (t) => {
    const names: string[] = [];
    const upstream = await resolver(t, (query) => {
      names.push(`${query.questions![0]!.type} ${query.questions![0]!.name}`);
      return [answer(query, [], { flags: NXDOMAIN })];
    });
    let looped = 0;
    const { dns, dig } = await running(t, {
      upstreams: [upstream.address],
      block: { loop: true },
      looped: () => (looped += 1),
    });
    await dns.synced();
    await until("the query that shows it", () => names.length > 0);
    assert.match(names[0]!, /^HINFO \d+\.\d+$/);
    assert.match(await dig("example.com"), /status: NXDOMAIN/);
    assert.equal(looped, 0);
  });
});

void test("DNS-081: SERVFAIL of one upstream is not told while another one knows better", async (t) => {
  const failing = await resolver(t, (query) => [answer(query, [], { flags: SERVFAIL })]);
  const working = await counting(t, "192.0.2.1");
  const { dns, dig } = await running(t, { upstreams: [failing.address, working.address] });
  await dns.synced();
  assert.equal(await dig("+short", "example.com"), "192.0.2.1");
});

void test("DNS-021: addresses from outside come in another order each time, too, also from memory", async (t) => {
  const upstream = await resolver(t, (query) => {
    const { name } = query.questions![0]!;
    const end = 12 + name.length + 6;
    const packet = Buffer.concat([
      answer(query, []).subarray(0, end),
      ...[1, 2, 3].map((last) => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, last])),
    ]);
    packet.writeUInt16BE(3, 6);
    return [packet];
  });
  const { dns, dig } = await running(t, { upstreams: [upstream.address], block: { cache: usualCache } });
  await dns.synced();
  const first = new Set<string>();
  await until("each address in the first place", async () => {
    const found = (await dig("+short", "example.com")).split("\n");
    assert.deepEqual(found.toSorted(), ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    return first.add(found[0]!).size === 3;
  });
});
