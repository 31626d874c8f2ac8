import { once } from "node:events";
import { PassThrough, Writable, type Duplex, type Readable } from "node:stream";
import { whileUnread } from "../exec/while-unread.ts";
import {
  encodeControl,
  encodeData,
  FLAG_FIN,
  FrameReader,
  INITIAL_WINDOW_SIZE,
  RESET,
  TYPE,
  words,
  type ControlFrame,
  type DataFrame,
} from "./frames.ts";
import { headerBlocks, type Headers } from "./header-block.ts";
import { SendWindows, WINDOW } from "./windows.ts";

/** A stream that the client opened. */
export interface SpdyStream {
  readonly headers: Headers;
  /** What the client sends; ends when the client has finished its side. */
  readonly received: Readable;
  /** What we send; its end finishes our side. */
  readonly sent: Writable;
}

interface OpenStream extends SpdyStream {
  readonly received: PassThrough;
  /** Bytes that were read and not yet told to the client. */
  taken: number;
  /** Which sides have finished. */
  hasReceived: boolean;
  hasSent: boolean;
}

export interface SpdySession {
  /** Resolves when the connection has ended or broken. */
  readonly closed: Promise<void>;
}

/** Tells a stream how what it asked for went. */
async function settle(promise: Promise<void>, done: (error?: Error) => void): Promise<void> {
  let failure: Error | undefined;
  try {
    await promise;
  } catch (error) {
    failure = error as Error;
  }
  done(failure);
}
const callBack = (promise: Promise<void>, done: (error?: Error) => void): void => void settle(promise, done);

/** Streams that a client may have open at a time, unless told: exec needs five. */
const MAXIMUM_STREAMS = 8;
/** Bytes of data in one frame. */
const MAXIMUM_DATA = 32 * 1024;
/** Bytes kept for a reader that is slow; then the connection is not read either. */
const RECEIVE_BUFFER = 1024 * 1024;

/**
 * The server's side of a SPDY/3.1 connection whose upgrade has been answered. `accept` is given every stream that the client opens, and
 * answers whether it wants it. Whatever breaks the protocol ends the connection.
 */
