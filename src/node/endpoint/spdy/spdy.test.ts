import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { duplexPair, type Duplex } from "node:stream";
import { test } from "node:test";
import { constants, createDeflate } from "node:zlib";
import { DICTIONARY } from "./dictionary.ts";
import { encodeControl, encodeData, FrameReader, TYPE, words, type Frame } from "./frames.ts";
import { decodeHeaders, encodeHeaders, headerBlocks } from "./header-block.ts";
import { spdySession, type SpdyStream } from "./session.ts";
import { SendWindows } from "./windows.ts";

void test("the dictionary is that of SPDY 3", () => {
  assert.equal(DICTIONARY.length, 1423);
  const digest = createHash("sha256").update(DICTIONARY).digest("hex");
  assert.equal(digest, "51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02");
});

void test("header blocks of one connection share a zlib stream each way", async () => {
  const [one, other] = [headerBlocks(), headerBlocks()];
  const sizes: number[] = [];
  for (const type of ["error", "stdout", "stderr", "stdin"]) {
    const headers = new Map([["streamtype", type], ...Array.from({ length: 20 }, (_, n) => [`x-${n}`, "ü"] as const)]);
    const block = await one.write(headers);
    sizes.push(block.length);
    assert.deepEqual(await other.read(block), headers);
  }
  assert.ok(sizes[3]! < sizes[0]! / 2, `later blocks know the earlier ones: ${sizes.join(", ")}`);
  one.close();
  other.close();
});

void test("refuses header blocks that lie about their lengths, are no zlib, or inflate without bound", async () => {
  const plain = encodeHeaders(new Map([["streamtype", "stdin"]]));
  for (let length = 0; length < plain.length; length += 1) {
    assert.throws(() => decodeHeaders(plain.subarray(0, length)), /ends too early/);
  }
  const blocks = headerBlocks();
  await assert.rejects(blocks.read(Buffer.from("no zlib at all")));
  const bomb = await new Promise<Buffer>((resolve) => {
    const deflate = createDeflate({ dictionary: DICTIONARY, flush: constants.Z_SYNC_FLUSH });
    const out: Buffer[] = [];
    deflate.on("data", (chunk: Buffer) => out.push(chunk));
    deflate.write(Buffer.alloc(10_000_000), () => resolve(Buffer.concat(out)));
  });
  await assert.rejects(headerBlocks().read(bomb), /longer than 65536/);
});

void test("frames are read in any pieces; long data comes as it arrives", () => {
  const bytes = Buffer.concat([
    encodeControl(TYPE.ping, 0, words(1)),
    encodeData(3, true, Buffer.from("abc")),
    encodeData(5, true, Buffer.alloc(0)),
    encodeControl(TYPE.rstStream, 0, words(3, 5)),
  ]);
  const wanted: Frame[] = [
    { kind: "control", type: TYPE.ping, flags: 0, body: words(1) },
    { kind: "data", stream: 3, fin: true, data: Buffer.from("abc") },
    { kind: "data", stream: 5, fin: true, data: Buffer.alloc(0) },
    { kind: "control", type: TYPE.rstStream, flags: 0, body: words(3, 5) },
  ];
  assert.deepEqual([...new FrameReader().push(bytes)], wanted);
  const reader = new FrameReader();
  const single = [...bytes].flatMap((byte) => [...reader.push(Buffer.of(byte))]);
  assert.deepEqual(
    single.filter((frame) => frame.kind === "control"),
    wanted.filter((frame) => frame.kind === "control"),
  );
  const data = single.filter((frame) => frame.kind === "data" && frame.stream === 3);
  assert.deepEqual(
    data.map((frame) => frame.kind === "data" && [frame.data.toString(), frame.fin]),
    [
      ["a", false],
      ["b", false],
      ["c", true],
    ],
  );
});

void test("refuses frames of another version and control frames without bound", () => {
  assert.throws(() => [...new FrameReader().push(Buffer.from("8002000100000000", "hex"))], /version 2/);
  assert.throws(() => [...new FrameReader().push(Buffer.from("8003000100ffffff", "hex"))], /longer than/);
});

