import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { onStage, type Stage } from "../contract/stage.ts";
import { openHttp2, openRaw } from "../lab/clients.ts";
import type { EngineSubject } from "../lab/door.ts";

const MEGABYTE = 1 << 20;
/** Said by a flood that nobody stops, before it stops by itself. */
const FLOOD = 64 * MEGABYTE;

/** Sends a beginning, and then one thing over and over, as fast as it is taken. */
async function flood(socket: Socket, beginning: string, again: string, end = ""): Promise<number> {
  const piece = Buffer.from(again.repeat(Math.ceil(65_536 / again.length)), "latin1");
  let sent = 0;
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  socket.write(beginning, "latin1");
  while (sent < FLOOD && !gone.signal.aborted) {
    sent += piece.length;
    if (!socket.write(piece)) await once(socket, "drain", { signal: gone.signal }).catch(() => undefined);
  }
  socket.end(end, "latin1");
  return sent;
}

/** A pod that answers each request with a flood. */
async function floodingPod(stage: Stage, beginning: string, again: string) {
  const { lab, site, name } = stage;
  const address = lab.address();
  const sent: Promise<number>[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => void sent.push(flood(socket, beginning, again)));
    socket.resume();
  });
  server.listen(8080, address);
  await once(server, "listening");
  const own = name("flood");
  const pod = {
    ...stage.pods[0]!,
    name: own,
    uid: own,
    address,
    port: 8080,
  };
  const made = await site({ pods: [pod], nginx: { "proxy-next-upstream": "off", "proxy-read-timeout": "5" } });
  return { ...made, sent, close: () => server.close() };
}

/** What this process keeps more than before, in bytes, while something is done. */
async function kept(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = 0;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss - before)), 20);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return most;
}

/** Nobody makes us keep more than a little of what has no end. */
export const floodAttacks = (subject: EngineSubject): void =>
  onStage(subject, "attacks by floods", (add) => {
    for (const [what, beginning, again, statuses] of [
      ["1xx", "", "HTTP/1.1 102 Processing\r\n\r\n", [502, 504]],
      ["early hints", "", `HTTP/1.1 103 Early Hints\r\nlink: </${"a".repeat(500)}>; rel=preload\r\n\r\n`, [502, 504]],
      ["headers", "HTTP/1.1 200 OK\r\n", "a: b\r\n", [502]],
      ["one header", "HTTP/1.1 200 OK\r\na: ", "b", [502]],
    ] as const) {
      add(`a pod's flood of ${what} is cut off`, async (stage) => {
        const pod = await floodingPod(stage, beginning, again);
        try {
          const answered = await stage
            .ask({ host: pod.host, patience: 50_000 })
            .catch((error: unknown) => error as Error);
          if (!(answered instanceof Error))
            assert.ok((statuses as readonly number[]).includes(answered.status), String(answered.status));
          const sent = await pod.sent[0]!;
          // HAProxy passes each 1xx on as fast as its client takes it, and keeps none.
          const isPassedOn = subject.name === "haproxy" && beginning === "";
          assert.ok(sent < FLOOD || isPassedOn, "all of it was taken");
          assert.equal((await (await stage.site()).ask()).status, 200);
        } finally {
          pod.close();
        }
      });
    }

    for (const [what, beginning, again] of [
      ["a status line", "HTTP/1.1 200 ", "b"],
      ["trailers", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", "a: b\r\n"],
      ["one trailer", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\na: ", "b"],
      ["chunk extensions", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;", "a=b;"],
    ] as const) {
      add(`a pod's flood of ${what} is not kept`, async (stage) => {
        const pod = await floodingPod(stage, beginning, again);
        try {
          const most = await kept(async () => {
            await stage.ask({ host: pod.host, patience: 50_000 }).catch((error: unknown) => error as Error);
            await pod.sent[0];
          });
          assert.ok(most < FLOOD, `${Math.round(most / MEGABYTE)} MB`);
          assert.equal((await (await stage.site()).ask()).status, 200);
        } finally {
          pod.close();
        }
      });
    }

    for (const [what, beginning, again] of [
      ["headers", "GET / HTTP/1.1\r\nHost: HOST\r\n", "a: b\r\n"],
      ["one header", "GET / HTTP/1.1\r\nHost: HOST\r\na: ", "b"],
      ["a target", "GET /", "a"],
      ["empty lines", "", "\r\n"],
      ["trailers", "POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", "a: b\r\n"],
      ["chunk extensions", "POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n1;", "a=b;"],
    ] as const) {
      add(`a client's flood of ${what} is cut off or passed over, and not kept`, async (stage) => {
        const { host } = await stage.site();
        const raw = await openRaw(stage.door.plain);
        const most = await kept(async () => void (await flood(raw.socket, beginning.replace("HOST", host), again)));
        raw.close();
        assert.ok(most < FLOOD, `${Math.round(most / MEGABYTE)} MB`);
        assert.equal((await stage.ask({ host })).status, 200);
      });
    }

    add("HTTP/2: thousands of streams that are reset at once cost nobody else anything", async (stage) => {
      const { host } = await stage.site();
      const session = await openHttp2(stage.door.plain, host);
      const most = await kept(async () => {
        for (let at = 0; at < 5000 && !session.destroyed; at += 1) {
          const stream = session.request({ ":path": `/${at}`, ":authority": host });
          stream.on("error", () => undefined);
          stream.close(8);
          if (at % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
        }
      });
      session.destroy();
      assert.ok(most < 4 * FLOOD, `${Math.round(most / MEGABYTE)} MB`);
      assert.equal((await stage.ask({ host })).status, 200);
    });
  });
