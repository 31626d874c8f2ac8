import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { describe, test, type TestContext } from "node:test";
import * as packets from "dns-packet";
import { until } from "../lab/until.ts";
import { ask, framed, overTcp, overUdp, running } from "./running.ts";

const SVC = "testns.svc.cluster.local";
const SILENT = 10_000;
/** Descriptors for both ends of what stays open, and for the test itself. */
const NEEDED = SILENT + 5000;

/** How many files this process may have open: Node has raised the soft limit to the hard one. */
const mayOpen = (): number => {
  const limit = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? "0";
  return limit === "unlimited" ? Infinity : Number(limit);
};
const skip = mayOpen() < NEEDED ? `${NEEDED} open files are needed, ${mayOpen()} are allowed (ulimit -n)` : false;

interface Silent {
  readonly sockets: readonly Socket[];
  /** How many the server has closed. */
  closed(): number;
}

/** Opens connections that say nothing, from these addresses in turn. */
async function openSilent(t: TestContext, port: number, count: number, from: (at: number) => string): Promise<Silent> {
  const sockets: Socket[] = [];
  let closed = 0;
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  for (let start = 0; start < count; start += 250) {
    const some = Array.from({ length: Math.min(250, count - start) }, (_, at) => {
      const socket = connect({ port, host: "127.0.0.1", localAddress: from(start + at) });
      socket.on("error", () => {});
      // Only whoever reads hears of the end.
      socket.resume();
      socket.on("close", () => (closed += 1));
      sockets.push(socket);
      return once(socket, "connect");
    });
    await Promise.all(some);
  }
  return { sockets, closed: () => closed };
}

const isAnswer = (reply: Buffer | undefined): boolean =>
  reply !== undefined && packets.decode(reply).answers?.length === 1;

/** A client that keeps its connection and asks on it again and again. */
async function regular(t: TestContext, port: number, localAddress: string) {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  t.after(() => socket.destroy());
  await once(socket, "connect");
  return async (): Promise<void> => {
    const answer = once(socket, "data");
    socket.write(framed(ask(`svc1.${SVC}`)));
    const [data] = (await answer) as [Buffer];
    assert.ok(isAnswer(data.subarray(2)));
  };
}

void describe("connections that say nothing", () => {
  void test(
    `DNS-132: ${SILENT} of one client: it keeps 256, others are answered, and so is it`,
    { skip },
    async (t) => {
      const { dns, port } = await running(t);
      await dns.synced();
      const asks = await regular(t, port, "127.0.0.9");
      const silent = await openSilent(t, port, SILENT, () => "127.0.0.1");
      await until("all but 256 to be closed", () => silent.closed() === SILENT - 256);
      await asks();
      assert.ok(isAnswer(await overUdp(port, ask(`svc1.${SVC}`))));
      assert.ok(isAnswer((await overTcp(port, [framed(ask(`svc1.${SVC}`))], 1))[0]));
    },
  );

  void test(
    `DNS-132: ${SILENT} of a hundred clients: 4096 stay, one that asks keeps its connection`,
    { skip },
    async (t) => {
      const { dns, port } = await running(t);
      await dns.synced();
      const asks = await regular(t, port, "127.0.0.9");
      let opened = 0;
      for (let part = 0; part < 10; part += 1) {
        const silent = await openSilent(t, port, SILENT / 10, (at) => `127.0.1.${(at % 100) + 1}`);
        opened += silent.sockets.length;
        // Connections are taken in order: when this one is answered, all before it have been taken.
        assert.ok(isAnswer((await overTcp(port, [framed(ask(`svc1.${SVC}`))], 1))[0]));
        await asks();
      }
      assert.equal(opened, SILENT);
      assert.ok(isAnswer(await overUdp(port, ask(`svc1.${SVC}`))));
      assert.ok(isAnswer((await overTcp(port, [framed(ask(`svc1.${SVC}`))], 1))[0]));
    },
  );
});

void describe("RFC 7766", () => {
  void test("§6.2.1.1: an answer that takes long holds up none behind it on the same connection", async (t) => {
    const upstream = createSocket("udp4");
    upstream.bind(0, "127.0.0.1");
    await once(upstream, "listening");
    t.after(() => upstream.close());
    const { dns, port } = await running(t, { upstreams: [`127.0.0.1:${upstream.address().port}`] });
    await dns.synced();
    const asked = once(upstream, "message");
    const socket = connect(port, "127.0.0.1");
    t.after(() => socket.destroy());
    await once(socket, "connect");
    const first = once(socket, "data");
    socket.write(Buffer.concat([framed(ask("slow.test", "A", 1)), framed(ask(`svc1.${SVC}`, "A", 2))]));
    assert.equal(((await first) as [Buffer])[0].readUInt16BE(2), 2);
    const [packet, from] = (await asked) as [Buffer, { port: number; address: string }];
    const second = once(socket, "data");
    const reply = Buffer.from(packet);
    reply[2] = 0x81;
    reply[3] = 0x83;
    upstream.send(reply, from.port, from.address);
    assert.equal(((await second) as [Buffer])[0].readUInt16BE(2), 1);
  });

  void test("§6.2.4: a client that has closed its side still gets what it asked for", async (t) => {
    const upstream = createSocket("udp4");
    upstream.on("message", (packet, from) => {
      const reply = Buffer.from(packet);
      reply[2] = 0x81;
      reply[3] = 0x83;
      setTimeout(() => upstream.send(reply, from.port, from.address), 50);
    });
    upstream.bind(0, "127.0.0.1");
    await once(upstream, "listening");
    t.after(() => upstream.close());
    const { dns, port } = await running(t, { upstreams: [`127.0.0.1:${upstream.address().port}`] });
    await dns.synced();
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    t.after(() => socket.destroy());
    socket.end(framed(ask("slow.test", "A", 77)));
    const ended = once(socket, "end");
    const [data] = (await once(socket, "data")) as [Buffer];
    assert.equal(data.readUInt16BE(2), 77);
    await ended;
  });

  void test("a connection with a hundred queries under way is not read further, and all are answered in the end", async (t) => {
    const waiting: (() => void)[] = [];
    let held = true;
    const upstream = createSocket("udp4");
    upstream.on("message", (packet, from) => {
      const reply = Buffer.from(packet);
      reply[2] = 0x81;
      reply[3] = 0x83;
      const send = (): void => upstream.send(reply, from.port, from.address);
      if (held) waiting.push(send);
      else send();
    });
    upstream.bind(0, "127.0.0.1");
    await once(upstream, "listening");
    t.after(() => upstream.close());
    const { dns, port } = await running(t, { upstreams: [`127.0.0.1:${upstream.address().port}`] });
    await dns.synced();
    const all = Array.from({ length: 300 }, (_, id) => framed(ask(`name-${id}.test`, "A", id)));
    const answers = overTcp(port, [Buffer.concat(all)], 300);
    await until("the first hundred to be asked upstream", () => waiting.length >= 100);
    // Queries of another connection come after all that were read of the first.
    assert.ok(isAnswer((await overTcp(port, [framed(ask(`svc1.${SVC}`))], 1))[0]));
    assert.equal(waiting.length, 100);
    held = false;
    for (const send of waiting) send();
    const ids = (await answers).map((reply) => reply.readUInt16BE(0));
    assert.deepEqual(
      ids.toSorted((one, other) => one - other),
      Array.from({ length: 300 }, (_, id) => id),
    );
  });
});
