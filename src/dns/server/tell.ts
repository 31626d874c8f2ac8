import type { ZoneFigures } from "../figures/answers.ts";
import { labelsOf } from "../wire/query.ts";
import type { Asked } from "./asked.ts";
import type { LogRule, QueryLog } from "./query-log/query-log.ts";

const NO_RULES: readonly LogRule[] = [];

/** Where answers are counted and logged. */
export interface Telling {
  readonly queryLog?: QueryLog | undefined;
  /** Where queries are counted that no block is asked for. */
  readonly dropped?: ZoneFigures | undefined;
}

/** Counts an answer, and logs the query where somebody wants that. */
export function tell(
  { queryLog, dropped }: Telling,
  asked: Asked,
  local: string,
  reply: Buffer,
  milliseconds: number,
): void {
  const { packet, query, transport, peer, block, plugin } = asked;
  const rcode = query.rcode > 15 ? query.rcode : reply[3]! & 0x0f;
  const figures = block === undefined ? dropped : block.figures;
  if (figures !== undefined) {
    const isIPv6 = peer.address.includes(":");
    figures.count(query, transport === "tcp", isIPv6, plugin, rcode, packet.length, reply.length, milliseconds);
  }
  if (queryLog?.isOn !== true || query.end === 12) return;
  const rules = block?.log ?? NO_RULES;
  if (!queryLog.mayLog(peer.address, rules)) return;
  const labels = labelsOf(packet);
  const told = {
    packet,
    reply,
    name: printed(labels),
    type: packet.readUInt16BE(query.end - 4),
    class: packet.readUInt16BE(query.end - 2),
    transport,
    address: peer.address,
    port: peer.port,
    local,
    udpSize: query.udpSize,
    dnssecOk: query.dnssecOk,
    rcode,
    milliseconds,
  };
  queryLog.tell(told, labels, rules);
}

/** A name as text: what is no printable character of ASCII, and dots inside labels, as `\DDD` (RFC 1035 §5.1). */
export const printed = (labels: readonly string[]): string =>
  `${labels.map((label) => label.replaceAll(/[^!-~]|[.\\"]/g, (char) => `\\${`${char.charCodeAt(0)}`.padStart(3, "0")}`)).join(".")}.`;
