import { LOWER, type Query } from "../wire/query.ts";
import { OPT_LENGTH, writeOpt } from "../wire/reply.ts";

const RECURSION_DESIRED = 0x01;
const AUTHENTIC_DATA = 0x20;
const CHECKING_DISABLED = 0x10;

/**
 * What is asked upstream for a client's query: its question, RD, CD and DO bits, with an OPT record of our own, for EDNS is
 * between neighbours (RFC 6891 §7). AD is always set: whether the data is authentic is worth knowing for the next asker
 * (RFC 6840 §5.7). The id is 0.
 */
export function upstreamQuery(packet: Buffer, { end, dnssecOk }: Query, edns = true): Buffer {
  const bytes = Buffer.allocUnsafe(end + (edns ? OPT_LENGTH : 0));
  bytes.fill(0, 0, 12);
  bytes[2] = packet[2]! & RECURSION_DESIRED;
  bytes[3] = (packet[3]! & CHECKING_DISABLED) | AUTHENTIC_DATA;
  bytes[5] = 1;
  packet.copy(bytes, 12, 12, end);
  if (edns) {
    bytes[11] = 1;
    writeOpt(bytes, end, dnssecOk);
  }
  return bytes;
}

/** True for a response, whatever its id, with the query's very question in any spelling (RFC 5452 §9.1). */
export function answersQuestion(query: Buffer, end: number, response: Buffer): boolean {
  if (response.length < end || (response[2]! & 0xf8) !== 0x80) return false;
  if (response[4] !== 0 || response[5] !== 1) return false;
  for (let at = 12; at < end; at += 1) {
    // Type and class have no spelling, but a byte of theirs in another case is another type: compared as they are.
    const mine = query[at]!;
    const theirs = response[at]!;
    if (mine !== theirs && (at >= end - 4 || LOWER[mine] !== LOWER[theirs])) return false;
  }
  return true;
}

/** What makes one question's answers differ: the DO and CD bits (RFC 4035 §3.2), as a small number. */
export const variantOf = (packet: Buffer, query: Query): number =>
  (query.dnssecOk ? 1 : 0) | ((packet[3]! & CHECKING_DISABLED) === 0 ? 0 : 2);

/** False when the asker wants only what the upstream has at hand: such an answer is nobody else's. */
export const wantsRecursion = (packet: Buffer): boolean => (packet[2]! & RECURSION_DESIRED) !== 0;

/** Looks questions up by: their hash and variant in one number. */
export const keyOf = (hash: number, variant: number): number => hash ^ Math.imul(variant, 0x9e37_79b1);

/** True when two question sections, of which the first is in lower case, ask for the same. */
export function isSameQuestion(lower: Buffer, packet: Buffer, end: number): boolean {
  for (let at = 12; at < end - 4; at += 1) if (lower[at] !== LOWER[packet[at]!]) return false;
  return lower[end - 4] === packet[end - 4] && lower[end - 3] === packet[end - 3];
}

/** A copy of a packet up to the end of its question, whose name is in lower case. */
export function lowered(packet: Buffer, end: number): Buffer {
  const copy = Buffer.from(packet.subarray(0, end));
  for (let at = 12; at < end - 4; at += 1) copy[at] = LOWER[copy[at]!]!;
  return copy;
}
