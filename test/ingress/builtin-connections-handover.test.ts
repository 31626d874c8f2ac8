import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Agent, request } from "node:http";
import { connect as connectHttp2, constants, type ClientHttp2Session } from "node:http2";
import { connect } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { duplicate } from "../../src/host/duplicate.ts";
import { libc } from "../../src/host/libc.ts";
import { boundSocket } from "../../src/host/listening-socket.ts";
import type { Listener } from "../../src/ingress/engine.ts";
import { until } from "../lab/until.ts";
import { dial, planWith, readAll, stand, type Stand } from "./builtin/stand.ts";
import { endpoint } from "./exchange-door.ts";

const host = "a.example";
const listener: Listener = { address: "127.0.0.1", port: 0, tls: false, proxyProtocol: false };

/** One POST, which no client repeats by itself; its answer's text. */
const post = async (port: number, agent: Agent | false, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request(
      { port, host: "127.0.0.1", agent, method: "POST", path: "/", headers: { host, "content-length": body.length } },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => (text += chunk));
        answer.on("error", reject);
        answer.on("end", () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(`${answer.statusCode}`))));
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });

/** As a client of HTTP/2 does: a stream that a GOAWAY says was not touched is sent again, on another connection. */
function second(port: number): { post(body: string): Promise<string>; close(): void; readonly sessions: number } {
  let session: ClientHttp2Session | undefined;
  let sessions = 0;
  const current = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on("error", () => {});
    sessions += 1;
    return session;
  };
  const once1 = async (body: string): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const stream = current().request({ ":method": "POST", ":path": "/", ":authority": host });
      let text = "";
      stream.setEncoding("utf8");
      stream.on("data", (chunk: string) => (text += chunk));
      stream.on("error", (error) =>
        stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? resolve(undefined) : reject(error),
      );
      stream.on("end", () => resolve(text));
      stream.on("close", () => resolve(stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? undefined : text));
      stream.end(body);
    });
  return {
    async post(body) {
      for (let tries = 0; tries < 5; tries += 1) {
        const text = await once1(body);
        if (text !== undefined) return text;
      }
      throw new Error("refused five times");
    },
    close: () => session?.close(),
    get sessions() {
      return sessions;
    },
  };
}

test("2,000 requests over new and kept connections while one engine hands its socket over to another: none fails, none is sent twice", async () => {
  const seen = new Map<string, number>();
  await using shop = await endpoint(
    createServer((incoming, outgoing) => {
      let text = "";
      incoming.on("data", (chunk: Buffer) => (text += chunk.toString()));
      incoming.on("end", () => {
        seen.set(text, (seen.get(text) ?? 0) + 1);
        outgoing.end(text);
      });
    }),
  );
  const held = boundSocket({ protocol: "TCP", ip: "127.0.0.1", port: 0, anyAddress: false });
  const open = (): number => duplicate(held);
  const plan = planWith({ endpoints: [shop.port] });
  const ground = { listeners: [listener], open, limits: { farewell: 1000, sweep: 100 } };
  const first = await stand(plan, ground);
  const port = first.port(0);
  let next: Stand | undefined;
  const kept = new Agent({ keepAlive: true, maxSockets: 8 });
  const over2 = second(port);
  let asked = 0;
  const failures: string[] = [];
  const hand = async (): Promise<void> => {
    next = await stand(plan, ground);
    await first.engine.stop(20_000);
  };
  let handing: Promise<void> | undefined;
  const worker = async (send: (body: string) => Promise<string>): Promise<void> => {
    while (asked < 2000) {
      asked += 1;
      if (asked === 700) handing = hand();
      const body = `request ${asked}`;
      await send(body).then(
        (text) => text === body || failures.push(`${body} was answered ${JSON.stringify(text)}`),
        (error: Error) => failures.push(`${body}: ${error.message}`),
      );
    }
  };
  await Promise.all([
    ...Array.from({ length: 6 }, async () => worker(async (body) => post(port, kept, body))),
    ...Array.from({ length: 6 }, async () => worker(async (body) => post(port, false, body))),
    ...Array.from({ length: 6 }, async () => worker(async (body) => over2.post(body))),
  ]);
  await handing;
  assert.deepEqual(failures, []);
  assert.deepEqual(
    [...seen].filter(([, times]) => times !== 1),
    [],
  );
  assert.equal(seen.size, asked);
  assert.ok(next!.engine.figures.taken > 0, "the second engine was asked");
  assert.equal(first.engine.figures.open, 0);
  assert.equal(over2.sessions, 2);
  kept.destroy();
  over2.close();
  await next!.engine.stop(0);
  libc().close(held);
});

