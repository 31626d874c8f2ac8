import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { describe, test, type TestContext } from "node:test";
import * as packets from "dns-packet";
import { usualCache } from "../../src/dns/configuration/usual.ts";
import { answer, resolver, truncated } from "./resolver.ts";
import { ask, framed, overTcp, overUdp, running } from "./running.ts";

/** A resolver whose UDP answers are cut, and whose TCP connections do what the test says. */
async function badOverTcp(
  t: TestContext,
  act: (socket: Socket, query: packets.DecodedPacket) => void,
): Promise<string> {
  const open = new Set<Socket>();
  const tcp = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => act(socket, packets.decode(chunk.subarray(2))));
  });
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket("udp4");
  udp.on("message", (packet, from) => udp.send(truncated(packets.decode(packet)), from.port, from.address));
  udp.bind(port, "127.0.0.1");
  await once(udp, "listening");
  t.after(() => {
    udp.close();
    tcp.close();
    for (const socket of open) socket.destroy();
  });
  return `127.0.0.1:${port}`;
}

const GOOD = "192.0.2.1";

void describe("upstreams that lie over UDP: their packets are passed over, the true answer is taken", () => {
  const other = (query: packets.DecodedPacket, change: Partial<packets.Question>): Buffer =>
    answer({ ...query, questions: [{ ...query.questions![0]!, ...change }] }, ["203.0.113.1"]);
  const changed = (query: packets.DecodedPacket, change: (packet: Buffer) => void): Buffer => {
    const packet = answer(query, ["203.0.113.1"]);
    change(packet);
    return packet;
  };
  const lies: readonly (readonly [string, (query: packets.DecodedPacket) => Buffer])[] = [
    ["another id", (query) => answer(query, ["203.0.113.1"], { id: (query.id! + 1) & 0xffff })],
    ["another name", (query) => other(query, { name: "other.test" })],
    ["another type", (query) => other(query, { type: "AAAA" })],
    ["a name that only begins so", (query) => other(query, { name: "example.com.test" })],
    ["a query of its own", (query) => changed(query, (packet) => packet.writeUInt8(0x01, 2))],
    ["another opcode", (query) => changed(query, (packet) => packet.writeUInt8(0xa1, 2))],
    ["no question", (query) => changed(query, (packet) => packet.writeUInt16BE(0, 4))],
    ["two questions", (query) => changed(query, (packet) => packet.writeUInt16BE(2, 4))],
    ["a header alone", (query) => answer(query, []).subarray(0, 12)],
    ["less than a header", () => Buffer.from([1, 2, 3])],
    ["nothing", () => Buffer.alloc(0)],
  ];
  for (const [what, lie] of lies) {
    void test(what, async (t) => {
      const upstream = await resolver(t, (query) => [lie(query), lie(query), answer(query, [GOOD])]);
      const { dns, dig } = await running(t, { upstreams: [upstream.address] });
      await dns.synced();
      assert.equal(await dig("+short", "example.com"), GOOD);
    });
  }

  void test("packets from elsewhere to the port of a query are not heard", async (t) => {
    const stranger = createSocket("udp4");
    t.after(() => stranger.close());
    stranger.bind(0, "127.0.0.1");
    await once(stranger, "listening");
    const seen = createSocket("udp4");
    t.after(() => seen.close());
    seen.on("message", (packet, from) => {
      const query = packets.decode(packet);
      // With the right id and question, and first, but from another port.
      stranger.send(answer(query, ["203.0.113.1"]), from.port, from.address, () =>
        setTimeout(() => seen.send(answer(query, [GOOD]), from.port, from.address), 50),
      );
    });
    seen.bind(0, "127.0.0.1");
    await once(seen, "listening");
    const { dns, dig } = await running(t, { upstreams: [`127.0.0.1:${seen.address().port}`] });
    await dns.synced();
    assert.equal(await dig("+short", "example.com"), GOOD);
  });
});

void describe("answers that are garbage behind a true question: the next upstream is asked", () => {
  const cut = (bytes: number) => (query: packets.DecodedPacket) => answer(query, [GOOD]).subarray(0, -bytes);
  const behind =
    (counts: number, ...bytes: number[]) =>
    (query: packets.DecodedPacket): Buffer => {
      const packet = Buffer.concat([answer(query, []), Buffer.from(bytes)]);
      packet.writeUInt16BE(counts, 6);
      return packet;
    };
  const A = [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 1];
  const END = 12 + "example.com".length + 6;
  const garbage: readonly (readonly [string, (query: packets.DecodedPacket) => Buffer])[] = [
    ["a record cut short", cut(1)],
    ["records that are not there", behind(65_535)],
    ["a name that points at itself", behind(1, 0xc0, END, ...A)],
    ["a name that points forward", behind(1, 0xc0, END + 1, ...A)],
    ["two names that point at each other", behind(1, 0xc0, END + 2, 0xc0, END, ...A)],
    ["data longer than the packet", behind(1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 255, 255, 1)],
  ];
  for (const [what, make] of garbage) {
    void test(what, async (t) => {
      const bad = await resolver(t, (query) => [make(query)]);
      const good = await resolver(t, (query) => [answer(query, [GOOD])]);
      const { dns, dig } = await running(t, { upstreams: [bad.address, good.address] });
      await dns.synced();
      assert.equal(await dig("+short", "example.com"), GOOD);
      const alone = await running(t, { upstreams: [bad.address] });
      await alone.dns.synced();
      assert.match(await alone.dig("example.com"), /status: SERVFAIL/);
    });
  }
});

