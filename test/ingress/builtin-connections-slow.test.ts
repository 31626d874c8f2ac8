import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { test } from "node:test";
import { until } from "../lab/until.ts";
import { certificate, dial, planWith, readAll, stand } from "./builtin/stand.ts";
import { endpoint } from "./exchange-door.ts";

const host = "a.example";
const here = async (): ReturnType<typeof endpoint> =>
  endpoint(createServer((incoming, outgoing) => void incoming.resume().on("end", () => outgoing.end("here"))));

test("1,000 clients whose heads never end are cut in time, and others are answered meanwhile", async () => {
  await using shop = await here();
  await using door = await stand(planWith({ endpoints: [shop.port] }), { limits: { head: 2000, sweep: 200 } });
  const slow = await Promise.all(Array.from({ length: 1000 }, async () => dial(door.port(0))));
  const drip = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write("X");
  }, 200);
  const ends = slow.map(async (socket, i) => {
    // Some say nothing at all.
    if (i % 2 === 0) socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nX-`);
    return readAll(socket);
  });
  await until("a thousand connections", () => door.engine.figures.taken >= 1000);
  const good = await dial(door.port(0));
  good.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  assert.match(await readAll(good), /^HTTP\/1\.1 200 /);
  const answers = await Promise.all(ends);
  clearInterval(drip);
  // Whose head began is told so.
  assert.ok(answers.some((answer) => answer.startsWith("HTTP/1.1 408 ")));
  assert.ok(answers.every((answer) => answer === "" || /^HTTP\/1\.1 4\d\d /.test(answer)));
  for (const socket of slow) socket.destroy();
  good.destroy();
});

test("a body that stops coming is not waited for, and one that the backend does not take is", async () => {
  let release: (() => void) | undefined;
  await using shop = await endpoint(
    createServer((incoming, outgoing) => {
      if (incoming.url === "/busy") {
        release = () => void incoming.resume().on("end", () => outgoing.end("at last"));
        return;
      }
      incoming.resume().on("end", () => outgoing.end("here"));
    }),
  );
  await using door = await stand(planWith({ endpoints: [shop.port] }), { limits: { body: 500, send: 500, sweep: 50 } });
  const silent = await dial(door.port(0));
  silent.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 10\r\n\r\nabc`);
  await readAll(silent);
  assert.equal(door.engine.figures.stalled, 1);
  silent.destroy();

  const patient = await dial(door.port(0));
  const size = 20 << 20;
  patient.write(`POST /busy HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`);
  patient.write(Buffer.alloc(size));
  await until("the backend to have it", () => release !== undefined);
  // Longer than a body is waited for.
  const since = performance.now();
  await until("a while", () => performance.now() - since > 1500);
  assert.equal(door.engine.figures.stalled, 1);
  release!();
  assert.match(await readAll(patient), /^HTTP\/1\.1 200 [^]*at last$/);
  patient.destroy();
});

test("what is left of a body whose answer was sent is not read for ever, however it drips", async () => {
  await using shop = await here();
  await using door = await stand(planWith({ endpoints: [shop.port], settings: { maximumBody: 10 } }), {
    limits: { body: 1000, sweep: 50 },
  });
  const socket = await dial(door.port(0));
  socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000\r\n\r\nabc`);
  const drip = setInterval(() => void (socket.writable && socket.write("x")), 50);
  assert.match(await readAll(socket), /^HTTP\/1\.1 413 /);
  await until("the connection to be over", () => door.engine.figures.open === 0);
  clearInterval(drip);
  socket.destroy();
});

test("a client that does not read what it asked for is cut, over HTTP/1.1 and HTTP/2, and meanwhile only so much is kept for it", async () => {
  let sent = 0;
  const chunk = Buffer.alloc(64 << 10);
  await using shop = await endpoint(
    createServer((_, outgoing) => {
      outgoing.on("error", () => {});
      const write = (): void => {
        while (!outgoing.destroyed && sent < 400 << 20) {
          sent += chunk.length;
          if (!outgoing.write(chunk)) return void outgoing.once("drain", write);
        }
        outgoing.end();
      };
      write();
    }),
  );
  await using door = await stand(planWith({ endpoints: [shop.port] }, { "": await certificate("", host) }), {
    limits: { send: 1000, sweep: 100 },
  });
  const lazy = await dial(door.port(0));
  lazy.pause();
  lazy.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await until("it to be cut", () => door.engine.figures.stalled === 1 && door.engine.figures.open === 0);
  assert.ok(sent < 64 << 20, `${sent} bytes were taken of the backend`);
  lazy.destroy();

  sent = 0;
  const session = connectHttp2(`https://127.0.0.1:${door.port(1)}`, { servername: host, rejectUnauthorized: false });
  const stream = session.request({ ":authority": host });
  stream.on("error", () => {});
  stream.pause();
  await once(stream, "response");
  await until("the stream to be ended", () => stream.rstCode !== undefined && stream.rstCode !== 0);
  assert.ok(sent < 64 << 20, `${sent} bytes were taken of the backend`);
  assert.equal(session.closed, false);
  session.destroy();
});

test("a connection that is idle for too long is ended, over HTTP/1.1 and HTTP/2", async () => {
  await using shop = await here();
  await using door = await stand(planWith({ endpoints: [shop.port] }, { "": await certificate("", host) }), {
    limits: { idle: 500, sweep: 50 },
  });
  const first = await dial(door.port(0));
  first.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const answer = await readAll(first);
  assert.match(answer, /^HTTP\/1\.1 200 /);
  first.destroy();
  const session = connectHttp2(`https://127.0.0.1:${door.port(1)}`, { servername: host, rejectUnauthorized: false });
  await once(session, "close");
  await until("every connection to be over", () => door.engine.figures.open === 0);
});
