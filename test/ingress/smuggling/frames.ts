/** Frames of HTTP/2 as bytes (RFC 9113 §4.1), right or wrong. */

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const TYPE = { DATA: 0, HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, GOAWAY: 7, CONTINUATION: 9 } as const;

export const END_STREAM = 1;
export const END_HEADERS = 4;

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** An integer of HPACK with a prefix of 7 bits (RFC 7541 §5.1). */
function length(size: number): Buffer {
  if (size < 127) return Buffer.from([size]);
  const bytes = [127];
  let left = size - 127;
  for (; left >= 128; left >>= 7) bytes.push((left & 127) | 128);
  bytes.push(left);
  return Buffer.from(bytes);
}

/** Literal, without indexing and without Huffman's code, so that every byte can be said (RFC 7541 §6.2.2). */
export const fields = (list: readonly (readonly [name: string, value: string])[]): Buffer =>
  Buffer.concat(
    list.flatMap(([name, value]) => [
      Buffer.from([0]),
      length(Buffer.byteLength(name, "latin1")),
      Buffer.from(name, "latin1"),
      length(Buffer.byteLength(value, "latin1")),
      Buffer.from(value, "latin1"),
    ]),
  );

/** The frames in bytes that were received, as far as they are whole. */
export function* framesIn(bytes: Buffer): Generator<{ type: number; flags: number; stream: number; payload: Buffer }> {
  for (let at = 0; at + 9 <= bytes.length;) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) return;
    yield {
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      stream: bytes.readUInt32BE(at + 5) & 0x7fff_ffff,
      payload: bytes.subarray(at + 9, end),
    };
    at = end;
  }
}
