import { TYPE } from "../names/record.ts";
import type { WireRecord } from "./writer.ts";

/** A response as read from the wire: what the one who asked can hand on. */
export interface Response {
  readonly rcode: number;
  readonly answers: readonly WireRecord[];
  readonly authority: readonly WireRecord[];
}

const CLASS_IN = 1;
const LONGEST_NAME = 255;

/**
 * Where names stand in the data of the types whose data may point into the packet (RFC 1035 §3.3, RFC 3597 §4): so many
 * bytes in, so many names. All other types are handed on as they are.
 */
const NAMES: Readonly<Record<number, { readonly before: number; readonly names: number }>> = {
  2: { before: 0, names: 1 }, // NS
  3: { before: 0, names: 1 }, // MD
  4: { before: 0, names: 1 }, // MF
  5: { before: 0, names: 1 }, // CNAME
  6: { before: 0, names: 2 }, // SOA
  7: { before: 0, names: 1 }, // MB
  8: { before: 0, names: 1 }, // MG
  9: { before: 0, names: 1 }, // MR
  12: { before: 0, names: 1 }, // PTR
  14: { before: 0, names: 2 }, // MINFO
  15: { before: 2, names: 1 }, // MX
  17: { before: 0, names: 2 }, // RP
  18: { before: 2, names: 1 }, // AFSDB
  21: { before: 2, names: 1 }, // RT
  24: { before: 18, names: 1 }, // SIG
  26: { before: 2, names: 2 }, // PX
  30: { before: 0, names: 1 }, // NXT
  33: { before: 6, names: 1 }, // SRV
  36: { before: 2, names: 1 }, // KX
  39: { before: 0, names: 1 }, // DNAME
  46: { before: 18, names: 1 }, // RRSIG
  47: { before: 0, names: 1 }, // NSEC
};
const NAPTR = 35;

/** Reads from one place to the next; throws RangeError where the packet ends or says nonsense. */
class Reader {
  at = 12;
  readonly packet: Buffer;

  constructor(packet: Buffer) {
    this.packet = packet;
  }

  uint16(): number {
    const value = this.packet.readUInt16BE(this.at);
    this.at += 2;
    return value;
  }

  uint32(): number {
    const value = this.packet.readUInt32BE(this.at);
    this.at += 4;
    return value;
  }

  bytes(length: number): Buffer {
    const end = this.at + length;
    if (end > this.packet.length) throw new RangeError("reading a DNS response: a record is cut short");
    const found = this.packet.subarray(this.at, end);
    this.at = end;
    return found;
  }

  /** A name as labels, in the spelling that is there; pointers are followed, each further back than the one before. */
  labels(): string[] {
    const { packet } = this;
    const labels: string[] = [];
    let total = 1;
    let at = this.at;
    let end = -1;
    let earliest = at;
    for (;;) {
      const length = packet[at];
      if (length === undefined) throw new RangeError("reading a DNS response: a name is cut short");
      if (length === 0) break;
      if (length >= 0xc0) {
        const to = packet.readUInt16BE(at) & 0x3fff;
        if (to >= earliest) throw new RangeError("reading a DNS response: a name points forward");
        if (end < 0) end = at + 2;
        earliest = to;
        at = to;
        continue;
      }
      total += length + 1;
      if (length > 63 || total > LONGEST_NAME || at + 1 + length > packet.length) {
        throw new RangeError("reading a DNS response: a name is malformed");
      }
      labels.push(packet.toString("latin1", at + 1, at + 1 + length));
      at += length + 1;
    }
    this.at = end < 0 ? at + 1 : end;
    return labels;
  }

  /** A name as it is written in records: dotted. A label that has a dot cannot be. */
  name(): string {
    const labels = this.labels();
    if (labels.some((label) => label.includes("."))) {
      throw new RangeError("reading a DNS response: a label of a name has a dot");
    }
    return labels.join(".");
  }
}

/** A name as bytes, without pointers. */
const written = (labels: readonly string[]): Buffer =>
  Buffer.from(`${labels.map((label) => String.fromCharCode(label.length) + label).join("")}\0`, "latin1");

/** The data of a record that ends at `end`, with every name in it written out. */
function expanded(reader: Reader, type: number, end: number): Buffer {
  const layout = NAMES[type];
  if (layout === undefined && type !== NAPTR) return Buffer.from(reader.bytes(end - reader.at));
  const start = reader.at;
  if (layout !== undefined) reader.bytes(layout.before);
  else {
    // RFC 3403 §4.1: order and preference, three strings with their lengths, and the replacement.
    reader.bytes(4);
    for (let string = 0; string < 3; string += 1) reader.bytes(reader.bytes(1)[0]!);
  }
  const parts = [reader.packet.subarray(start, reader.at)];
  for (let name = 0; name < (layout?.names ?? 1); name += 1) parts.push(written(reader.labels()));
  if (reader.at > end) throw new RangeError("reading a DNS response: a name goes beyond its record");
  parts.push(reader.bytes(end - reader.at));
  return Buffer.concat(parts);
}

function readRecord(reader: Reader): WireRecord {
  const name = reader.name();
  const type = reader.uint16();
  const recordClass = reader.uint16();
  const ttl = reader.uint32();
  const length = reader.uint16();
  const end = reader.at + length;
  if (end > reader.packet.length) throw new RangeError("reading a DNS response: a record is cut short");
  if (recordClass !== CLASS_IN) throw new RangeError(`reading a DNS response: a record has class ${recordClass}`);
  // Told apart because its name may be pointed at from the records behind it.
  if (type === TYPE.CNAME) {
    const target = reader.name();
    if (reader.at !== end) throw new RangeError("reading a DNS response: a CNAME does not end with its name");
    return { name, ttl, type: "CNAME", target };
  }
  return { name, ttl, type: "raw", code: type, data: expanded(reader, type, end) };
}

/**
 * Reads the answers and the authority of a response. Names in data are written out, so that the records can stand in
 * another packet. Throws RangeError for what cannot be handed on faithfully.
 */
export function readResponse(packet: Buffer): Response {
  if (packet.length < 12) throw new RangeError("reading a DNS response: it is shorter than a header");
  const reader = new Reader(packet);
  for (let question = packet.readUInt16BE(4); question > 0; question -= 1) {
    reader.labels();
    reader.bytes(4);
  }
  const section = (count: number): WireRecord[] => Array.from({ length: count }, () => readRecord(reader));
  const answers = section(packet.readUInt16BE(6));
  return { rcode: packet[3]! & 0x0f, answers, authority: section(packet.readUInt16BE(8)) };
}
