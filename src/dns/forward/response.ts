import { RCODE, TYPE } from "../names/record.ts";
import { LOWER, type Query } from "../wire/query.ts";
import { OPT_LENGTH, writeOpt } from "../wire/reply.ts";
import { lowered } from "./question.ts";

/** An upstream's response, looked through once. */
export interface Response {
  /** Without an OPT record and without bytes behind the last record; the question's name in lower case. */
  readonly bytes: Buffer;
  /** Where the question section ends. */
  readonly end: number;
  /** With the upper bits that EDNS carries. */
  readonly rcode: number;
  /** The TC bit: there is more, to be asked for over TCP. */
  readonly isCut: boolean;
  /** The upstream speaks EDNS. */
  readonly hasOpt: boolean;
  /** Where each record's TTL is, in order. */
  readonly ttls: readonly number[];
  /** How many of the records are answers, and how many authority. */
  readonly answers: number;
  readonly authority: number;
}

const HEADER = 12;
const LONGEST_NAME = 255;

const uint16 = (bytes: Buffer, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

/** Where a name ends in the packet; -1 if it is none: too long, cut, or with a pointer that does not lead back (RFC 1035 §4.1.4). */
function endOfName(bytes: Buffer, from: number): number {
  let end = -1;
  let start = from;
  let length = 0;
  for (let at = from; at < bytes.length;) {
    const label = bytes[at]!;
    if (label === 0) return end < 0 ? at + 1 : end;
    if (label >= 0xc0) {
      if (at + 2 > bytes.length) return -1;
      const to = ((label & 0x3f) << 8) | bytes[at + 1]!;
      if (end < 0) end = at + 2;
      // Only ever further back: so there is no going round in circles.
      if (to >= start || to < HEADER) return -1;
      // Most names are the question's, which has been read.
      if (to === HEADER) return end;
      start = to;
      at = to;
      continue;
    }
    if (label > 63) return -1;
    length += label + 1;
    if (length >= LONGEST_NAME) return -1;
    at += label + 1;
  }
  return -1;
}

/** Dotted, in lower case; dots within labels are escaped. Only for names that {@link endOfName} has found good. */
export function nameAt(bytes: Buffer, from: number): string {
  const labels: string[] = [];
  for (let at = from; bytes[at] !== 0;) {
    const label = bytes[at]!;
    if (label >= 0xc0) at = ((label & 0x3f) << 8) | bytes[at + 1]!;
    else {
      const text = bytes.toString("latin1", at + 1, at + 1 + label);
      labels.push(text.replaceAll(".", "\\.").replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()));
      at += label + 1;
    }
  }
  return labels.join(".");
}

/** Where the record data of a type holds a name, from the start of the data; undefined where it holds none that may be compressed. */
const NAME_IN: Partial<Record<number, number>> = { [TYPE.NS]: 0, [TYPE.CNAME]: 0, [TYPE.PTR]: 0, [TYPE.SOA]: 0, 15: 2 };

/**
 * Reads a response to a question that ends at `end`, and takes its OPT record away. Undefined when it is not to be made
 * out: it breaks off, or a name in it leads nowhere. Writes into `bytes`, which become the response's own.
 */