test("a socket that somebody else has open goes on listening when the engine stops, and what waits in it is the next engine's", async () => {
  await using shop = await endpoint(createServer((_, outgoing) => void outgoing.end("here")));
  const held = boundSocket({ protocol: "TCP", ip: "127.0.0.1", port: 0, anyAddress: false });
  const ground = { listeners: [listener], open: (): number => duplicate(held) };
  const plan = planWith({ endpoints: [shop.port] });
  const first = await stand(plan, ground);
  const port = first.port(0);
  await first.engine.stop(0);
  const waiting = await dial(port);
  waiting.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  await using next = await stand(plan, ground);
  assert.match(await readAll(waiting), /^HTTP\/1\.1 200 [^]*here$/);
  assert.equal(next.port(0), port);
  libc().close(held);
});

test("when it stops, a request that has begun to arrive is answered as the last of its connection, and an idle connection ends in order", async () => {
  await using shop = await endpoint(createServer((_, outgoing) => void outgoing.end("here")));
  const engine = await stand(planWith({ endpoints: [shop.port] }), { limits: { farewell: 500, sweep: 50 } });
  const [begun, idle, late] = await Promise.all([1, 2, 3].map(async () => dial(engine.port(0))));
  const ask = `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  // Two that were used before.
  for (const socket of [idle!, late!]) {
    socket.write(ask);
    await once(socket, "data");
  }
  begun!.write("GET / HTTP/1.1\r\nHo");
  await until("three connections", () => engine.engine.figures.open === 3);
  const stopped = engine.engine.stop(20_000);
  const answers = [begun!, idle!, late!].map(readAll);
  begun!.write(`st: ${host}\r\n\r\n`);
  late!.write(ask);
  const [first, second1, third] = await Promise.all(answers);
  assert.match(first!, /^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n[^]*here$/i);
  assert.equal(second1, "");
  assert.match(third!, /^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n[^]*here$/i);
  for (const socket of [begun!, idle!, late!]) socket.end();
  await stopped;
  const refused = connect(engine.engine.listening[0]!.port, "127.0.0.1");
  await once(refused, "error");
});

test("what a connection that was kept still asks for while the engine stops, is answered by the plan of then", async () => {
  await using shop = await endpoint(createServer((_, outgoing) => void outgoing.end("before")));
  await using other = await endpoint(createServer((_, outgoing) => void outgoing.end("after")));
  const engine = await stand(planWith({ endpoints: [shop.port] }), { limits: { farewell: 10_000, sweep: 50 } });
  const client = await dial(engine.port(0));
  const ask = `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  client.write(ask);
  const [first] = (await once(client, "data")) as [Buffer];
  assert.match(first.toString(), /before$/);
  const stopped = engine.engine.stop(20_000);
  await engine.engine.apply(planWith({ endpoints: [other.port] }));
  const last = readAll(client);
  client.write(ask);
  assert.match(await last, /^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n[^]*after$/i);
  client.end();
  await stopped;
  await assert.rejects(engine.engine.apply(planWith({ endpoints: [shop.port] })), /the engine was stopped/);
});

test("a tunnel lasts until the drain is over, and is cut then", async () => {
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer();
  server.on("upgrade", (incoming, socket, head) =>
    sockets.handleUpgrade(incoming, socket, head, (each) => each.on("message", (said) => each.send(said))),
  );
  await using shop = await endpoint(server);
  const engine = await stand(planWith({ endpoints: [shop.port] }), { limits: { farewell: 100, sweep: 50 } });
  const client = new WebSocket(`ws://127.0.0.1:${engine.port(0)}/`, { headers: { host } });
  await once(client, "open");
  const began = performance.now();
  const stopped = engine.engine.stop(2000);
  client.send("still here");
  const [said] = await once(client, "message");
  assert.equal(String(said), "still here");
  const closed = once(client, "close");
  await stopped;
  await closed;
  assert.ok(performance.now() - began >= 1900);
  assert.equal(engine.engine.figures.open, 0);
});
