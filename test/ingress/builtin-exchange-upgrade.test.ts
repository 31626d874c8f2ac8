import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { test } from "node:test";
import type { Socket } from "node:net";
import { WebSocketServer } from "ws";
import { until } from "../lab/until.ts";
import { endpoint, openDoor } from "./exchange-door.ts";
import { openHttp2, openRaw, openWebSocket, said } from "./lab/clients.ts";
import { cookieAffinity } from "./plans.ts";

const host = "a.example";

/** Says back what it hears. */
function echoing(): Server {
  const server = createServer((_, response) => response.end("plain"));
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on("error", () => undefined);
  });
  return server;
}

/** Becomes what `took` makes of its socket. */
function changing(took: (socket: Socket) => void): Server {
  const server = createServer();
  server.on("upgrade", (_, socket) => {
    socket.on("error", () => undefined);
    socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n");
    took(socket as Socket);
  });
  return server;
}

const asking = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n`;

test("a WebSocket goes through, with a session's cookie in its 101, and is logged once at its end", async () => {
  await using shop = await endpoint(echoing());
  await using door = await openDoor({ endpoints: [shop.port], affinity: cookieAffinity() });
  const socket = await openWebSocket(door.place, { host, path: "/chat" });
  assert.match(String(socket.upgradeHeaders["set-cookie"]), /^INGRESSCOOKIE=/);
  assert.equal(await said(socket, "hello"), "hello");
  const large = "x".repeat(5_000_000);
  assert.equal(await said(socket, large), large);
  assert.equal(door.handler.underWay, 1);
  assert.equal(door.log.length, 0);
  socket.close();
  await until("it is logged", () => door.log.length === 1);
  const [line] = door.log;
  assert.equal(line?.status, 101);
  assert.equal(line?.backend?.endpoint, `127.0.0.1:${shop.port}`);
  assert.ok(line.received > 5_000_000 && line.sent > 5_000_000);
  assert.equal(door.handler.underWay, 0);
});

test("a WebSocket stays open whatever the plan becomes, even one without its endpoint", async () => {
  await using shop = await endpoint(echoing());
  await using other = await endpoint(echoing());
  await using door = await openDoor({ endpoints: [shop.port] });
  const socket = await openWebSocket(door.place, { host });
  for (let change = 0; change < 20; change += 1) {
    door.follow({ endpoints: change % 2 === 0 ? [other.port] : [shop.port, other.port] });
    assert.equal(await said(socket, `still ${change}`), `still ${change}`);
  }
  door.follow({ endpoints: [] });
  assert.equal(await said(socket, "and still"), "and still");
  socket.close();
});

test("an upgrade that the endpoint refuses is answered with what it says, and one that nobody takes with 503", async () => {
  await using shop = await endpoint(
    createServer().on("upgrade", (_, socket) => {
      socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\nx-why: mood\r\n\r\nno!\n");
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const raw = await openRaw(door.place);
  raw.write(asking);
  const said = await raw.over();
  assert.match(said, /^HTTP\/1\.1 403 Forbidden\r\n/);
  assert.match(said, /x-why: mood/);
  assert.match(said, /connection: close/i);
  assert.match(said, /no!\n$/);
  await assert.rejects(openWebSocket(door.place, { host }), /403/);
  door.follow({ endpoints: [] });
  await assert.rejects(openWebSocket(door.place, { host }), /503/);
  await assert.rejects(openWebSocket(door.place, { host: "b.example" }), /404/);
  await until("each is logged", () => door.log.length === 4);
});

test("an upgrade is tried at another endpoint when one is gone", async () => {
  await using gone = await endpoint(echoing());
  await using shop = await endpoint(echoing());
  await gone.stop();
  await using door = await openDoor({ endpoints: [gone.port, shop.port] });
  for (let opened = 0; opened < 4; opened += 1) {
    const socket = await openWebSocket(door.place, { host });
    assert.equal(await said(socket, "hello"), "hello");
    socket.close();
  }
});

test("each half of an upgraded connection ends by itself", async () => {
  await using shop = await endpoint(
    changing((socket) => {
      let heard = "";
      socket.on("data", (chunk) => (heard += chunk.toString()));
      // After the client's end it still says what it heard.
      socket.on("end", () => socket.end(`heard ${heard}`));
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const raw = await openRaw(door.place);
  // What comes right behind the request is for the endpoint, too.
  raw.write(`${asking}early `);
  await raw.has("101 Switching Protocols");
  raw.socket.end("late");
  assert.match(await raw.over(), /heard early late$/);
  await until("it is logged", () => door.log.length === 1);
});

test("an upgraded connection that breaks breaks on the other side", async () => {
  await using shop = await endpoint(changing((socket) => void setImmediate(() => socket.resetAndDestroy())));
  await using door = await openDoor({ endpoints: [shop.port] });
  const raw = await openRaw(door.place);
  raw.write(asking);
  await raw.over();
  await until("it is logged", () => door.log.length === 1);
  await using shy = await endpoint(changing((socket) => socket.resume()));
  door.follow({ endpoints: [shy.port] });
  const other = await openRaw(door.place);
  other.write(asking);
  await other.has("101");
  other.socket.resetAndDestroy();
  await until("the endpoint is told", () => shy.sockets.size === 0);
  await until("it is logged too", () => door.log.length === 2);
});

test("an upgraded connection on which nobody speaks is cut after the tunnel's timeout", async () => {
  await using shop = await endpoint(changing((socket) => socket.pipe(socket)));
  const settings = { timeouts: { connect: 5000, send: 5000, read: 5000, tunnel: 400 } };
  await using door = await openDoor({ endpoints: [shop.port], settings });
  const raw = await openRaw(door.place);
  raw.write(asking);
  await raw.has("101");
  for (let spoken = 0; spoken < 6; spoken += 1) {
    raw.write(`word ${spoken} `);
    await raw.has(`word ${spoken} `);
    // Silence shorter than the timeout, so often that together it is longer.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(raw.isOver, false);
  await raw.over();
  await until("it is logged", () => door.log.length === 1);
});

test("an upgraded connection is read as fast as it is taken", async () => {
  const piece = Buffer.alloc(65_536);
  let given = 0;
  await using shop = await endpoint(
    changing((socket) => {
      const more = (): void => {
        given += piece.length;
        while (!socket.destroyed && socket.write(piece)) given += piece.length;
      };
      socket.on("drain", more);
      more();
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const raw = await openRaw(door.place);
  raw.write(asking);
  await raw.has("101");
  raw.socket.pause();
  let last = 0;
  let same = 0;
  await until(
    "the endpoint to stand still",
    () => {
      same = given === last ? same + 1 : 0;
      last = given;
      return same >= 5;
    },
    { every: 100 },
  );
  assert.ok(given < 16 * 1024 * 1024, `${given} bytes were taken for a client that reads none`);
  const before = given;
  raw.socket.resume();
  await until("it goes on", () => given > before + 10 * piece.length);
  raw.socket.destroy();
  await until("it is logged", () => door.log.length === 1);
});

test("a WebSocket in a stream of HTTP/2 (RFC 8441) is one of HTTP/1.1 to its endpoint", async () => {
  await using shop = await endpoint(echoing());
  await using door = await openDoor({ endpoints: [shop.port] });
  const session = await openHttp2(door.second, host);
  const stream = session.request({
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":scheme": "http",
    ":path": "/chat",
    ":authority": host,
    "sec-websocket-version": "13",
  });
  const [head] = (await once(stream, "response")) as [Record<string, unknown>];
  assert.equal(head[":status"], 200);
  assert.equal(head["sec-websocket-accept"], undefined);
  // A text of two bytes, masked with zeros.
  stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
  const [frame] = (await once(stream, "data")) as [Buffer];
  assert.deepEqual([...frame], [0x81, 2, 0x68, 0x69]);
  stream.close();
  session.close();
  await until("it is logged", () => door.log.length === 1);
  assert.equal(door.handler.underWay, 0);
});

test("an endpoint that changes a connection that was not to be changed is 502", async () => {
  await using shop = await endpoint(
    createServer((_, response) => {
      response.socket!.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n");
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const raw = await openRaw(door.place);
  raw.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  assert.match(await raw.over(), /^HTTP\/1\.1 502 /);
});
