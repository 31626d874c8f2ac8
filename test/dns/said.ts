import assert from "node:assert/strict";
import { TYPE, type DnsRecord, type Lookup } from "../../src/dns/names/record.ts";

export type Asked = keyof typeof TYPE | number;
export const numberOf = (type: Asked): number => (typeof type === "number" ? type : TYPE[type]);

/** A record without its name and TTL, as one would write it in a zone file. */
function written(record: DnsRecord): string {
  switch (record.type) {
    case "A":
    case "AAAA":
      return `${record.type} ${record.address}`;
    case "CNAME":
    case "NS":
    case "PTR":
      return `${record.type} ${record.target}`;
    case "SRV":
      return `SRV ${record.priority} ${record.weight} ${record.port} ${record.target}`;
    case "TXT":
      return `TXT ${record.text}`;
    case "SOA":
      return `SOA ${record.primary} ${record.mailbox} ${record.serial} ${record.refresh} ${record.retry} ${record.expire} ${record.minimum}`;
  }
}

/** The answer in one list: records, or what kind of no it is; `+` marks additional records. */
export function said(found: Lookup | undefined): string[] {
  if (found === undefined) return ["elsewhere"];
  const { rcode, answers, authority, additional, authoritative } = found.answer;
  assert.equal(authoritative, true);
  const lines = [...answers.map(written), ...additional.map((record) => `+ ${record.name} ${written(record)}`)].sort();
  if (answers.length > 0) {
    assert.equal(rcode, 0);
    return found.chase === undefined ? lines : [...lines, `then ${found.chase.name}`];
  }
  // DNS-078: every negative answer has the start of authority.
  assert.deepEqual(
    authority.map(({ type }) => type),
    ["SOA"],
  );
  return [rcode === 3 ? "NXDOMAIN" : rcode === 0 ? "NODATA" : `rcode ${rcode}`];
}
