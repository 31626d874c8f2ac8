/** RFC 6455, 5.2: what a frame is. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** RFC 6455, 7.4.1: why a connection is closed. */
export const CLOSE = {
  normal: 1000,
  protocolError: 1002,
  unsupported: 1003,
  tooBig: 1009,
  internalError: 1011,
} as const;

/** A frame that breaks the protocol; `code` goes into the close frame. */
export class WebSocketError extends Error {
  override readonly name = "WebSocketError";
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Message {
  readonly opcode: number;
  readonly data: Buffer;
}

/** Bytes of a control frame's payload at most (RFC 6455, 5.5). */
const CONTROL_MAXIMUM = 125;

/** A frame as a server sends it: whole and not masked (RFC 6455, 5.1). */
export function encodeFrame(opcode: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + extended);
  head[0] = 0x80 | opcode;
  head[1] = extended === 0 ? length : extended === 2 ? 126 : 127;
  if (extended === 2) head.writeUInt16BE(length, 2);
  if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, ...parts]);
}

/** A close frame's payload: the code, then a reason that fits. */
export const closePayload = (code: number, reason = ""): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return Buffer.concat([bytes, Buffer.from(reason).subarray(0, CONTROL_MAXIMUM - 2)]);
};

/** What is read of a frame before its payload; undefined while bytes are missing. */
function readHead(bytes: Buffer): { first: number; mask: Buffer; at: number; length: number } | undefined {
  if (bytes.length < 2) return undefined;
  const [first, second] = [bytes[0]!, bytes[1]!];
  if ((first & 0x70) !== 0) throw new WebSocketError(CLOSE.protocolError, "a frame has reserved bits set");
  if ((second & 0x80) === 0) throw new WebSocketError(CLOSE.protocolError, "a frame of a client must be masked");
  const short = second & 0x7f;
  const at = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + 4;
  if (bytes.length < at) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  return { first, mask: bytes.subarray(at - 4, at), at, length };
}

function unmask(masked: Buffer, mask: Buffer): Buffer {
  const plain = Buffer.allocUnsafe(masked.length);
  for (let index = 0; index < masked.length; index += 1) plain[index] = masked[index]! ^ mask[index & 3]!;
  return plain;
}

/** Puts a client's messages together from its bytes, however these are cut. */
export class MessageReader {
  readonly #maximum: number;
  #pending: Buffer = Buffer.alloc(0);
  /** What came after `#pending` and is not needed before there is so much: a long frame is put together once. */
  #later: Buffer[] = [];
  #missing = 0;
  #opcode: number | undefined;
  #parts: Buffer[] = [];
  #length = 0;

  /** `maximum` is in bytes, of a message with all its fragments. */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** Messages and control frames that are whole with these bytes, in order. Throws {@link WebSocketError}. */
  *push(chunk: Buffer): Generator<Message> {
    this.#later.push(chunk);
    this.#missing -= chunk.length;
    if (this.#missing > 0) return;
    this.#pending = Buffer.concat([this.#pending, ...this.#later]);
    this.#later = [];
    this.#missing = 0;
    for (;;) {
      const head = readHead(this.#pending);
      if (head === undefined) return;
      const opcode = head.first & 0x0f;
      const whole = (head.first & 0x80) !== 0;
      if (opcode >= OPCODE.close) {
        if (!whole || head.length > CONTROL_MAXIMUM) {
          throw new WebSocketError(CLOSE.protocolError, "a control frame is fragmented or longer than 125 bytes");
        }
      } else if (this.#length + head.length > this.#maximum) {
        throw new WebSocketError(CLOSE.tooBig, `a message is longer than ${this.#maximum} bytes`);
      }
      const end = head.at + head.length;
      if (this.#pending.length < end) {
        this.#missing = end - this.#pending.length;
        return;
      }
      const payload = unmask(this.#pending.subarray(head.at, end), head.mask);
      this.#pending = this.#pending.subarray(end);
      const message = this.#frame(opcode, whole, payload);
      if (message !== undefined) yield message;
    }
  }

  #frame(opcode: number, whole: boolean, payload: Buffer): Message | undefined {
    if (opcode >= OPCODE.close) {
      if (opcode > OPCODE.pong) throw new WebSocketError(CLOSE.protocolError, `the opcode ${opcode} is not known`);
      return { opcode, data: payload };
    }
    if (opcode > OPCODE.binary) throw new WebSocketError(CLOSE.protocolError, `the opcode ${opcode} is not known`);
    if ((opcode === OPCODE.continuation) !== (this.#opcode !== undefined)) {
      throw new WebSocketError(CLOSE.protocolError, "a message begins within another, or goes on without a beginning");
    }
    this.#opcode ??= opcode;
    this.#parts.push(payload);
    this.#length += payload.length;
    if (!whole) return undefined;
    const message = { opcode: this.#opcode, data: this.#parts.length === 1 ? payload : Buffer.concat(this.#parts) };
    this.#opcode = undefined;
    this.#parts = [];
    this.#length = 0;
    return message;
  }
}
