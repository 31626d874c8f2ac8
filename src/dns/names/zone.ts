import { familyOf } from "../../net/ip.ts";
import { RCODE, type Answer, type DnsRecord } from "./record.ts";

/** How the zone is set up. Names are dotted, in lower case, without the final dot. */
export interface Zone {
  /** `cluster.local` */
  readonly name: string;
  /** Seconds a client may keep a record. */
  readonly ttl: number;
  /** Whether `1-2-3-4.NAMESPACE.pod.ZONE` is answered (DNS-083, DNS-084). */
  readonly pods: "disabled" | "insecure";
  /** The addresses of `ns.dns.ZONE` (DNS-062). */
  readonly nameServers: readonly string[];
  /** True when a reverse name that nobody here has may be known upstream (DNS-045); otherwise it does not exist (DNS-048). */
  readonly reverseFallthrough: boolean;
}

/** The Kubernetes DNS specification's schema, as `dns-version` says it (DNS-058). */
export const SCHEMA_VERSION = "1.1.0";

export const nameServerOf = (zone: Zone): string => `ns.dns.${zone.name}`;

/** The start of authority: the zone's, or that of a reverse zone we answer for (DNS-059). */
export const soaRecord = (zone: Zone, serial: number, owner = zone.name): DnsRecord => ({
  name: owner,
  ttl: Math.min(zone.ttl, 300),
  type: "SOA",
  primary: nameServerOf(zone),
  mailbox: `hostmaster.${zone.name}`,
  serial,
  refresh: 7200,
  retry: 1800,
  expire: 86400,
  minimum: zone.ttl,
});

/** An A or AAAA record, by the family of the address. */
export const addressRecord = (name: string, address: string, ttl: number): DnsRecord => ({
  name,
  ttl,
  type: familyOf(address) === "IPv6" ? "AAAA" : "A",
  address,
});

export const positive = (answers: readonly DnsRecord[], additional: readonly DnsRecord[] = []): Answer => ({
  rcode: RCODE.NOERROR,
  authoritative: true,
  answers,
  authority: [],
  additional,
});

/** The name is there, or has names below it, but not with this type (DNS-074, DNS-078). */
export const noData = (soa: DnsRecord): Answer => ({
  rcode: RCODE.NOERROR,
  authoritative: true,
  answers: [],
  authority: [soa],
  additional: [],
});

/** The name is not there, with any type (DNS-070, DNS-078). */
export const noName = (soa: DnsRecord): Answer => ({ ...noData(soa), rcode: RCODE.NXDOMAIN });
