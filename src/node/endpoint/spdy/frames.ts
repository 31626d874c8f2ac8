/** Types of control frames (SPDY draft 3, 2.6). */
export const TYPE = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Why a stream is reset (SPDY draft 3, 2.6.3). */
export const RESET = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5, flowControlError: 7 } as const;

/** Number of the setting that tells a stream's first window (SPDY draft 3, 2.6.4). */
export const INITIAL_WINDOW_SIZE = 7;
export const FLAG_FIN = 1;
/** SPDY/3.1 frames still say 3. */
const VERSION = 3;
const HEAD = 8;
/** Bytes of a control frame; only data may be longer, and that is read in pieces. */
const MAXIMUM_CONTROL = 64 * 1024;

export interface ControlFrame {
  readonly kind: "control";
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** A data frame, or a piece of a long one; `fin` only comes with the last piece. */
export interface DataFrame {
  readonly kind: "data";
  readonly stream: number;
  readonly fin: boolean;
  readonly data: Buffer;
}

export type Frame = ControlFrame | DataFrame;

export function encodeControl(type: number, flags: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(HEAD);
  head.writeUInt16BE(0x8000 | VERSION);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(((flags << 24) | length) >>> 0, 4);
  return Buffer.concat([head, ...parts]);
}

export function encodeData(stream: number, fin: boolean, data: Buffer): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32BE(stream);
  head.writeUInt32BE(((fin ? FLAG_FIN << 24 : 0) | data.length) >>> 0, 4);
  return Buffer.concat([head, data]);
}

/** Numbers of 32 bits, as most control frames are made of. */
export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
}

/** Cuts a peer's bytes into frames, however they came. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);
  /** The data frame that is being read: what is missing of it. */
  #data: { readonly stream: number; readonly fin: boolean; left: number } | undefined;

  /** Throws for a frame of another version, or a control frame that is too long: the connection cannot go on. */
  *push(chunk: Buffer): Generator<Frame> {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const frame = this.#data === undefined ? this.#head() : this.#piece(this.#data);
      if (frame === undefined) return;
      if (frame !== "more") yield frame;
    }
  }

  #take(length: number): Buffer {
    const taken = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return taken;
  }

  #head(): Frame | "more" | undefined {
    if (this.#pending.length < HEAD) return undefined;
    const first = this.#pending.readUInt32BE();
    const second = this.#pending.readUInt32BE(4);
    const [flags, length] = [second >>> 24, second & 0xffffff];
    if (first >>> 31 === 0) {
      this.#take(HEAD);
      this.#data = { stream: first, fin: (flags & FLAG_FIN) !== 0, left: length };
      return "more";
    }
    const version = (first >>> 16) & 0x7fff;
    if (version !== VERSION) throw new Error(`a SPDY frame has the version ${version}; it must be ${VERSION}`);
    if (length > MAXIMUM_CONTROL) throw new Error(`a SPDY control frame is longer than ${MAXIMUM_CONTROL} bytes`);
    if (this.#pending.length < HEAD + length) return undefined;
    this.#take(HEAD);
    return { kind: "control", type: first & 0xffff, flags, body: this.#take(length) };
  }

  #piece(open: { readonly stream: number; readonly fin: boolean; left: number }): Frame | undefined {
    if (open.left > 0 && this.#pending.length === 0) return undefined;
    const data = this.#take(Math.min(open.left, this.#pending.length));
    open.left -= data.length;
    const last = open.left === 0;
    if (last) this.#data = undefined;
    return { kind: "data", stream: open.stream, fin: last && open.fin, data };
  }
}
