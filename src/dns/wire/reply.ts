import { RCODE } from "../names/record.ts";
import type { Query } from "./query.ts";

/** Bytes of an OPT record without options (RFC 6891 §6.1.2). */
export const OPT_LENGTH = 11;
/** The largest query we take over UDP, told to every asker. */
const OUR_UDP_SIZE = 1232;

/** Writes our OPT record at `at`; `extended` is the upper part of the response code. */
export function writeOpt(bytes: Buffer, at: number, dnssecOk: boolean, extended = 0): void {
  bytes[at] = 0;
  bytes.writeUInt16BE(41, at + 1);
  bytes.writeUInt16BE(OUR_UDP_SIZE, at + 3);
  bytes[at + 5] = extended;
  bytes[at + 6] = 0;
  bytes.writeUInt16BE(dnssecOk ? 0x8000 : 0, at + 7);
  bytes.writeUInt16BE(0, at + 9);
}

/**
 * The shortest answer to a packet: its id, its opcode, its question where that could be read, and the code.
 * `explanation` goes along as an extended DNS error (RFC 8914) where the asker speaks EDNS.
 */
export function plainReply(
  packet: Buffer,
  query: Query,
  rcode: number,
  recursion: boolean,
  explanation?: { readonly code: number; readonly text: string },
): Buffer {
  const hasQuestion = query.end > 12;
  const edns = query.udpSize !== undefined;
  const text = edns && explanation !== undefined ? Buffer.from(explanation.text) : undefined;
  const option = text === undefined ? 0 : 6 + text.length;
  const reply = Buffer.alloc(query.end + (edns ? OPT_LENGTH + option : 0));
  packet.copy(reply, 0, 0, query.end);
  reply[2] = 0x80 | (packet[2]! & 0x79);
  reply[3] = (recursion ? 0x80 : 0) | (packet[3]! & 0x10) | (rcode & 0x0f);
  reply.writeUInt16BE(hasQuestion ? 1 : 0, 4);
  reply.writeUInt32BE(0, 6);
  reply.writeUInt16BE(edns ? 1 : 0, 10);
  if (edns) writeOpt(reply, query.end, query.dnssecOk, rcode >> 4);
  if (text !== undefined && explanation !== undefined) {
    const at = query.end + OPT_LENGTH;
    reply.writeUInt16BE(option, at - 2);
    reply.writeUInt16BE(15, at);
    reply.writeUInt16BE(2 + text.length, at + 2);
    reply.writeUInt16BE(explanation.code, at + 4);
    text.copy(reply, at + 6);
  }
  return reply;
}

/** True when the code lets nothing be said but itself. */
export const isRefused = (query: Query): boolean => query.rcode !== RCODE.NOERROR;
