import type { Contents } from "./contents.ts";
import { addressesOf, addressesWith, type Target } from "./endpoints.ts";
import { isAboveAddresses, reverseAddress, undashed } from "./name.ts";
import { dependsOn, RCODE, TYPE, type DnsRecord, type Lookup } from "./record.ts";
import { withSearch } from "./search.ts";
import { isEmptyNonTerminal, selectTargets } from "./select.ts";
import { zonalTargets } from "./zonal.ts";
import {
  addressRecord,
  below,
  depthIn,
  nameServerOf,
  noData,
  noName,
  positive,
  SCHEMA_VERSION,
  soaRecord,
  zoneFor,
  type Zone,
  type Zones,
} from "./zone.ts";

/** CNAMEs in a row inside the zone; a longer chain is cut (DNS-053). As many as CoreDNS follows. */
const LONGEST_CHAIN = 11;
const VERSION_TTL = 28_800;

const isWanted = (record: DnsRecord, type: number): boolean => TYPE[record.type] === type;

/**
 * Answers a question, or undefined when it is for somebody upstream. `labels` are in lower case, without the root.
 */
export function lookup(contents: Contents, zones: Zones, labels: readonly string[], type: number): Lookup | undefined {
  const zone = zoneFor(zones, labels);
  if (zone === undefined) return undefined;
  const found = find(contents, zones, zone, labels, type);
  if (found.answer.rcode !== RCODE.NXDOMAIN) return found;
  if (zones.fallthrough.some((each) => depthIn(each, labels) !== undefined)) return undefined;
  if (zone.isReverse && isAboveAddresses(labels)) {
    // Addresses may have names below: called missing, it would hide them from resolvers that ask label by label (RFC 8020 §2).
    return { answer: { ...found.answer, rcode: RCODE.NOERROR }, depends: found.depends };
  }
  return zones.searches ? withSearch(contents, zones, zone, labels, found, find) : found;
}

/** What is known of a name in a zone of ours. Every form of name (Kubernetes DNS specification 1.1.0) is one branch here. */
function find(contents: Contents, zones: Zones, zone: Zone, labels: readonly string[], type: number): Lookup {
  const soa = soaRecord(zones, zone, contents.serial);
  if (zone.isReverse && labels.length > zone.labels.length) return reverseLookup(contents, zones, soa, labels, type);
  const path = labels.slice(0, labels.length - zone.labels.length);
  const missing = (...depends: string[]): Lookup => ({ answer: noName(soa), depends });
  const empty = (...depends: string[]): Lookup => ({ answer: noData(soa), depends });

  switch (path.pop()) {
    case undefined:
      return apexLookup(zones, zone, soa, type);
    case "dns-version":
      if (path.length > 0) return missing();
      if (type !== TYPE.TXT) return empty();
      return {
        answer: positive([{ name: labels.join("."), ttl: VERSION_TTL, type: "TXT", text: SCHEMA_VERSION }]),
        depends: [],
      };
    case "dns": {
      if (path.length === 0) return empty();
      if (path.length > 1 || path[0] !== "ns") return missing();
      const { records, depends } = nameServerRecords(zones, zone);
      const wanted = records.filter((record) => isWanted(record, type));
      return wanted.length === 0 ? empty(...depends) : { answer: positive(wanted), depends };
    }
    case "pod": {
      if (zones.pods === "disabled") return path.length === 0 ? empty() : missing();
      const namespace = path.pop();
      if (namespace === undefined) return empty();
      const depends = [dependsOn.namespace(namespace)];
      if (!contents.hasNamespace(namespace)) return missing(...depends);
      const [label, ...more] = path;
      if (label === undefined) return empty(...depends);
      const ip = more.length === 0 ? undashed(label) : undefined;
      if (ip === undefined) return missing(...depends);
      if (zones.pods === "verified") {
        depends.push(dependsOn.address(ip));
        if (!contents.hasPod(namespace, ip)) return missing(...depends);
      }
      const record = addressRecord(labels.join("."), ip, zones.ttl);
      return isWanted(record, type) ? { answer: positive([record]), depends } : empty(...depends);
    }
    case "svc": {
      const namespace = path.pop();
      if (namespace === undefined) return empty();
      const service = path.pop();
      if (service !== undefined)
        return serviceLookup(contents, zones, zone, soa, labels, { namespace, service, path }, type);
      const depends = dependsOn.namespace(namespace);
      return contents.hasNamespace(namespace) ? empty(depends) : missing(depends);
    }
    default:
      return missing();
  }
}

function nameServerRecords(zones: Zones, zone: Zone): { records: DnsRecord[]; depends: readonly string[] } {
  const { addresses, depends } = zones.nameServers();
  return { records: addresses.map((ip) => addressRecord(nameServerOf(zones, zone), ip, zones.ttl)), depends };
}

function apexLookup(zones: Zones, zone: Zone, soa: DnsRecord, type: number): Lookup {
  if (type === TYPE.SOA) return { answer: positive([soa]), depends: [] };
  if (type !== TYPE.NS) return { answer: noData(soa), depends: [] };
  const record: DnsRecord = { name: zone.name, ttl: zones.ttl, type: "NS", target: nameServerOf(zones, zone) };
  const { records, depends } = nameServerRecords(zones, zone);
  return { answer: positive([record], records), depends };
}

const baseName = (zone: Zone, key: string): string => {
  const slash = key.indexOf("/");
  return below(`${key.slice(slash + 1)}.${key.slice(0, slash)}.svc`, zone);
};

