import type { Contents } from "./contents.ts";
import { reverseAddress, reverseZoneOf, undashed } from "./name.ts";
import { dependsOn, TYPE, type DnsRecord, type Lookup } from "./record.ts";
import { isEmptyNonTerminal, selectTargets } from "./select.ts";
import type { Target } from "./service.ts";
import { addressRecord, nameServerOf, noData, noName, positive, SCHEMA_VERSION, soaRecord, type Zone } from "./zone.ts";

/** CNAMEs followed inside the zone before the chain is cut (DNS-053). */
const LONGEST_CHAIN = 8;
const VERSION_TTL = 28_800;

/** How many labels before the zone's; undefined outside the zone. Labels are compared one by one, as a label may hold a dot. */
function depthIn(zone: Zone, labels: readonly string[]): number | undefined {
  const apex = zone.name.split(".");
  const depth = labels.length - apex.length;
  return depth >= 0 && apex.every((label, at) => labels[depth + at] === label) ? depth : undefined;
}

/** True for a name this server answers for itself, whatever the answer. */
export const isOurs = (zone: Zone, labels: readonly string[]): boolean =>
  depthIn(zone, labels) !== undefined || reverseZoneOf(labels) !== undefined;

const isWanted = (record: DnsRecord, type: number): boolean => TYPE[record.type] === type;

/**
 * Answers a question, or undefined when it is for somebody upstream. `labels` are in lower case, without the root.
 * Every form of name in the zone (Kubernetes DNS specification 1.1.0) is one branch here.
 */
export function lookup(contents: Contents, zone: Zone, labels: readonly string[], type: number): Lookup | undefined {
  const depth = depthIn(zone, labels);
  if (depth === undefined) return reverseLookup(contents, zone, labels, type);
  const path = labels.slice(0, depth);
  const soa = soaRecord(zone, contents.serial);
  const missing = (...depends: string[]): Lookup => ({ answer: noName(soa), depends });
  const empty = (...depends: string[]): Lookup => ({ answer: noData(soa), depends });

  switch (path.pop()) {
    case undefined:
      return apexLookup(zone, soa, type);
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
      const records = nameServerAddresses(zone).filter((record) => isWanted(record, type));
      return records.length === 0 ? empty() : { answer: positive(records), depends: [] };
    }
    case "pod": {
      if (zone.pods === "disabled") return path.length === 0 ? empty() : missing();
      const namespace = path.pop();
      if (namespace === undefined) return empty();
      const depends = dependsOn.namespace(namespace);
      if (!contents.hasNamespace(namespace)) return missing(depends);
      const [label, ...more] = path;
      if (label === undefined) return empty(depends);
      const ip = more.length === 0 ? undashed(label) : undefined;
      if (ip === undefined) return missing(depends);
      const record = addressRecord(labels.join("."), ip, zone.ttl);
      return isWanted(record, type) ? { answer: positive([record]), depends: [depends] } : empty(depends);
    }
    case "svc": {
      const namespace = path.pop();
      if (namespace === undefined) return empty();
      const service = path.pop();
      if (service !== undefined) return serviceLookup(contents, zone, labels, `${namespace}/${service}`, path, type);
      const depends = dependsOn.namespace(namespace);
      return contents.hasNamespace(namespace) ? empty(depends) : missing(depends);
    }
    default:
      return missing();
  }
}

const nameServerAddresses = (zone: Zone): DnsRecord[] =>
  zone.nameServers.map((ip) => addressRecord(nameServerOf(zone), ip, zone.ttl));

function apexLookup(zone: Zone, soa: DnsRecord, type: number): Lookup {
  if (type === TYPE.SOA) return { answer: positive([soa]), depends: [] };
  if (type !== TYPE.NS) return { answer: noData(soa), depends: [] };
  const record: DnsRecord = { name: zone.name, ttl: zone.ttl, type: "NS", target: nameServerOf(zone) };
  return { answer: positive([record], nameServerAddresses(zone)), depends: [] };
}

const baseName = (zone: Zone, key: string): string => {
  const [namespace, service] = key.split("/");
  return `${service}.${namespace}.svc.${zone.name}`;
};

