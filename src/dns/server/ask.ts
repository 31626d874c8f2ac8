import { isPublishable } from "../names/name.ts";
import { RCODE, TYPE, type DnsRecord } from "../names/record.ts";

/** A query for a dotted name, as a packet. */
export async function encodeQuestion(name: string, type: number): Promise<Buffer> {
  // Only needed here, and not before the first ExternalName is asked for.
  const { default: packets } = await import("dns-packet");
  const kind = type === TYPE.AAAA ? "AAAA" : "A";
  return packets.encode({ type: "query", flags: packets.RECURSION_DESIRED, questions: [{ name, type: kind }] });
}

/** The CNAME and address records of a reply; none when the name does not exist. Throws when the reply is a failure. */
export async function recordsOf(reply: Buffer, name: string, type: number): Promise<DnsRecord[]> {
  const rcode = reply[3]! & 0x0f;
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) {
    throw new Error(`resolving ${name}: the answer is code ${rcode}`);
  }
  const { default: packets } = await import("dns-packet");
  const kind = type === TYPE.AAAA ? "AAAA" : "A";
  return (packets.decode(reply).answers ?? []).flatMap((record): DnsRecord[] => {
    const owner = record.name.toLowerCase();
    if (!isPublishable(owner) || (record.type !== kind && record.type !== "CNAME")) return [];
    const ttl = record.ttl ?? 0;
    if (record.type === "CNAME") {
      const target = record.data.toLowerCase();
      return isPublishable(target) ? [{ name: owner, ttl, type: "CNAME", target }] : [];
    }
    return record.type === kind ? [{ name: owner, ttl, type: kind, address: record.data }] : [];
  });
}
