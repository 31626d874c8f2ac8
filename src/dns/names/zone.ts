import { isReverseZone } from "./name.ts";
import { RCODE, type Answer, type DnsRecord } from "./record.ts";

/** What the cluster's names are set up as. Names are dotted, in lower case, without the final dot. */
export interface ZoneOptions {
  /** `cluster.local`, and reverse zones such as `in-addr.arpa` or `0.10.in-addr.arpa`. */
  readonly zones: readonly string[];
  /** Seconds a client may keep a record. */
  readonly ttl: number;
  /** Whether `1-2-3-4.NAMESPACE.pod.ZONE` is answered (DNS-083, DNS-084, DNS-085). */
  readonly pods: "disabled" | "insecure" | "verified";
  /** Whether `TOPOLOGY-ZONE.pin._zone.SERVICE…` is answered (DNS-128). */
  readonly zonal: boolean;
  /** A name that ends in one of these and is not here may be known upstream (DNS-045); any other does not exist (DNS-048). */
  readonly fallthrough: readonly string[];
  /** Whether names that a search list made are marked as such. */
  readonly searches: boolean;
  /** The addresses of `ns.dns.ZONE` now, and the words they depend on (DNS-062). */
  nameServers(): NameServers;
}

export interface NameServers {
  readonly addresses: readonly string[];
  readonly depends: readonly string[];
}

/** One zone that this server is the authority for. */
export interface Zone {
  readonly name: string;
  readonly labels: readonly string[];
  readonly isReverse: boolean;
}

/** All of them, and how their names are answered. */
export interface Zones extends Omit<ZoneOptions, "zones" | "fallthrough"> {
  /** Where PTR records lead to, and who reverse zones' name servers are named by. */
  readonly primary: Zone;
  readonly zones: readonly Zone[];
  readonly fallthrough: readonly Zone[];
}

const zoneOf = (name: string): Zone => {
  const labels = name === "" ? [] : name.split(".");
  return { name, labels, isReverse: isReverseZone(labels) };
};

/** Throws RangeError where no zone has names: PTR records would lead nowhere. */
export function createZones(options: ZoneOptions): Zones {
  const zones = options.zones.map(zoneOf);
  const primary = zones.find(({ isReverse }) => !isReverse);
  if (primary === undefined) {
    throw new RangeError(
      `setting up the cluster's zones: ${options.zones.join(", ") || "none"}: at least one must be no reverse zone, such as cluster.local`,
    );
  }
  return { ...options, primary, zones, fallthrough: options.fallthrough.map(zoneOf) };
}

/** How many labels before the zone's; undefined outside the zone. Labels are compared one by one, as a label may hold a dot. */
export function depthIn(zone: Zone, labels: readonly string[]): number | undefined {
  const depth = labels.length - zone.labels.length;
  return depth >= 0 && zone.labels.every((label, at) => labels[depth + at] === label) ? depth : undefined;
}

/** The zone a name is in: of several, the longest. */
export function zoneFor({ zones }: Zones, labels: readonly string[]): Zone | undefined {
  let best: Zone | undefined;
  for (const zone of zones) {
    if (best !== undefined && zone.labels.length <= best.labels.length) continue;
    if (depthIn(zone, labels) !== undefined) best = zone;
  }
  return best;
}

/** The Kubernetes DNS specification's schema, as `dns-version` says it (DNS-058). */
export const SCHEMA_VERSION = "1.1.0";

/** A name below a zone: `svc` in `cluster.local`; at the root nothing follows. */
export const below = (name: string, zone: Zone): string => (zone.name === "" ? name : `${name}.${zone.name}`);

/** Reverse zones have no names, so their name server is that of the primary zone. */
const naming = (zones: Zones, zone: Zone): Zone => (zone.isReverse ? zones.primary : zone);

export const nameServerOf = (zones: Zones, zone: Zone): string => below("ns.dns", naming(zones, zone));

/** A zone's start of authority (DNS-059). */
export const soaRecord = (zones: Zones, zone: Zone, serial: number): DnsRecord => ({
  name: zone.name,
  ttl: Math.min(zones.ttl, 300),
  type: "SOA",
  primary: nameServerOf(zones, zone),
  mailbox: below("hostmaster", naming(zones, zone)),
  serial,
  refresh: 7200,
  retry: 1800,
  expire: 86400,
  minimum: zones.ttl,
});

/** An A or AAAA record, by the family of the address, which has been found to be one long before. */
export const addressRecord = (name: string, address: string, ttl: number): DnsRecord => ({
  name,
  ttl,
  type: address.includes(":") ? "AAAA" : "A",
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
