import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { encodeControl, encodeData, TYPE, words } from "../../../src/node/endpoint/spdy/frames.ts";
import { headerBlocks } from "../../../src/node/endpoint/spdy/header-block.ts";
import { until } from "../../lab/until.ts";
import { endpointScene, NODE, type EndpointScene } from "./scene.ts";

let scene: EndpointScene;
before(async () => {
  scene = await endpointScene();
});
after(() => scene.close());

const WEB_SOCKET = (protocol: string): string[] => [
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}`,
  `Sec-WebSocket-Protocol: ${protocol}`,
];
const SPDY = (protocol: string): string[] => ["Upgrade: SPDY/3.1", `X-Stream-Protocol-Version: ${protocol}`];

const EXEC = "/exec/default/talker/main?command=cat&input=1&output=1";
const WAYS: readonly (readonly [name: string, path: string, headers: readonly string[]])[] = [
  ["exec over WebSocket", EXEC, WEB_SOCKET("v5.channel.k8s.io")],
  ["exec on a terminal over WebSocket", `${EXEC}&tty=1`, WEB_SOCKET("v4.channel.k8s.io")],
  ["exec over SPDY", EXEC, SPDY("v4.channel.k8s.io")],
  ["exec on a terminal over SPDY", `${EXEC}&tty=1`, SPDY("v4.channel.k8s.io")],
  ["attach over WebSocket", "/attach/default/talker/main?input=1&output=1", WEB_SOCKET("v5.channel.k8s.io")],
  ["ports over SPDY", "/portForward/default/talker", SPDY("portforward.k8s.io")],
  ["ports in WebSocket", "/portForward/default/talker", WEB_SOCKET("SPDY/3.1+portforward.k8s.io")],
];

/** A client whose upgrade has been answered. */
async function upgraded(path: string, headers: readonly string[]): Promise<TLSSocket> {
  const socket = connect({ path: scene.socketPath, ca: scene.ca, servername: NODE, ...scene.client });
  socket.on("error", () => {});
  const head = [`GET ${path} HTTP/1.1`, `Host: ${NODE}`, "Connection: Upgrade", ...headers];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  const [answer] = await new Promise<[Buffer]>((resolve, reject) => {
    socket.once("data", (chunk: Buffer) => resolve([chunk]));
    socket.once("close", () => reject(new Error("no answer")));
  });
  assert.match(answer.toString("latin1"), /^HTTP\/1\.1 101 /);
  return socket;
}

const quiet = (): Promise<true> =>
  until("all programs to end", () => scene.source.running.size === 0 || undefined, { seconds: 60 });

for (const [name, path, headers] of WAYS) {
  void test(
    `${name}: a client that sends noise, or goes at any moment, leaves nothing running`,
    { timeout: 120_000 },
    async () => {
      for (let round = 0; round < 8; round += 1) {
        const socket = await upgraded(path, headers);
        socket.resume();
        // A plausible first byte, so that some of it is taken for a frame.
        const noise = randomBytes(1 + round * 5_000);
        noise[0] = [0x82, 0x80, 0x00, 0x88][round % 4]!;
        socket.write(noise);
        if (round % 2 === 0) socket.destroy();
        else socket.end();
      }
      await quiet();
    },
  );

  void test(
    `${name}: a client that never reads, and sends without end, is slowed down and costs no memory`,
    { timeout: 120_000 },
    async () => {
      const socket = await upgraded(path, headers);
      socket.pause();
      const piece = Buffer.alloc(1024 * 1024);
      // A masked WebSocket message of 64 KiB to stdin, again and again; to SPDY it is data of a stream that nobody opened.
      for (let at = 0; at + 65_544 <= piece.length; at += 65_544) {
        piece.set([0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xfa, 0, 0, 0, 0], at);
      }
      const before = process.memoryUsage().rss;
      for (let sent = 0; sent < 64 && !socket.destroyed; sent += 1) socket.write(piece);
      let left = -1;
      await until("the client to be slowed down, let through or cut off", async () => {
        const same = socket.writableLength === left;
        left = socket.writableLength;
        await new Promise((resolve) => setTimeout(resolve, 500));
        return same || socket.destroyed || undefined;
      });
      // What the client itself has not sent is in the same process.
      const grown = process.memoryUsage().rss - before - socket.writableLength;
      assert.ok(grown < 200 * 1024 * 1024, `${grown} bytes more`);
      socket.destroy();
      await quiet();
    },
  );
}

void test("streams of port-forward without a partner, a port or a number are refused, and the others go on", async () => {
  const socket = await upgraded("/portForward/default/talker", SPDY("portforward.k8s.io"));
  const blocks = headerBlocks();
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  const open = async (id: number, headers: Record<string, string>): Promise<void> => {
    const block = await blocks.write(new Map(Object.entries(headers)));
    socket.write(encodeControl(TYPE.synStream, 0, words(id, 0), Buffer.of(0, 0), block));
  };
  await open(1, { streamtype: "data", port: "0", requestid: "0" });
  await open(3, { streamtype: "data", port: "80" });
  await open(5, { streamtype: "other", port: "80", requestid: "1" });
  await open(7, { streamtype: "data", port: "1", requestid: "2" });
  await open(9, { streamtype: "data", port: "1", requestid: "2" });
  await open(11, { streamtype: "error", port: "2", requestid: "2" });
  socket.write(encodeData(7, false, Buffer.from("early")));
  await open(13, { streamtype: "error", port: "1", requestid: "2" });
  await until(
    "the one whole pair to be told",
    () => text.includes("error forwarding port 1 to pod talker: dial tcp") || undefined,
  );
  const resets = text.split(Buffer.from("800300030000000800000", "hex").toString("latin1")).length - 1;
  assert.equal(resets, 5, "the five others are reset");
  socket.destroy();
  blocks.close();
});
