import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../lab/until.ts";
import { answerTo, begin, openRaw } from "../lab/clients.ts";
import type { EngineSubject } from "../lab/door.ts";
import { onStage } from "./stage.ts";

const MEGABYTE = 1 << 20;
const HUNDRED = 100 * MEGABYTE;
/** What the process may keep while it carries a hundred; its own clients are in it. */
const ROOM = 64 * MEGABYTE;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const piece = Buffer.alloc(65536, "0123456789abcdef");
function* pieces(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= piece.length) yield left >= piece.length ? piece : piece.subarray(0, left);
}
const sumOf = (bytes: number): string => {
  const hash = createHash("sha256");
  for (const each of pieces(bytes)) hash.update(each);
  return hash.digest("hex");
};

/** The most that this process kept meanwhile, in bytes of memory outside of V8's heap and in it; what is garbage is not kept. */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  const used = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  let most = 0;
  const timer = setInterval(() => (most = Math.max(most, used() - before)), 300);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return most;
}

/** Bodies stream both ways, as fast as the slower side takes them. */
export const streamingExamples = (subject: EngineSubject): void =>
  onStage(subject, "streaming", (add) => {
    add("limit-rate is how fast an answer goes, after the first limit-rate-after of it", async ({ site }) => {
      const { ask } = await site({ nginx: { "limit-rate": "100", "limit-rate-after": "50" } });
      const began = performance.now();
      const { text } = await ask({ how: { bytes: 250 * 1024 } });
      assert.equal(text.length, 250 * 1024);
      const took = performance.now() - began;
      assert.ok(took > 1500, `200 KiB beyond the first at 100 KiB a second took ${took} ms`);
    });

    for (const by of ["plain", "secure"] as const) {
      add(`an upload of 100 MB by ${by} arrives whole, with bounded memory`, async ({ site, door }) => {
        const { host } = await site();
        const growth = await growthDuring(async () => {
          const request = begin(door[by], { host, method: "PUT", headers: { "content-length": HUNDRED } });
          const answered = answerTo(request);
          await pipeline(Readable.from(pieces(HUNDRED)), request);
          const { seen } = await answered;
          assert.equal(seen.length, HUNDRED);
          assert.equal(seen.sha256, sumOf(HUNDRED));
        });
        assert.ok(growth < ROOM, `grew by ${Math.round(growth / MEGABYTE)} MB`);
      });

      add(`a download of 100 MB by ${by} arrives whole, with bounded memory`, async ({ site, door }) => {
        const { host } = await site();
        const growth = await growthDuring(async () => {
          const request = begin(door[by], { host, how: { bytes: HUNDRED } });
          request.end();
          const [response] = (await once(request, "response")) as [IncomingMessage];
          const hash = createHash("sha256");
          for await (const each of response) hash.update(each as Buffer);
          assert.equal(hash.digest("hex"), sumOf(HUNDRED));
        });
        assert.ok(growth < ROOM, `grew by ${Math.round(growth / MEGABYTE)} MB`);
      });
    }

    add("a pod that reads slowly slows the client down", async ({ site, door, lab, name }) => {
      const { host } = await site();
      const path = `/${name("slow")}-`;
      const growth = await growthDuring(async () => {
        const request = begin(door.plain, {
          host,
          path,
          method: "PUT",
          headers: { "content-length": HUNDRED },
          how: { slowRead: 20 },
        });
        request.on("error", () => undefined);
        let sent = 0;
        const source = Readable.from(
          (function* () {
            for (const each of pieces(HUNDRED)) {
              sent += each.length;
              yield each;
            }
          })(),
        );
        source.pipe(request);
        await lab.sees(path, ({ length }) => length > MEGABYTE / 2);
        assert.ok(sent < 40 * MEGABYTE, `${Math.round(sent / MEGABYTE)} MB were taken of a pod that took little`);
        source.destroy();
        request.destroy();
        await lab.sees(path, ({ outcome }) => outcome === "aborted");
      });
      assert.ok(growth < ROOM, `grew by ${Math.round(growth / MEGABYTE)} MB`);
    });

    add("a client that reads slowly slows the pod down, and is not given up", async ({ site, door }) => {
      const { host } = await site();
      const growth = await growthDuring(async () => {
        const connection = await openRaw(door.plain);
        connection.socket.pause();
        connection.write(
          `GET /slow-reader HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nx-do: ${JSON.stringify({ bytes: HUNDRED })}\r\n\r\n`,
        );
        await sleep(500);
        // What is in the kernel's buffers, and in those on the way, is all that may be gone.
        let read = 0;
        connection.socket.removeAllListeners("data");
        connection.socket.on("data", (each: Buffer) => {
          read += each.length;
          connection.socket.pause();
          setTimeout(() => connection.socket.resume(), 1);
        });
        connection.socket.resume();
        await until("five megabytes", () => read > 5 * MEGABYTE);
        connection.close();
      });
      assert.ok(growth < ROOM, `grew by ${Math.round(growth / MEGABYTE)} MB`);
    });

    add("server-sent events arrive one by one", async ({ site, door, lab }) => {
      const { host } = await site();
      const connection = await openRaw(door.plain);
      connection.write(
        `GET /events HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\nx-do: ${JSON.stringify({ events: 4 })}\r\n\r\n`,
      );
      await connection.has("text/event-stream");
      for (let i = 0; i < 4; i++) {
        assert.ok(!connection.received.includes(`data: ${i}\n`));
        await lab.release(`event-${i}`);
        await connection.has(`data: ${i}\n\n`);
      }
      connection.close();
    });

    add("what is sent back while it is still coming: both ways at once", async ({ site, door }) => {
      const { host } = await site();
      const request = begin(door.plain, {
        host,
        method: "POST",
        headers: { "transfer-encoding": "chunked" },
        how: { echo: true },
      });
      // Some servers send a head with the first of its body.
      request.write("zero");
      const [response] = (await once(request, "response")) as [IncomingMessage];
      assert.equal(String((await once(response, "data"))[0]), "zero");
      for (const word of ["one", "two", "three"]) {
        const back = once(response, "data");
        request.write(word);
        const [data] = (await back) as [Buffer];
        assert.equal(data.toString(), word);
      }
      const ended = once(response, "end");
      response.resume();
      request.end();
      await ended;
    });

    add(
      "a client that goes is seen by the pod: while it waits, while it sends, while it reads",
      async ({ site, door, lab, name }) => {
        const { host } = await site();
        const gone = async (what: string, work: (path: string) => Promise<() => void>): Promise<void> => {
          const path = `/${name(what)}-`;
          const leave = await work(path);
          await lab.sees(path);
          leave();
          await lab.sees(path, ({ outcome }) => outcome === "aborted");
        };
        for (const place of [door.plain, door.secure]) {
          await gone("waits", async (path) => {
            const request = begin(place, { host, path, how: { hold: "never" } });
            request.on("error", () => undefined);
            request.end();
            return () => request.destroy();
          });
          await gone("sends", async (path) => {
            const request = begin(place, { host, path, method: "POST", headers: { "content-length": 1000 } });
            request.on("error", () => undefined);
            request.write("begun");
            return () => request.destroy();
          });
          await gone("reads", async (path) => {
            const request = begin(place, { host, path, how: { bytes: HUNDRED } });
            request.on("error", () => undefined);
            request.end();
            const [response] = (await once(request, "response")) as [IncomingMessage];
            response.on("error", () => undefined);
            return () => request.destroy();
          });
        }
      },
    );

    add("a pod that answers before it has the body: its answer is the client's", async ({ site, door }) => {
      const { host } = await site();
      const request = begin(door.plain, {
        host,
        method: "POST",
        headers: { "content-length": MEGABYTE },
        how: { unread: true, status: 413, body: "too much", close: true },
      });
      request.on("error", () => undefined);
      const answered = answerTo(request);
      request.write("x");
      assert.equal((await answered).text, "too much");
      request.destroy();
    });

    add("a pod that takes longer than a client waits does not hold others up", async ({ site, lab, name }) => {
      const one = await site({ pods: 1 });
      const gate = name("gate");
      const held = Array.from({ length: 50 }, async () => one.ask({ how: { hold: gate } }));
      await until("all of them to be at the pod", async () => (await lab.seenOf(gate)).length === 50);
      assert.equal((await one.ask()).status, 200);
      await lab.release(gate);
      for (const each of held) assert.equal((await each).status, 200);
    });
  });