void describe("upstreams that misbehave over TCP: the client hears SERVFAIL in time, or the next one", () => {
  const acts: readonly (readonly [string, (socket: Socket, query: packets.DecodedPacket) => void])[] = [
    ["closes at once", (socket) => socket.destroy()],
    [
      "closes in the middle of its answer",
      (socket, query) => socket.end(framed(answer(query, [GOOD])).subarray(0, 20)),
    ],
    ["sends a length of 0", (socket) => socket.write(Buffer.from([0, 0]))],
    ["sends a length of 1", (socket) => socket.end(Buffer.from([0, 1, 9]))],
    [
      "declares more than it sends",
      (socket, query) => socket.end(Buffer.concat([Buffer.from([255, 255]), answer(query, [GOOD])])),
    ],
    ["resets", (socket) => socket.resetAndDestroy()],
    [
      "answers another question, and closes",
      (socket, query) =>
        socket.end(framed(answer({ ...query, questions: [{ type: "A", name: "other.test" }] }, [GOOD]))),
    ],
    [
      "sends garbage without end",
      (socket) => {
        const noise = Buffer.alloc(1 << 16, 0x11);
        const more = (): void => {
          while (socket.writable && socket.write(noise));
        };
        socket.on("drain", more);
        more();
      },
    ],
  ];
  for (const [what, act] of acts) {
    void test(what, async (t) => {
      const bad = await badOverTcp(t, act);
      const good = await resolver(t, (query) => [answer(query, [GOOD])]);
      const alone = await running(t, { upstreams: [bad] });
      await alone.dns.synced();
      const began = performance.now();
      assert.match(await alone.dig("+tcp", "+time=10", "example.com"), /status: SERVFAIL/);
      // Not only when all patience is at its end.
      assert.ok(performance.now() - began < 4000);
      const { dns, dig } = await running(t, { upstreams: [bad, good.address] });
      await dns.synced();
      assert.equal(await dig("+tcp", "+short", "+time=10", "example.com"), GOOD);
    });
  }

  void test("says nothing: the client hears SERVFAIL before it gives up", async (t) => {
    const silent = await badOverTcp(t, () => {});
    const { dns, dig } = await running(t, { upstreams: [silent] });
    await dns.synced();
    assert.match(await dig("+tcp", "+time=10", "example.com"), /status: SERVFAIL/);
  });

  void test("more bytes than declared: the answer is taken, what follows it is not", async (t) => {
    const upstream = await badOverTcp(t, (socket, query) =>
      socket.write(Buffer.concat([framed(answer(query, [GOOD])), Buffer.from([0, 4, 1, 2, 3, 4, 0, 0])])),
    );
    const { dns, dig } = await running(t, { upstreams: [upstream] });
    await dns.synced();
    for (let turn = 0; turn < 3; turn += 1) assert.equal(await dig("+tcp", "+short", "example.com"), GOOD);
  });

  void test("60 kB in one answer, a few bytes at a time: the client over TCP gets all, over UDP a cut one", async (t) => {
    const addresses = Array.from({ length: 2200 }, (_, at) => `192.0.${at >> 8}.${at & 255}`);
    const upstream = await badOverTcp(t, (socket, query) => {
      const packet = framed(answer(query, addresses));
      for (let at = 0; at < packet.length; at += 1999) socket.write(packet.subarray(at, at + 1999));
    });
    const { dns, port } = await running(t, { upstreams: [upstream], block: { cache: usualCache } });
    await dns.synced();
    for (let turn = 0; turn < 2; turn += 1) {
      const [whole] = await overTcp(port, [framed(ask("example.com"))], 1);
      assert.ok(whole!.length > 58_000);
      assert.equal(packets.decode(whole!).answers!.length, 2200);
    }
    // It is kept by now: whole, and cut for those who take less.
    const short = packets.decode((await overUdp(port, ask("example.com")))!);
    assert.deepEqual([short.flag_tc, short.answers!.length], [true, 0]);
    const opt = { type: "OPT", name: ".", udpPayloadSize: 1232, flags: 0 } as unknown as packets.Answer;
    const question = packets.decode(ask("example.com"));
    const withOpt = packets.encode({ ...question, additionals: [opt] });
    const cut = packets.decode((await overUdp(port, withOpt))!);
    assert.deepEqual([cut.flag_tc, cut.answers!.length, cut.additionals!.length], [true, 0, 1]);
  });
});

void test("an upstream that answers nobody for long leaves nothing behind, and others are served meanwhile", async (t) => {
  const upstream = await resolver(t, (query) =>
    query.questions![0]!.name.startsWith("slow") ? [] : [answer(query, [GOOD])],
  );
  const { dns, dig, port } = await running(t, { upstreams: [upstream.address], block: { cache: usualCache } });
  await dns.synced();
  const waiting = Array.from({ length: 300 }, (_, at) => overUdp(port, ask(`slow${at}.test`), 20_000));
  assert.equal(await dig("+short", "fast.test"), GOOD);
  for (const reply of await Promise.all(waiting)) assert.equal(reply![3]! & 0x0f, 2);
  assert.equal(await dig("+short", "fast2.test"), GOOD);
});
