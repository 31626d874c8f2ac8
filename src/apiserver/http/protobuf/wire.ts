/** One field of a message: its number and its value, a varint or bytes. */
export interface WireField {
  readonly number: number;
  readonly value: bigint | Buffer;
}

/** The value of a varint at `at`, and where it ends. @throws RangeError when it is cut off or too long */
function varint(bytes: Buffer, at: number): [value: bigint, end: number] {
  let value = 0n;
  for (let end = at, shift = 0n; shift < 70n; shift += 7n) {
    const byte = bytes[end];
    if (byte === undefined) break;
    end += 1;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return [BigInt.asIntN(64, value), end];
  }
  throw new RangeError("a number is cut off");
}

/** The fields of a message, in the order in which they stand. @throws RangeError for bytes that are no message */
export function* fieldsOf(bytes: Buffer): Generator<WireField> {
  for (let at = 0; at < bytes.length;) {
    const [key, after] = varint(bytes, at);
    const number = Number(key >> 3n);
    const type = Number(key & 7n);
    if (type === 0) {
      const [value, end] = varint(bytes, after);
      yield { number, value };
      at = end;
    } else if (type === 2) {
      const [length, start] = varint(bytes, after);
      const end = start + Number(length);
      if (length < 0n || end > bytes.length) throw new RangeError(`field ${number} is cut off`);
      yield { number, value: bytes.subarray(start, end) };
      at = end;
    } else if (type === 1 || type === 5) {
      // Numbers of a fixed size, which no field that we know has.
      at = after + (type === 1 ? 8 : 4);
    } else throw new RangeError(`field ${number} has the unknown wire type ${type}`);
  }
}