function serviceLookup(
  contents: Contents,
  zones: Zones,
  zone: Zone,
  soa: DnsRecord,
  labels: readonly string[],
  { namespace, service, path }: { namespace: string; service: string; path: readonly string[] },
  type: number,
): Lookup {
  const key = `${namespace}/${service}`;
  const depends = contents.dependsOf(namespace, service);
  const names = contents.service(key);
  if (names === undefined) return { answer: noName(soa), depends };
  if (names.kind === "external") {
    return path.length === 0
      ? externalLookup(contents, zones, soa, labels.join("."), names.target, type, depends)
      : { answer: noName(soa), depends };
  }
  const name = labels.join(".");
  // All addresses of a headless Service: the names of its endpoints are not needed for them.
  if (names.kind === "headless" && path.length === 0 && type !== TYPE.SRV) {
    return addressLookup(zones, soa, name, addressesOf(names.endpoints), type, depends);
  }
  const zonal = zones.zonal ? zonalTargets(names, path) : undefined;
  const targets = zonal ?? selectTargets(names, path);
  if (targets.length === 0) {
    const exists = zonal !== undefined || isEmptyNonTerminal(names, path);
    return { answer: exists ? noData(soa) : noName(soa), depends };
  }
  if (type === TYPE.SRV) {
    const { records, glue } = srvRecords(zones.ttl, name, baseName(zone, key), targets);
    return { answer: records.length === 0 ? noData(soa) : positive(records, glue), depends };
  }
  const addresses = targets.length === 1 ? targets[0]!.addresses : targets.flatMap((target) => target.addresses);
  return addressLookup(zones, soa, name, addresses, type, depends);
}

/** A name that stands for these addresses; without any it is none (DNS-009). One that is in several slices counts once (DNS-025). */
function addressLookup(
  zones: Zones,
  soa: DnsRecord,
  name: string,
  addresses: readonly string[],
  type: number,
  depends: readonly string[],
): Lookup {
  if (addresses.length === 0) return { answer: noName(soa), depends };
  const records: DnsRecord[] = [];
  for (const ip of addresses.length === 1 ? addresses : new Set(addresses)) {
    const record = addressRecord(name, ip, zones.ttl);
    if (isWanted(record, type)) records.push(record);
  }
  return { answer: records.length === 0 ? noData(soa) : positive(records), depends };
}

/** One record for each target and port; the weight is shared among all addresses (DNS-031, DNS-038). */
function srvRecords(
  ttl: number,
  name: string,
  base: string,
  targets: readonly Target[],
): { records: DnsRecord[]; glue: DnsRecord[] } {
  const shares = targets.reduce(
    (sum, target) => target.ports.reduce((part, port) => part + addressesWith(target, port).length, sum),
    0,
  );
  const weight = Math.max(1, Math.floor(100 / Math.max(1, shares)));
  const records: DnsRecord[] = [];
  const glue: DnsRecord[] = [];
  for (const each of targets) {
    const { label, ports } = each;
    const target = label === "" ? base : `${label}.${base}`;
    const seen = new Set<number>();
    for (const { port } of ports) {
      // Two ports of one number (DNS over UDP and TCP) would be the same record twice.
      if (seen.has(port)) continue;
      seen.add(port);
      records.push({ name, ttl, type: "SRV", priority: 0, weight, port, target });
    }
    // Of addresses that share the name, those that have a port that is told here.
    const addresses = new Set(ports.flatMap((port) => addressesWith(each, port)));
    glue.push(...[...addresses].map((ip) => addressRecord(target, ip, ttl)));
  }
  return { records, glue };
}

/** An ExternalName's CNAME, followed as long as it stays in the zone (DNS-049 … DNS-054). */
function externalLookup(
  contents: Contents,
  zones: Zones,
  soa: DnsRecord,
  name: string,
  target: string,
  type: number,
  depends: readonly string[],
): Lookup {
  if (target === name) return { answer: noData(soa), depends };
  const chain: DnsRecord[] = [{ name, ttl: zones.ttl, type: "CNAME", target }];
  if (type === TYPE.CNAME) return { answer: positive(chain), depends };
  // DNS-035: an ExternalName has addresses and nothing else.
  if (type !== TYPE.A && type !== TYPE.AAAA) return { answer: noData(soa), depends };
  const seen = [...depends];
  let next = target;
  while (chain.length <= LONGEST_CHAIN) {
    const labels = next.split(".");
    const zone = zoneFor(zones, labels);
    if (zone === undefined) {
      return { answer: positive(chain), depends: seen, chase: { name: next } };
    }
    const link = find(contents, zones, zone, labels, TYPE.CNAME);
    seen.push(...link.depends);
    const [cname] = link.answer.answers;
    if (cname?.type === "CNAME") {
      chain.push(cname);
      next = cname.target;
      continue;
    }
    const end = find(contents, zones, zone, labels, type).answer;
    // DNS-052: a target in the zone that is not there makes the name empty, not half an answer.
    if (end.rcode !== RCODE.NOERROR) break;
    return { answer: { ...end, answers: [...chain, ...end.answers] }, depends: seen };
  }
  return { answer: noData(soa), depends: seen };
}

function reverseLookup(
  contents: Contents,
  zones: Zones,
  soa: DnsRecord,
  labels: readonly string[],
  type: number,
): Lookup {
  const ip = reverseAddress(labels);
  if (ip === undefined) return { answer: noName(soa), depends: [] };
  const { holders, depends } = contents.holders(ip);
  if (holders.length === 0) return { answer: noName(soa), depends };
  if (type !== TYPE.PTR) return { answer: noData(soa), depends };
  const name = labels.join(".");
  const records = holders.map(({ key, label }): DnsRecord => {
    const base = baseName(zones.primary, key);
    return { name, ttl: zones.ttl, type: "PTR", target: label === "" ? base : `${label}.${base}` };
  });
  return { answer: positive(records), depends };
}