void test("a window holds once the peer has shown that it keeps windows, and not before", () => {
  const windows = new SendWindows();
  windows.sent(1, 100_000);
  assert.equal(windows.allowed(1, 5_000), 5_000);
  windows.update(1, 50_000);
  assert.equal(windows.allowed(1, 50_000), 0, "the connection's window is used up");
  windows.update(0, 100_000);
  assert.equal(windows.allowed(1, 50_000), 65_536 - 100_000 + 50_000);
  assert.equal(windows.update(1, 0x7fffffff), false);
});

interface Client {
  readonly frames: Frame[];
  open(id: number, type: string): Promise<void>;
}

function clientOf(socket: Duplex): Client {
  const reader = new FrameReader();
  const blocks = headerBlocks();
  const frames: Frame[] = [];
  socket.on("data", (chunk: Buffer) => frames.push(...reader.push(chunk)));
  return {
    frames,
    open: async (id, type) => {
      const block = await blocks.write(new Map([["streamtype", type]]));
      socket.write(encodeControl(TYPE.synStream, 0, words(id, 0), Buffer.of(0, 0), block));
    },
  };
}

/** Waits for an effect; one that never comes fails by the deadline. */
async function until(wanted: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!wanted()) {
    if (Date.now() > deadline) throw new Error(`did not come: ${String(wanted)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const bytesOf = (frames: readonly Frame[], stream: number): number =>
  frames.reduce((sum, frame) => sum + (frame.kind === "data" && frame.stream === stream ? frame.data.length : 0), 0);
const has = (frames: readonly Frame[], type: number): boolean =>
  frames.some((frame) => frame.kind === "control" && frame.type === type);

void test("a session answers streams and pings, holds to the client's windows and widens its own", async () => {
  const [near, far] = duplexPair();
  const client = clientOf(near);
  const streams: SpdyStream[] = [];
  const session = spdySession(far, Buffer.alloc(0), (stream) => streams.push(stream) <= 2);
  near.write(encodeControl(TYPE.settings, 0, words(1, 7, 1000)));
  await client.open(1, "stdout");
  await until(() => streams.length === 1 && has(client.frames, TYPE.synReply));
  assert.equal(streams[0]!.headers.get("streamtype"), "stdout");

  streams[0]!.sent.end(Buffer.alloc(3000, 1));
  near.write(encodeControl(TYPE.ping, 0, words(7)));
  await until(() => has(client.frames, TYPE.ping));
  assert.equal(bytesOf(client.frames, 1), 1000, "no more than the window");
  near.write(encodeControl(TYPE.windowUpdate, 0, words(1, 5000)));
  await until(() => client.frames.some((frame) => frame.kind === "data" && frame.fin));
  assert.equal(bytesOf(client.frames, 1), 3000);

  await client.open(3, "stdin");
  near.write(encodeData(3, true, Buffer.from("input")));
  const received: Buffer[] = [];
  await until(() => streams.length === 2 && has(client.frames, TYPE.windowUpdate));
  for await (const chunk of streams[1]!.received) received.push(chunk as Buffer);
  assert.equal(Buffer.concat(received).toString(), "input");

  await client.open(5, "unwanted");
  await until(() => has(client.frames, TYPE.rstStream));
  near.end();
  await session.closed;
});

void test("a client that resets a stream, or breaks the protocol, ends what waits for it", async () => {
  const [near, far] = duplexPair();
  const client = clientOf(near);
  const streams: SpdyStream[] = [];
  const session = spdySession(far, Buffer.alloc(0), (stream) => streams.push(stream) > 0);
  await client.open(1, "stdout");
  await until(() => streams.length === 1 && has(client.frames, TYPE.synReply));
  near.write(encodeControl(TYPE.rstStream, 0, words(1, 5)));
  await until(() => streams[0]!.sent.destroyed);
  await client.open(3, "stdout");
  await until(() => streams.length === 2);
  near.write(Buffer.from("8002000100000000", "hex"));
  await session.closed;
  assert.equal(streams[1]!.sent.destroyed, true);
  assert.equal(far.destroyed, true);
});
