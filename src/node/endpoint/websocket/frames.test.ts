import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame, MessageReader, OPCODE, WebSocketError, type Message } from "./frames.ts";
import { acceptKey, CHANNELS, webSocketHandshake } from "./handshake.ts";

/** A frame as a client sends it. */
function masked(first: number, payload: Buffer): Buffer {
  const frame = encodeFrame(0, payload);
  const at = frame.length - payload.length;
  const mask = Buffer.of(0x37, 0xfa, 0x21, 0x3d);
  const head = Buffer.from(frame.subarray(0, at));
  head[0] = first;
  head[1] = head[1]! | 0x80;
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ mask[index & 3]!)]);
}

const readAll = (reader: MessageReader, ...chunks: readonly Buffer[]): Message[] =>
  chunks.flatMap((chunk) => [...reader.push(chunk)]);

const closesWith = (code: number) => (error: unknown) => error instanceof WebSocketError && error.code === code;

void test("reads the masked frame that RFC 6455 shows, in any pieces", () => {
  const bytes = Buffer.from("818537fa213d7f9f4d5158", "hex");
  const wanted = [{ opcode: OPCODE.text, data: Buffer.from("Hello") }];
  assert.deepEqual(readAll(new MessageReader(100), bytes), wanted);
  const single = [...bytes].map((byte) => Buffer.of(byte));
  assert.deepEqual(readAll(new MessageReader(100), ...single), wanted);
});

void test("reads lengths of one, two and eight bytes, several frames in one piece", () => {
  const sizes = [0, 125, 126, 65_535, 65_536, 200_000];
  const payloads = sizes.map((size) => Buffer.alloc(size, size % 251));
  const all = Buffer.concat(payloads.map((payload) => masked(0x82, payload)));
  const wanted = payloads.map((data) => ({ opcode: OPCODE.binary, data }));
  assert.deepEqual(readAll(new MessageReader(200_000), all), wanted);
  const pieces: Buffer[] = [];
  for (let at = 0; at < all.length; at += 997) pieces.push(all.subarray(at, at + 997));
  assert.deepEqual(readAll(new MessageReader(200_000), ...pieces), wanted);
});

void test("puts fragments together, with a ping between them answered at once", () => {
  const reader = new MessageReader(100);
  assert.deepEqual(readAll(reader, masked(0x02, Buffer.from("ab"))), []);
  assert.deepEqual(readAll(reader, masked(0x89, Buffer.from("?"))), [{ opcode: OPCODE.ping, data: Buffer.from("?") }]);
  assert.deepEqual(readAll(reader, masked(0x00, Buffer.from("cd"))), []);
  assert.deepEqual(readAll(reader, masked(0x80, Buffer.from("ef"))), [
    { opcode: OPCODE.binary, data: Buffer.from("abcdef") },
  ]);
});

void test("refuses what breaks the protocol, each with its close code", () => {
  const refused: [Buffer, number][] = [
    [Buffer.of(0x82, 0x01, 0x00), 1002],
    [masked(0xc2, Buffer.of(1)), 1002],
    [masked(0x80, Buffer.of(1)), 1002],
    [masked(0x83, Buffer.of(1)), 1002],
    [masked(0x8b, Buffer.of(1)), 1002],
    [masked(0x09, Buffer.of(1)), 1002],
    [masked(0x89, Buffer.alloc(126)), 1002],
    [Buffer.concat([masked(0x02, Buffer.of(1)), masked(0x82, Buffer.of(1))]), 1002],
    [masked(0x82, Buffer.alloc(101)), 1009],
    [Buffer.concat([masked(0x02, Buffer.alloc(60)), masked(0x80, Buffer.alloc(60))]), 1009],
  ];
  for (const [bytes, code] of refused) {
    assert.throws(() => readAll(new MessageReader(100), bytes), closesWith(code), bytes.toString("hex").slice(0, 20));
  }
});

void test("the handshake answers RFC 6455's key, and the best subprotocol that is offered", () => {
  assert.equal(acceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const headers = { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" };
  const offer = (names: string) =>
    webSocketHandshake({ ...headers, "sec-websocket-protocol": names }, CHANNELS).subprotocol;
  assert.equal(offer("v4.channel.k8s.io, v5.channel.k8s.io"), "v5.channel.k8s.io");
  assert.equal(offer("v4.channel.k8s.io,channel.k8s.io"), "v4.channel.k8s.io");
  assert.throws(() => offer("channel.k8s.io"), /must offer one of v5.channel.k8s.io/);
  assert.throws(() => webSocketHandshake({ ...headers, "sec-websocket-key": "short" }, CHANNELS), /16 bytes/);
});