export function readResponse(bytes: Buffer, end: number): Response | undefined {
  const counts = [uint16(bytes, 6), uint16(bytes, 8), uint16(bytes, 10)] as const;
  const records = counts[0] + counts[1] + counts[2];
  const ttls: number[] = [];
  let extended = 0;
  let at = end;
  let keptEnd = -1;
  for (let record = 0; record < records; record += 1) {
    const owner = at;
    at = endOfName(bytes, owner);
    if (at < 0 || at + 10 > bytes.length) return undefined;
    const type = uint16(bytes, at);
    const data = at + 10;
    const next = data + uint16(bytes, at + 8);
    if (next > bytes.length) return undefined;
    if (type === TYPE.OPT) {
      if (record < counts[0] + counts[1] || keptEnd >= 0) return undefined;
      extended = bytes[at + 4]!;
      // Names behind it may point at each other, so that they cannot be moved; nothing there is needed.
      keptEnd = owner;
    } else if (keptEnd < 0) {
      const name = NAME_IN[type];
      if (name !== undefined) {
        const nameEnd = endOfName(bytes, data + name);
        if (nameEnd < 0 || nameEnd > next) return undefined;
      }
      ttls.push(at + 4);
    }
    at = next;
  }
  for (let name = HEADER; name < end - 4; name += 1) bytes[name] = LOWER[bytes[name]!]!;
  const additional = ttls.length - counts[0] - counts[1];
  bytes[10] = additional >> 8;
  bytes[11] = additional & 0xff;
  const length = keptEnd < 0 ? at : keptEnd;
  return {
    bytes: length === bytes.length ? bytes : bytes.subarray(0, length),
    end,
    rcode: (extended << 4) | (bytes[3]! & 0x0f),
    isCut: (bytes[2]! & 0x02) !== 0,
    hasOpt: keptEnd >= 0,
    ttls,
    answers: counts[0],
    authority: counts[1],
  };
}

/** A response of our own that says only a code. */
export function failureOf(packet: Buffer, query: Query, rcode: number): Response {
  const bytes = lowered(packet, query.end);
  bytes[2] = 0x80;
  bytes[3] = 0x80 | rcode;
  bytes.fill(0, 6, HEADER);
  return { bytes, end: query.end, rcode, isCut: false, hasOpt: false, ttls: [], answers: 0, authority: 0 };
}

const AUTHORITATIVE = 0x04;
const AUTHENTIC_DATA = 0x20;

/** How old an answer is, in seconds; `over` when it is only told because nothing newer can be had (RFC 8767). */
export type Age = number | "over";

/** A response as one client's, with an OPT record if the client sent one. */
export function replyFrom(response: Response, packet: Buffer, query: Query, age: Age): Buffer {
  const { bytes, end } = response;
  const { length } = bytes;
  const hasOpt = query.udpSize !== undefined;
  const reply = Buffer.allocUnsafe(hasOpt ? length + OPT_LENGTH : length);
  reply.set(bytes);
  if (!query.isLower) for (let at = HEADER; at < end; at += 1) reply[at] = packet[at]!;
  reply[0] = packet[0]!;
  reply[1] = packet[1]!;
  const isKept = age === "over" || age > 0;
  // What is told from memory is not told with authority (RFC 1035 §4.1.1).
  reply[2] = (bytes[2]! & (isKept ? 0xfe & ~AUTHORITATIVE : 0xfe)) | (packet[2]! & 0x01);
  // AD only to those who can mean something by it (RFC 6840 §5.8).
  const authentic = query.dnssecOk || (packet[3]! & AUTHENTIC_DATA) !== 0 ? AUTHENTIC_DATA : 0;
  const rcode = response.rcode > 15 ? RCODE.SERVFAIL : response.rcode;
  reply[3] = (bytes[3]! & (0x80 | authentic)) | (packet[3]! & 0x10) | rcode;
  if (isKept) {
    for (const at of response.ttls) {
      const left = age === "over" ? 0 : Math.max(0, readTtl(bytes, at) - age);
      writeTtl(reply, at, left);
    }
  }
  if (hasOpt) {
    reply[11] = reply[11]! + 1;
    writeOpt(reply, length, query.dnssecOk);
  }
  return reply;
}

/** A TTL with the uppermost bit set means 0 (RFC 2181 §8). */
export const readTtl = (bytes: Buffer, at: number): number =>
  (bytes[at]! & 0x80) === 0 ? (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]! : 0;

export function writeTtl(bytes: Buffer, at: number, ttl: number): void {
  bytes[at] = ttl >>> 24;
  bytes[at + 1] = (ttl >>> 16) & 0xff;
  bytes[at + 2] = (ttl >>> 8) & 0xff;
  bytes[at + 3] = ttl & 0xff;
}
