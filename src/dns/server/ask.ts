import { RCODE } from "../names/record.ts";
import { OPT_LENGTH, writeOpt } from "../wire/reply.ts";
import { readResponse, type Response } from "../wire/response.ts";

/** A query for a name, as a packet; with EDNS, so that an answer of usual size comes without a second try over TCP. */
export function encodeQuestion(labels: readonly string[], type: number): Buffer {
  const name = labels.map((label) => String.fromCharCode(label.length) + label).join("");
  const end = 12 + name.length + 1 + 4;
  const packet = Buffer.alloc(end + OPT_LENGTH);
  packet[2] = 0x01;
  packet[5] = 1;
  packet[11] = 1;
  packet.write(name, 12, "latin1");
  packet.writeUInt16BE(type, end - 4);
  packet.writeUInt16BE(1, end - 2);
  writeOpt(packet, end, false);
  return packet;
}

/** What a reply says. Throws when it is a failure, RangeError when it cannot be handed on faithfully. */
export function heard(reply: Buffer, labels: readonly string[]): Response {
  const rcode = reply[3]! & 0x0f;
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) {
    throw new Error(`resolving ${labels.join(".")}: the answer is code ${rcode}`);
  }
  return readResponse(reply);
}
