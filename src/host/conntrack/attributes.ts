/** A netlink attribute's payload is nested attributes, or a number in network order (linux/netlink.h). */
const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;

/** Calls back for each attribute from `at` to `end`: its type and where its payload is. */
export function eachAttribute(
  bytes: Buffer,
  at: number,
  end: number,
  each: (type: number, from: number, to: number) => void,
): void {
  while (at + 4 <= end) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > end) return;
    each(bytes.readUInt16LE(at + 2) & TYPE_MASK, at + 4, at + length);
    at += (length + 3) & ~3;
  }
}

export function attribute(type: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc((4 + payload.length + 3) & ~3);
  bytes.writeUInt16LE(4 + payload.length, 0);
  bytes.writeUInt16LE(type, 2);
  payload.copy(bytes, 4);
  return bytes;
}

export const nested = (type: number, ...inner: readonly Buffer[]): Buffer =>
  attribute(type | NESTED, Buffer.concat(inner));

export const u8 = (value: number): Buffer => Buffer.of(value);

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
