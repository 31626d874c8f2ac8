/** A protobuf message that is not one: cut off, a number too long, a group. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** One field as it lies in a message: a number (varint and fixed forms) or bytes. */
export interface WireField {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

const MAXIMUM_VARINT = 10;

/** Reads the fields of a message in their order (protobuf encoding: varint, I64, LEN and I32; groups are refused). @throws Malformed */
export function* readFields(bytes: Uint8Array): Generator<WireField, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let index = 0; index < MAXIMUM_VARINT; index++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Malformed("it ends in the middle of a number");
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Malformed("it has a number of more than 64 bits");
  };
  const take = (length: number): number => {
    const start = at;
    at += length;
    if (at > bytes.length) throw new Malformed("it ends in the middle of a field");
    return start;
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    if (number === 0 || number > 0x1fff_ffff) throw new Malformed(`it has a field of the number ${number}`);
    switch (Number(tag & 7n)) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        yield { number, value: view.getBigUint64(take(8), true) };
        break;
      case 2: {
        const length = varint();
        if (length > BigInt(bytes.length)) throw new Malformed("it ends in the middle of a field");
        const start = take(Number(length));
        yield { number, value: bytes.subarray(start, at) };
        break;
      }
      case 5:
        yield { number, value: BigInt(view.getUint32(take(4), true)) };
        break;
      default:
        throw new Malformed(`the field of the number ${number} has a form that is not used`);
    }
  }
}

/** The bytes of a field that must have some. @throws Malformed */
export function bytesOf(value: WireField["value"]): Uint8Array {
  if (typeof value === "bigint") throw new Malformed("it has a number where bytes should be");
  return value;
}

/** The number of a field that must have one: 64 bits with a sign. @throws Malformed */
export function numberOf(value: WireField["value"]): bigint {
  if (typeof value !== "bigint") throw new Malformed("it has bytes where a number should be");
  return BigInt.asIntN(64, value);
}
