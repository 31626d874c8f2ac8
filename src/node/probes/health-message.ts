/**
 * The two messages of `grpc.health.v1.Health/Check` as gRPC sends them: one byte (0: not compressed), four of length, and the
 * message in protobuf. Both have one field, number 1.
 */

/** A number in base 128, the lowest seven bits first. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left >>>= 7) bytes.push((left & 127) | 128);
  return [...bytes, left];
}

/** `HealthCheckRequest{service}`: an empty service asks for the whole server. */
export function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.from([0x0a, ...varint(name.length), ...name]);
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** `HealthCheckResponse.ServingStatus`. */
const STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/** Reads a varint at `at`; answers it and where the next byte is. Throws when the bytes end before. */
function readVarint(bytes: Buffer, at: number): [number, number] {
  let value = 0;
  for (let index = at; index < Math.min(bytes.length, at + 5); index += 1) {
    value += (bytes[index]! & 127) * 128 ** (index - at);
    if (bytes[index]! < 128) return [value, index + 1];
  }
  throw new Error("reading a gRPC health answer: a number has no end");
}

/** The status word of a `HealthCheckResponse` frame. Throws when it is none. */
export function healthStatus(frame: Buffer): string {
  if (frame.length < 5 || frame[0] !== 0 || frame.length < 5 + frame.readUInt32BE(1)) {
    throw new Error(`reading a gRPC health answer: ${frame.length} bytes are no whole, uncompressed message`);
  }
  const message = frame.subarray(5, 5 + frame.readUInt32BE(1));
  let status = 0;
  for (let at = 0; at < message.length;) {
    const [tag, value] = readVarint(message, at);
    const [number, next] = readVarint(message, value);
    // Unknown fields are passed over: of type 0 a number, of type 2 so many bytes.
    if (tag === 8) status = number;
    if ((tag & 7) !== 0 && (tag & 7) !== 2)
      throw new Error(`reading a gRPC health answer: field ${tag >> 3} is none it has`);
    at = (tag & 7) === 2 ? next + number : next;
  }
  return STATUSES[status] ?? String(status);
}
