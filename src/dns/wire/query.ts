import { RCODE, TYPE } from "../names/record.ts";

/** A question asked over the wire, or what is wrong with it. */
export interface Query {
  /** NOERROR, or the code to refuse it with. */
  readonly rcode: number;
  /** Where the question section ends; 12, its start, when the question could not be read. */
  readonly end: number;
  /** Of the name, whatever its spelling, and the type. */
  readonly hash: number;
  /** True when the name is spelled in lower case. */
  readonly isLower: boolean;
  readonly type: number;
  /** The largest answer the asker takes over UDP, in bytes; undefined without EDNS. */
  readonly udpSize: number | undefined;
  /** The EDNS "DNSSEC OK" bit, which is copied into the answer (RFC 3225 §3). */
  readonly dnssecOk: boolean;
}

/** Longer queries are refused unread: a legal packet full of pointers costs far more to read than to send. */
export const LONGEST_QUERY = 4096;

const CLASS_IN = 1;
const HEADER = 12;

const refuse = (rcode: number, end = HEADER): Query => ({
  rcode,
  end,
  hash: 0,
  isLower: true,
  type: 0,
  udpSize: undefined,
  dnssecOk: false,
});

/** Each byte in lower case: only the letters of ASCII have one (RFC 4343 §3). */
export const LOWER = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte));

/** Unchecked, unlike `readUInt16BE`: the caller has looked at the length. */
const uint16 = (packet: Buffer, at: number): number => (packet[at]! << 8) | packet[at + 1]!;

/** Skips a name outside the question, where pointers are allowed; answers where it ends, or -1. */
function skipName(packet: Buffer, at: number): number {
  for (let offset = at; offset < packet.length;) {
    const length = packet[offset]!;
    if (length === 0) return offset + 1;
    if (length >= 0xc0) return offset + 2 <= packet.length ? offset + 2 : -1;
    if (length > 63) return -1;
    offset += length + 1;
  }
  return -1;
}

/**
 * Reads a query (RFC 1035 §4.1, RFC 6891 §6.1) without ever throwing. Undefined means silence: the packet is too short
 * for a header, or is itself a response and answering could go on for ever between two servers.
 */
export function parseQuery(packet: Buffer): Query | undefined {
  if (packet.length < HEADER) return undefined;
  const flags = packet[2]!;
  if ((flags & 0x80) !== 0) return undefined;
  if ((flags & 0x78) !== 0) return refuse(RCODE.NOTIMP);
  if (packet.length > LONGEST_QUERY || uint16(packet, 4) !== 1) return refuse(RCODE.FORMERR);

  let end = HEADER;
  for (let length = packet[end]; length !== 0; length = packet[end]) {
    // A pointer in the first name of a packet has nothing before it to point at.
    if (length === undefined || length > 63) return refuse(RCODE.FORMERR);
    end += length + 1;
    if (end - HEADER > 254) return refuse(RCODE.FORMERR);
  }
  end += 5;
  if (end > packet.length) return refuse(RCODE.FORMERR);
  const type = uint16(packet, end - 4);
  if (uint16(packet, end - 2) !== CLASS_IN) return refuse(RCODE.REFUSED, end);
  let hash = type;
  let isLower = true;
  for (let at = HEADER; at < end - 4; at += 1) {
    const byte = packet[at]!;
    const lower = LOWER[byte]!;
    if (lower !== byte) isLower = false;
    // FNV-1a. Length bytes are below 64 and so never changed by the table.
    hash = Math.imul(hash ^ lower, 0x0100_0193);
  }

  // Answers and authority of a query mean nothing here, but must be readable to find what comes behind them.
  const before = uint16(packet, 6) + uint16(packet, 8);
  const records = before + uint16(packet, 10);
  let udpSize: number | undefined;
  let dnssecOk = false;
  let version = 0;
  let offset = end;
  for (let record = 0; record < records; record += 1) {
    const owner = offset;
    offset = skipName(packet, owner);
    if (offset < 0 || offset + 10 > packet.length) return refuse(RCODE.FORMERR, end);
    if (record >= before && uint16(packet, offset) === TYPE.OPT) {
      if (udpSize !== undefined || packet[owner] !== 0) return refuse(RCODE.FORMERR, end);
      udpSize = Math.max(512, uint16(packet, offset + 2));
      version = packet[offset + 5]!;
      dnssecOk = (packet[offset + 6]! & 0x80) !== 0;
    }
    offset += 10 + uint16(packet, offset + 8);
  }
  if (offset !== packet.length) return refuse(RCODE.FORMERR, end);
  return { rcode: version === 0 ? RCODE.NOERROR : RCODE.BADVERS, end, hash, isLower, type, udpSize, dnssecOk };
}

/**
 * The labels of a query's name, in lower case, bytes read one to one as characters. A label may hold any byte, dots included.
 * `isLower` says that they are in lower case already.
 */
export function labelsOf(packet: Buffer, isLower = false): string[] {
  let end = HEADER;
  while (packet[end] !== 0) end += packet[end]! + 1;
  // Read at once, length bytes and all: no length is a letter's code.
  const read = packet.toString("latin1", HEADER, end);
  const name = isLower ? read : read.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  const labels: string[] = [];
  for (let at = 0; at < name.length;) {
    const next = at + 1 + name.charCodeAt(at);
    labels.push(name.slice(at + 1, next));
    at = next;
  }
  return labels;
}