export function spdySession(
  socket: Duplex,
  head: Buffer,
  accept: (stream: SpdyStream) => boolean,
  maximumStreams = MAXIMUM_STREAMS,
): SpdySession {
  const blocks = headerBlocks();
  const windows = new SendWindows();
  const streams = new Map<number, OpenStream>();
  const reader = new FrameReader();
  let last = 0;

  const write = (frame: Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      if (!socket.writable) return reject(new Error("the SPDY connection is closed"));
      socket.write(frame, (error) => (error ? reject(error) : resolve()));
    });
  /** For frames whose loss shows elsewhere: the connection is then at its end. */
  const say = (frame: Buffer): void => void write(frame).catch(() => {});
  const reset = (id: number, code: number): void => say(encodeControl(TYPE.rstStream, 0, words(id, code)));
  const drop = (id: number): void => {
    const stream = streams.get(id);
    streams.delete(id);
    windows.forget(id);
    stream?.received.destroy();
    stream?.sent.destroy();
  };

  /** What both sides have finished is over; what was received of it may still be read. */
  const forget = (id: number, { hasReceived, hasSent }: OpenStream): void => {
    if (!hasReceived || !hasSent) return;
    streams.delete(id);
    windows.forget(id);
  };
  const finish = async (id: number): Promise<void> => {
    await write(encodeData(id, true, Buffer.alloc(0)));
    const stream = streams.get(id);
    if (stream === undefined) return;
    stream.hasSent = true;
    forget(id, stream);
  };

  const sendData = async (id: number, data: Buffer): Promise<void> => {
    for (let at = 0; at < data.length;) {
      if (!streams.has(id)) throw new Error("the client has reset the stream");
      const length = windows.allowed(id, Math.min(MAXIMUM_DATA, data.length - at));
      if (length === 0) {
        await windows.changed();
        continue;
      }
      windows.sent(id, length);
      await write(encodeData(id, false, data.subarray(at, at + length)));
      at += length;
    }
  };

  const openStream = async ({ body, flags }: ControlFrame): Promise<void> => {
    if (body.length < 10) throw new Error("a SYN_STREAM frame is too short");
    const id = body.readUInt32BE() & 0x7fffffff;
    // Each block moves the zlib stream on, so even that of a refused stream is read.
    const headers = await blocks.read(body.subarray(10));
    if (id % 2 === 0 || id <= last) {
      reset(id, RESET.protocolError);
      return;
    }
    last = id;
    if (streams.size >= maximumStreams) {
      reset(id, RESET.refusedStream);
      return;
    }
    const stream: OpenStream = {
      headers,
      taken: 0,
      hasReceived: (flags & FLAG_FIN) !== 0,
      hasSent: false,
      received: new PassThrough({ highWaterMark: RECEIVE_BUFFER }),
      sent: new Writable({
        write: (data: Buffer, _, done) => callBack(sendData(id, data), done),
        final: (done) => callBack(finish(id), done),
      }),
    };
    stream.received.on("error", () => {});
    stream.sent.on("error", () => {});
    streams.set(id, stream);
    if ((flags & FLAG_FIN) !== 0) stream.received.end();
    await write(encodeControl(TYPE.synReply, 0, words(id), await blocks.write(new Map())));
    if (accept(stream)) return;
    reset(id, RESET.refusedStream);
    drop(id);
  };

  const receive = async ({ stream: id, data, fin }: DataFrame): Promise<void> => {
    const stream = streams.get(id);
    // Bytes that nobody wants count in the connection's window all the same.
    const { received } = stream ?? {};
    if (received?.writable === true && data.length > 0 && !received.write(data)) {
      const waiting = new AbortController();
      // A server's pings have even numbers.
      const again = whileUnread(() => say(encodeControl(TYPE.ping, 0, words(2))));
      // It closes without having drained when the command or the client has ended.
      await Promise.race(["drain", "close"].map((event) => once(received, event, waiting).catch(() => {})));
      again();
      waiting.abort();
    }
    if (data.length > 0) say(encodeControl(TYPE.windowUpdate, 0, words(0, data.length)));
    if (stream === undefined) return;
    stream.taken += data.length;
    if (fin) {
      received?.end();
      stream.hasReceived = true;
      forget(id, stream);
    } else if (stream.taken >= WINDOW / 2) {
      say(encodeControl(TYPE.windowUpdate, 0, words(id, stream.taken)));
      stream.taken = 0;
    }
  };

  const settings = (body: Buffer): void => {
    for (let at = 4; at + 8 <= body.length; at += 8) {
      if ((body.readUInt32BE(at) & 0xffffff) === INITIAL_WINDOW_SIZE) windows.initial(body.readUInt32BE(at + 4));
    }
  };

  const control = async (frame: ControlFrame): Promise<void> => {
    const { type, body } = frame;
    const first = body.length >= 4 ? body.readUInt32BE() & 0x7fffffff : 0;
    if (type === TYPE.synStream) await openStream(frame);
    else if (type === TYPE.headers) await blocks.read(body.subarray(4));
    else if (type === TYPE.rstStream) drop(first);
    else if (type === TYPE.settings) settings(body);
    // A client's pings have odd numbers; an even one answers ours.
    else if (type === TYPE.ping && first % 2 === 1) say(encodeControl(TYPE.ping, 0, body.subarray(0, 4)));
    else if (type === TYPE.windowUpdate && body.length >= 8) {
      if (first !== 0 && !streams.has(first)) return;
      if (windows.update(first, body.readUInt32BE(4) & 0x7fffffff)) return;
      if (first === 0) throw new Error("the connection's window was made wider than 2^31 - 1");
      reset(first, RESET.flowControlError);
      drop(first);
    }
  };

  const read = async (chunk: Buffer): Promise<void> => {
    for (const frame of reader.push(chunk)) await (frame.kind === "data" ? receive(frame) : control(frame));
  };

  const dropAll = (): void => {
    for (const id of streams.keys()) drop(id);
  };
  // Frees a reader that waits for a slow stream.
  socket.once("close", dropAll);

  const run = async (): Promise<void> => {
    try {
      if (head.length > 0) await read(head);
      for await (const chunk of socket) await read(chunk as Buffer);
    } catch {
      socket.destroy();
    } finally {
      dropAll();
      blocks.close();
    }
  };

  return { closed: run() };
}
