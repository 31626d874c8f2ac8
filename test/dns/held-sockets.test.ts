import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { BroadcastChannel } from "node:worker_threads";
import type { WorkerConfig } from "../../src/cli/site/protocol.ts";
import { superviseWorker, type SupervisedWorker } from "../../src/cli/site/workers.ts";
import { endHolder, holdSockets, takeHeld, type OpenSocket, type SocketHolder } from "../../src/host/held-sockets.ts";
import { isRunning } from "../../src/host/process-identity.ts";
import { systemHost } from "../../src/host/processes.ts";
import { silentLog } from "../../src/observe/log.ts";
import { ask, eventually, framed } from "./running.ts";

const PORT = 5354;
const NAME = "svc1.testns.svc.cluster.local";
const ADDRESSES = ["127.0.0.1", "::1"].flatMap((ip) =>
  (["UDP", "TCP"] as const).map((protocol) => ({ protocol, ip, port: PORT })),
);

/** Asks without pause, each question by its id; a refusal is an ICMP error that the kernel tells a connected socket. */
function stream(ip: string) {
  const seen = { asked: 0, answered: 0, refused: 0 };
  const waiting = new Set<number>();
  const sockets = Array.from({ length: 8 }, () => createSocket(ip === "::1" ? "udp6" : "udp4"));
  for (const socket of sockets) {
    socket.on("error", () => (seen.refused += 1));
    socket.on("message", (reply) => {
      if ((reply[3]! & 0x0f) === 0 && reply.readUInt16BE(6) === 1 && waiting.delete(reply.readUInt16BE(0)))
        seen.answered += 1;
    });
    socket.connect(PORT, ip);
  }
  const timer = setInterval(() => {
    const id = seen.asked & 0xffff;
    waiting.add(id);
    sockets[id % sockets.length]!.send(ask(NAME, "A", id), (error) => error && (seen.refused += 1));
    seen.asked += 1;
  }, 1);
  return {
    seen,
    end: () => clearInterval(timer),
    close: () => {
      for (const socket of sockets) socket.close();
    },
  };
}

/** One question by a connection of its own; the number of answers in the reply, or why there was none. */
const overTcp = (ip: string): Promise<number | string> =>
  new Promise((resolve) => {
    const socket = connect(PORT, ip, () => socket.write(framed(ask(NAME))));
    let reply = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      reply = Buffer.concat([reply, chunk]);
      if (reply.length < 14) return;
      resolve(reply.readUInt16BE(8));
      socket.destroy();
    });
    socket.on("error", (error) => resolve(error.message));
    socket.on("close", () => resolve("closed"));
  });

void describe("cluster DNS whose thread dies", () => {
  const host = systemHost();
  let holder: SocketHolder;
  let sockets: OpenSocket[];
  let worker: SupervisedWorker;
  const channel = new BroadcastChannel("dying");
  before(async () => {
    sockets = await holdSockets(host, ADDRESSES, async (made) => void (holder = made));
    worker = superviseWorker(
      { part: "dns", sockets } as unknown as WorkerConfig,
      silentLog,
      new URL("../dns/dying.worker.ts", import.meta.url),
    );
    await worker.ready;
  });
  after(async () => {
    channel.close();
    await worker.end("stop");
    await endHolder(holder);
  });

  for (const death of ["throw", "exit", "reject"] as const) {
    void test(`by ${death}: of a steady stream of questions none is lost and none is refused, over TCP neither`, async () => {
      const streams = ["127.0.0.1", "::1"].map(stream);
      try {
        const answered = (count: number): Promise<unknown> =>
          eventually("answers", () => streams.every(({ seen }) => seen.answered >= count));
        await answered(100);
        const dead = once(channel as unknown as EventTarget, "message");
        channel.postMessage(death);
        await dead;
        const atDeath = streams.map(({ seen }) => seen.answered);
        const connections = await Promise.all(["127.0.0.1", "::1"].map(overTcp));
        assert.deepEqual(connections, [1, 1]);
        await answered(Math.max(...atDeath) + 100);
        for (const each of streams) each.end();
        await eventually("the last answers", () => streams.every(({ seen }) => seen.answered === seen.asked)).catch(
          () => {},
        );
        for (const { seen } of streams) {
          assert.deepEqual({ lost: seen.asked - seen.answered, refused: seen.refused }, { lost: 0, refused: 0 });
        }
      } finally {
        for (const each of streams) {
          each.end();
          each.close();
        }
      }
    });
  }

  void test("another process takes them over from the one that holds them, and with that one they end", async () => {
    const addresses = ADDRESSES.map((each) => ({ ...each, port: PORT + 1 }));
    let other: SocketHolder | undefined;
    const first = await holdSockets(host, addresses, async (made) => void (other = made));
    assert.equal(await isRunning(other!.process), true);
    const taken = takeHeld(other!);
    assert.deepEqual(
      taken.map(({ protocol, ip, port }) => ({ protocol, ip, port })),
      addresses,
    );
    assert.equal(new Set([...first, ...taken].map(({ fd }) => fd)).size, 8);
    await endHolder(other!);
    assert.equal(await isRunning(other!.process), false);
    assert.throws(() => takeHeld(other!), /opening process \d+: errno 3/);
  });

  void test("one that could not be written down ends, and leaves its addresses free", async () => {
    const addresses = ADDRESSES.map((each) => ({ ...each, port: PORT + 2 }));
    let other: SocketHolder | undefined;
    const failing = holdSockets(host, addresses, async (made) => {
      other = made;
      throw new Error("disk full");
    });
    await assert.rejects(failing, /disk full/);
    await eventually("its end", async () => !(await isRunning(other!.process)));
  });
});