function serviceLookup(
  contents: Contents,
  zone: Zone,
  labels: readonly string[],
  key: string,
  path: readonly string[],
  type: number,
): Lookup {
  const depends = [dependsOn.service(key)];
  const soa = soaRecord(zone, contents.serial);
  const names = contents.service(key);
  if (names === undefined) return { answer: noName(soa), depends };
  if (names.kind === "external") {
    return path.length === 0
      ? externalLookup(contents, zone, labels.join("."), names.target, type, depends)
      : { answer: noName(soa), depends };
  }
  const targets = selectTargets(names, path);
  if (targets.length === 0) {
    return { answer: isEmptyNonTerminal(names, path) ? noData(soa) : noName(soa), depends };
  }
  const name = labels.join(".");
  if (type === TYPE.SRV) {
    const { records, glue } = srvRecords(zone, name, baseName(zone, key), targets);
    return { answer: records.length === 0 ? noData(soa) : positive(records, glue), depends };
  }
  const records = [...new Set(targets.flatMap(({ addresses }) => addresses))]
    .map((ip) => addressRecord(name, ip, zone.ttl))
    .filter((record) => isWanted(record, type));
  return { answer: records.length === 0 ? noData(soa) : positive(records), depends };
}

/** One record for each target and port; the weight is shared among all addresses (DNS-031, DNS-038). */
function srvRecords(
  zone: Zone,
  name: string,
  base: string,
  targets: readonly Target[],
): { records: DnsRecord[]; glue: DnsRecord[] } {
  const shares = targets.reduce((sum, { addresses, ports }) => sum + addresses.length * ports.length, 0);
  const weight = Math.max(1, Math.floor(100 / Math.max(1, shares)));
  const records: DnsRecord[] = [];
  const glue: DnsRecord[] = [];
  for (const { label, addresses, ports } of targets) {
    const target = label === "" ? base : `${label}.${base}`;
    const seen = new Set<number>();
    for (const { port } of ports) {
      // Two ports of one number (DNS over UDP and TCP) would be the same record twice.
      if (seen.has(port)) continue;
      seen.add(port);
      records.push({ name, ttl: zone.ttl, type: "SRV", priority: 0, weight, port, target });
    }
    if (ports.length > 0) glue.push(...addresses.map((ip) => addressRecord(target, ip, zone.ttl)));
  }
  return { records, glue };
}

/** An ExternalName's CNAME, followed as long as it stays in the zone (DNS-049 … DNS-054). */
function externalLookup(
  contents: Contents,
  zone: Zone,
  name: string,
  target: string,
  type: number,
  depends: readonly string[],
): Lookup {
  const soa = soaRecord(zone, contents.serial);
  if (target === name) return { answer: noData(soa), depends };
  const chain: DnsRecord[] = [{ name, ttl: zone.ttl, type: "CNAME", target }];
  if (type === TYPE.CNAME) return { answer: positive(chain), depends };
  // DNS-035: an ExternalName has addresses and nothing else.
  if (type !== TYPE.A && type !== TYPE.AAAA) return { answer: noData(soa), depends };
  const seen = [...depends];
  let next = target;
  while (chain.length <= LONGEST_CHAIN) {
    const labels = next.split(".");
    if (depthIn(zone, labels) === undefined) {
      return { answer: positive(chain), depends: seen, chase: { name: next, failed: noData(soa) } };
    }
    const link = lookup(contents, zone, labels, TYPE.CNAME);
    seen.push(...(link?.depends ?? []));
    const [cname] = link?.answer.answers ?? [];
    if (cname?.type === "CNAME") {
      chain.push(cname);
      next = cname.target;
      continue;
    }
    const end = lookup(contents, zone, labels, type)?.answer;
    // DNS-052: a target in the zone that is not there makes the name empty, not half an answer.
    if (end === undefined || end.rcode !== 0) break;
    return { answer: { ...end, answers: [...chain, ...end.answers] }, depends: seen };
  }
  return { answer: noData(soa), depends: seen };
}

function reverseLookup(contents: Contents, zone: Zone, labels: readonly string[], type: number): Lookup | undefined {
  const reverseZone = reverseZoneOf(labels);
  if (reverseZone === undefined) return undefined;
  const soa = soaRecord(zone, contents.serial, reverseZone);
  const ip = reverseAddress(labels);
  const depends = ip === undefined ? [] : [dependsOn.address(ip)];
  const holders = ip === undefined ? undefined : contents.holders(ip);
  if (holders === undefined) return zone.reverseFallthrough ? undefined : { answer: noName(soa), depends };
  if (type !== TYPE.PTR) return { answer: noData(soa), depends };
  // DNS-044: a cluster IP's own name wins over any endpoint's.
  const targets =
    holders.clusterIPOf.size > 0
      ? [...holders.clusterIPOf].map((key) => baseName(zone, key))
      : [...holders.endpointOf].map(([key, label]) => `${label}.${baseName(zone, key)}`);
  const records = targets.map((target): DnsRecord => ({ name: labels.join("."), ttl: zone.ttl, type: "PTR", target }));
  return { answer: positive(records), depends };
}
