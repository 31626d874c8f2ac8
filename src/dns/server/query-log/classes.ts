import { RCODE, TYPE } from "../../names/record.ts";

/** The kinds of answers that a log can be narrowed to, as CoreDNS divides them. */
export type AnswerClass = "success" | "denial" | "error";

/** Types of the records in the authority section; none where the packet is not as we write it. */
function authorityTypes(reply: Buffer): number[] {
  const skipName = (at: number): number => {
    while (at < reply.length && reply[at]! > 0 && reply[at]! < 0xc0) at += reply[at]! + 1;
    return at + ((reply[at] ?? 0) === 0 ? 1 : 2);
  };
  let at = 12;
  for (let left = reply.readUInt16BE(4); left > 0; left -= 1) at = skipName(at) + 4;
  const before = reply.readUInt16BE(6);
  const types: number[] = [];
  for (let record = 0; record < before + reply.readUInt16BE(8); record += 1) {
    at = skipName(at);
    if (at + 10 > reply.length) return types;
    if (record >= before) types.push(reply.readUInt16BE(at));
    at += 10 + reply.readUInt16BE(at + 8);
  }
  return types;
}

/** What an answer says, in CoreDNS's words. */
export function kindOf(reply: Buffer): "NOERROR" | "NXDOMAIN" | "NODATA" | "DELEGATION" | "SERVERERROR" | "OTHERERROR" {
  const rcode = reply[3]! & 0x0f;
  const answers = reply.readUInt16BE(6);
  if (rcode === RCODE.NXDOMAIN) return answers > 0 ? "OTHERERROR" : "NXDOMAIN";
  if (rcode === RCODE.SERVFAIL || rcode === RCODE.NOTIMP) return "SERVERERROR";
  if (rcode !== RCODE.NOERROR) return "OTHERERROR";
  if (answers > 0) return "NOERROR";
  const authority = authorityTypes(reply);
  if (authority.includes(TYPE.SOA)) return "NODATA";
  return authority.includes(TYPE.NS) ? "DELEGATION" : "NOERROR";
}

export function classOf(reply: Buffer): AnswerClass {
  const kind = kindOf(reply);
  if (kind === "NOERROR" || kind === "DELEGATION") return "success";
  // An alias whose target does not exist denies it too, though an answer stands beside the code.
  const isDenial = kind === "NODATA" || (reply[3]! & 0x0f) === RCODE.NXDOMAIN;
  return isDenial ? "denial" : "error";
}
