import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { headerOf } from "../lab/behaviour.ts";
import { ask as askAt, askHttp2, openHttp2, openRaw, rawExchange } from "../lab/clients.ts";
import type { EngineSubject } from "../lab/door.ts";
import { onStage } from "./stage.ts";

/** Clients and pods that misbehave cost nobody else anything. */
export const badInputExamples = (subject: EngineSubject): void =>
  onStage(subject, "bad input", (add) => {
    add("headers of 100 kB are refused with 431 or 400, and those of 20 kB are carried", async ({ site }) => {
      const { ask } = await site();
      const { seen } = await ask({ headers: { "x-large": "x".repeat(20_000) } });
      assert.equal(headerOf(seen, "x-large")?.length, 20_000);
      const tooLarge = await ask({ headers: { "x-large": "x".repeat(100_000) } });
      assert.ok([400, 431].includes(tooLarge.status), `${tooLarge.status}`);
      assert.equal((await ask()).status, 200);
    });

    add("a target of 100 kB is refused with 414, 431 or 400", async ({ site }) => {
      const { ask } = await site();
      assert.ok([400, 414, 431].includes((await ask({ path: `/${"x".repeat(100_000)}` })).status));
      assert.equal((await ask({ path: `/${"x".repeat(8000)}` })).status, 200);
    });

    add("a thousand header lines are refused, and a hundred carried", async ({ site }) => {
      const { ask } = await site();
      const lines = (count: number): Record<string, string> =>
        Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, "1"]));
      assert.equal((await ask({ headers: lines(80) })).status, 200);
      assert.ok([400, 431].includes((await ask({ headers: lines(1000) })).status));
    });

    add("cookies of 8 kB go through, both ways, beside a session's", async ({ site }) => {
      const { ask } = await site({ pods: 3, nginx: { affinity: "cookie" } });
      const first = await ask();
      const session = `${first.cookies[0]!.name}=${first.cookies[0]!.value}`;
      const cookie = `big=${"y".repeat(8000)}; ${session}`;
      const answered = await ask({ headers: { cookie } });
      assert.equal(answered.status, 200);
      assert.equal(answered.pod, first.pod);
      assert.equal(headerOf(answered.seen, "cookie"), cookie);
      const value = `large=${"z".repeat(8000)}; Path=/`;
      const set = await ask({
        headers: { "x-want": "large" },
        how: { headers: [["set-cookie", value]] },
        method: "POST",
      });
      assert.equal(set.headers["set-cookie"]?.[0], value);
    });

    add("10,000 connections that say nothing: others are answered quickly", async ({ site, door, lab }) => {
      const { ask } = await site();
      // Their other ends are in the process of the pods, as one process may not have so many descriptors.
      await lab.crowd(door.plain, 10_000);
      try {
        const began = performance.now();
        for (let i = 0; i < 20; i++) assert.equal((await ask({ patience: 5000 })).status, 200);
        const took = performance.now() - began;
        assert.ok(took < 5000, `20 requests took ${Math.round(took)} ms`);
      } finally {
        await lab.disperse();
      }
    });

    add("a client that sends its head byte by byte holds up nobody", async ({ site, door }) => {
      const { ask, host } = await site();
      const slow = await openRaw(door.plain);
      const head = `GET /slowly HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      for (const letter of head.slice(0, 40)) {
        slow.write(letter);
        await sleep(1);
      }
      assert.equal((await ask()).status, 200);
      slow.write(head.slice(40));
      assert.match(await slow.over(), /^HTTP\/1\.1 200/);
    });

    for (const [what, bytes] of [
      ["TLS to the plain port", Buffer.from("160301020001000001fc0303", "hex")],
      ["nothing but line ends", Buffer.from("\r\n".repeat(1000))],
      ["zeros", Buffer.alloc(10_000)],
      ["a line without an end", Buffer.from("x".repeat(200_000))],
      ["a preface of HTTP/2 and then garbage", Buffer.from(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"garbage".repeat(100)}`)],
    ] as const) {
      add(`${what}: the connection ends, and the door stays`, async ({ site, door }) => {
        const { ask } = await site();
        const connection = await openRaw(door.plain);
        connection.write(bytes);
        connection.socket.end();
        await connection.over();
        connection.close();
        assert.equal((await ask()).status, 200);
      });
    }

    for (const [what, lines] of [
      ["no Host", ["GET / HTTP/1.1"]],
      ["two Hosts", ["GET / HTTP/1.1", "Host: HOST", "Host: other.test"]],
      ["a Host with a path", ["GET / HTTP/1.1", "Host: HOST/x"]],
      ["a Host with a user", ["GET / HTTP/1.1", "Host: user@HOST"]],
      ["a target without a slash", ["GET x HTTP/1.1", "Host: HOST"]],
      ["a fragment is no part of a target", ["GET /#x HTTP/1.1", "Host: HOST"]],
      ["a space in a target", ["GET /a b HTTP/1.1", "Host: HOST"]],
      ["a control character in a target", ["GET /a\x01b HTTP/1.1", "Host: HOST"]],
      ["HTTP/3.0", ["GET / HTTP/3.0", "Host: HOST"]],
      ["a header with a space before its colon", ["GET / HTTP/1.1", "Host: HOST", "X-A : 1"]],
      ["a NUL in a header", ["GET / HTTP/1.1", "Host: HOST", "X-A: a\0b"]],
    ] as const) {
      add(`${what}: refused, and no pod is asked for what was not said`, async ({ site, door, lab, name }) => {
        const { host, ask } = await site();
        const mark = name("mark");
        const text = [
          ...lines.map((line) => line.replace("HOST", host)),
          `X-Mark: ${mark}-`,
          "Connection: close",
          "\r\n",
        ].join("\r\n");
        const answer = await rawExchange(door.plain, text);
        assert.match(answer, /^(HTTP\/1\.[01] (400|404|414|431|501|505)|$)/);
        assert.deepEqual(await lab.seenOf(`${mark}-`), []);
        assert.equal((await ask()).status, 200);
      });
    }

    add("streams that are opened and reset at once, ten thousand of them, hold up nobody", async ({ site, door }) => {
      const { host, ask } = await site();
      const session = await openHttp2(door.secure, host);
      try {
        for (let i = 0; i < 10_000 && !session.destroyed && !session.closed; i++) {
          const stream = session.request({ ":path": "/", ":method": "GET" });
          stream.on("error", () => undefined);
          stream.close(8);
          if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
        }
      } catch {
        // The door may have had enough of it.
      }
      session.destroy();
      const began = performance.now();
      assert.equal((await ask()).status, 200);
      assert.ok(performance.now() - began < 5000);
      const next = await openHttp2(door.secure, host);
      assert.equal((await askHttp2(next)).status, 200);
      next.close();
    });

    add(
      "a pod's answer with headers of 100 kB goes through or is 502, and one of 12 kB goes through",
      async ({ site }) => {
        const { ask } = await site();
        const fine = await ask({ how: { largeHeader: 12_000 } });
        assert.equal(fine.headers["x-large"]?.length, 12_000);
        const { status } = await ask({ how: { largeHeader: 100_000 } });
        assert.ok([200, 502].includes(status), `${status}`);
        assert.equal((await ask()).status, 200);
      },
    );

    add("what a pod says of lengths is not taken from another's answer", async ({ site, door }) => {
      const { host } = await site();
      const answers = await Promise.all(
        Array.from({ length: 40 }, async (_, i) => askAt(door.plain, { host, how: { bytes: 100 + i * 997 } })),
      );
      for (const [i, { body }] of answers.entries()) assert.equal(body.length, 100 + i * 997);
    });
  });
