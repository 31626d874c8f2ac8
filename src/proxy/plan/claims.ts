import type { Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { IPFamily } from "../../net/ip.ts";
import type { PortRange } from "./annotations/port-range.ts";
import { complaints } from "./complaints.ts";
import { addressesOf, isProxied } from "./frontends.ts";
import type { Protocol } from "./plan.ts";
import { portsOf } from "./ports.ts";
import { overlap, rangesOf, without } from "./ranges.ts";

/** Where ports are: an address, or all the node's own of a family; of one protocol. */
export const addressPlace = (ip: string, protocol: Protocol): string => `${ip} ${protocol}`;
export const nodePlace = (family: IPFamily, protocol: Protocol): string => `${family} ${protocol}`;

interface Claim extends PortRange {
  readonly place: string;
  readonly service: string;
  /** Smaller goes first: a clusterIP before an externalIP, then the older Service, then the name. */
  readonly rank: string;
}

/** What is claimed in one place: single ports, the first claim holding, and ranges. */
interface Claimed {
  readonly ports: Map<number, Claim[]>;
  readonly ranges: Claim[];
}

function claimsOf(service: Service): Claim[] {
  if (!isProxied(service)) return [];
  const claims: Claim[] = [];
  const key = keyOf(service);
  const age = `${service.metadata.creationTimestamp ?? ""} ${key}`;
  const ports = portsOf(service, complaints());
  const ranges = rangesOf(service, ports);
  const addresses = addressesOf(service);
  const families = new Set(addresses.filter(({ kind }) => kind === "cluster").map(({ family }) => family));
  for (const one of ports) {
    const wanted = [{ port: one.port, lastPort: one.port }, ...(ranges.get(one) ?? [])];
    for (const { ip, kind } of addresses) {
      const rank = `${kind === "cluster" ? 0 : 1} ${age}`;
      const place = addressPlace(ip, one.protocol);
      for (const { port, lastPort } of wanted) claims.push({ place, port, lastPort, service: key, rank });
    }
    if (one.nodePort === undefined) continue;
    for (const family of families) {
      const place = nodePlace(family, one.protocol);
      claims.push({ place, port: one.nodePort, lastPort: one.nodePort, service: key, rank: age });
    }
  }
  return claims;
}

const isFirst = (one: Claim, other: Claim | undefined): boolean => other === undefined || one.rank < other.rank;
const isSingle = ({ port, lastPort }: PortRange): boolean => port === lastPort;
const sameClaim = (one: Claim, other: Claim): boolean =>
  one.place === other.place && one.port === other.port && one.lastPort === other.lastPort && one.rank === other.rank;

/** Who holds a port of an address when several Services name it: the oldest, and never over another's clusterIP (PRX-044). */
export class Claims {
  readonly #places = new Map<string, Claimed>();
  readonly #services = new Map<string, readonly Claim[]>();

  /** `namespace/name` of the Service that answers there. */
  holderOf(place: string, port: number): string | undefined {
    const claimed = this.#places.get(place);
    let holder = claimed?.ports.get(port)?.[0];
    for (const range of claimed?.ranges ?? []) {
      if (range.port <= port && port <= range.lastPort && isFirst(range, holder)) holder = range;
    }
    return holder?.service;
  }

  /** The parts of a range of its own that the Service holds, and the Services that hold the rest. */
  heldOf(place: string, range: PortRange, service: string): { held: readonly PortRange[]; others: readonly string[] } {
    const own = this.#services.get(service)?.find((one) => one.place === place && one.port === range.port);
    const first = this.#within(place, range).filter(
      (one) => one.service !== service && own !== undefined && one.rank < own.rank,
    );
    if (first.length === 0) return { held: [range], others: [] };
    return { held: without(range, first), others: [...new Set(first.map((one) => one.service))].toSorted() };
  }

  /** Takes in a Service, or its absence; answers the other Services whose ways in may have changed hands. */
  set(key: string, service: Service | undefined): Set<string> {
    const touched = new Set<string>();
    const was = this.#services.get(key) ?? [];
    const now = service === undefined ? [] : claimsOf(service);
    // Most changes of Services change nothing of this.
    if (was.length === now.length && was.every((claim, index) => sameClaim(claim, now[index]!))) return touched;
    for (const claim of was) if (!now.some((other) => sameClaim(claim, other))) this.#alter(claim, "drop", touched);
    for (const claim of now) if (!was.some((other) => sameClaim(claim, other))) this.#alter(claim, "take", touched);
    if (now.length > 0) this.#services.set(key, now);
    else this.#services.delete(key);
    touched.delete(key);
    return touched;
  }

  #within(place: string, range: PortRange): Claim[] {
    const claimed = this.#places.get(place);
    if (claimed === undefined) return [];
    const found = claimed.ranges.filter((one) => overlap(one, range));
    for (const [port, claims] of claimed.ports) {
      if (range.port <= port && port <= range.lastPort) found.push(...claims);
    }
    return found;
  }

  #alter(claim: Claim, change: "take" | "drop", touched: Set<string>): void {
    const { place, port } = claim;
    let claimed = this.#places.get(place);
    if (claimed === undefined) this.#places.set(place, (claimed = { ports: new Map(), ranges: [] }));
    const single = isSingle(claim);
    const before = single ? this.holderOf(place, port) : undefined;
    const list = single ? (claimed.ports.get(port) ?? []) : claimed.ranges;
    if (change === "drop")
      list.splice(
        list.findIndex((one) => sameClaim(one, claim)),
        1,
      );
    else {
      const at = list.findIndex((one) => claim.rank < one.rank);
      list.splice(at < 0 ? list.length : at, 0, claim);
    }
    if (single && list.length > 0) claimed.ports.set(port, list);
    else if (single) claimed.ports.delete(port);
    // Whose range it is in has this Service to name, whoever holds the port.
    if (!single || claimed.ranges.length > 0) {
      for (const { service } of this.#within(place, claim)) touched.add(service);
    } else if (this.holderOf(place, port) !== before) {
      for (const { service } of list) touched.add(service);
    }
    if (claimed.ports.size === 0 && claimed.ranges.length === 0) this.#places.delete(place);
  }
}
