import { TYPE } from "../names/record.ts";
import type { Outside } from "./outside.ts";

/** Fixed parts of a record: a pointer as its name, type, class, TTL, length of the data. */
const HEAD = 12;

/**
 * Puts another record first, by chance, of those that an answer section begins with or has behind its CNAMEs: addresses
 * of one name and type, written one after the other with pointers for names, as resolvers do. Anything else stays.
 */
export function rotate(reply: Buffer, end: number, random: () => number): void {
  const answers = reply.readUInt16BE(6);
  let first = -1;
  let size = 0;
  let count = 0;
  let at = end;
  for (let record = 0; record < answers; record += 1) {
    if (at + HEAD > reply.length || reply[at]! < 0xc0) break;
    const type = reply.readUInt16BE(at + 2);
    const length = HEAD + reply.readUInt16BE(at + 10);
    if (first < 0) {
      if (type === TYPE.A || type === TYPE.AAAA) {
        first = at;
        size = length;
        count = 1;
      } else if (type !== TYPE.CNAME) break;
    } else if (length === size && reply.readUInt32BE(at) === reply.readUInt32BE(first)) count += 1;
    else break;
    at += length;
  }
  if (count < 2 || first + count * size > reply.length) return;
  const from = first + Math.floor(random() * count) * size;
  for (let offset = 0; offset < size; offset += 1) {
    const byte = reply[first + offset]!;
    reply[first + offset] = reply[from + offset]!;
    reply[from + offset] = byte;
  }
}

/** Several addresses come in another order each time (DNS-021), also those that are not ours. */
export function rotating(outside: Outside, random: () => number): Outside {
  return {
    resolve(packet, query, transport) {
      const rotated = (reply: Buffer): Buffer => {
        if (reply[7]! > 1 || reply[6] !== 0) rotate(reply, query.end, random);
        return reply;
      };
      const resolved = outside.resolve(packet, query, transport);
      return Buffer.isBuffer(resolved) ? rotated(resolved) : resolved.then(rotated);
    },
    stop: () => outside.stop(),
  };
}
