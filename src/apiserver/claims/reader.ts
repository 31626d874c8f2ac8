import type { IPAddress, ServiceCIDR } from "../../api/generated/types.ts";
import { ipAddresses, serviceCIDRs } from "../../api/resources.ts";
import { parseCidr, type Cidr } from "../../net/cidr.ts";
import { familyOf, toNumber, type IPFamily } from "../../net/ip.ts";
import type { Condition, Entry, Store } from "../../store/store.ts";
import { nodePortKey, objectKey, prefixOf } from "../keys.ts";

/** The name of the ServiceCIDR that holds the ranges the server was started with (SVC-271). */
export const DEFAULT_SERVICE_CIDR = "kubernetes";

/** The Service that holds an address or port. */
export interface Holder {
  readonly namespace: string;
  readonly name: string;
}

/** A claim as it is stored; `holder` is undefined when it is for something else than a Service. */
export interface Held {
  readonly holder: Holder | undefined;
  readonly modRevision: number;
}

/** A range that addresses are handed out from. */
export interface ServedRange {
  readonly cidr: Cidr;
  /** That its ServiceCIDR is still the one it was read from: whoever stores an address of the range states it beside. */
  readonly condition: Condition | undefined;
}

/** What the ServiceCIDRs say. */
export interface Ranges {
  /** The families of the cluster, the primary first (SVC-115, SVC-116). */
  readonly families: readonly IPFamily[];
  /** Ranges that serve now, each once (SVC-123, SVC-266, SVC-270). */
  readonly ready: readonly ServedRange[];
}

/** All that planning needs to know of what is stored. */
export interface ClaimReader {
  /** `isFresh`: what memory says has proved old, the store itself must be asked. */
  ranges(isFresh: boolean): Promise<Ranges>;
  address(ip: string): Promise<Held | undefined>;
  takenAddresses(family: IPFamily): Promise<Iterable<bigint>>;
  nodePort(port: number): Promise<Held | undefined>;
  takenNodePorts(): Promise<Iterable<bigint>>;
  /** Every claim on a node port, as of one revision. */
  nodePortClaims(): Promise<{ readonly claims: ReadonlyMap<number, Held>; readonly revision: number }>;
}

const isReady = ({ metadata, status }: ServiceCIDR): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;

/** The ranges of a ServiceCIDR that could serve at all. */
export const rangesOf = ({ spec }: ServiceCIDR): Cidr[] =>
  (spec?.cidrs ?? [])
    .map(parseCidr)
    // Longer IPv6 ranges only: nobody hands out more than 2^64 addresses (SVC-118).
    .filter(({ family, prefix }) => family === "IPv4" || prefix >= 64);

/** A ServiceCIDR, and the condition that it is still as it was read. */
export interface ReadServiceCIDR {
  readonly object: ServiceCIDR;
  readonly condition: Condition | undefined;
}

/**
 * What these ServiceCIDRs offer. The families are those the server was started with; when that is not said, those of the default
 * ServiceCIDR, which holds the same ranges (SVC-271).
 */
export function readRanges(found: readonly ReadServiceCIDR[], families?: readonly IPFamily[]): Ranges {
  const ready = new Map(
    found
      .filter(({ object }) => isReady(object))
      .flatMap(({ object, condition }) => rangesOf(object).map((cidr) => [cidr.text, { cidr, condition }])),
  );
  const first = found.find(({ object }) => object.metadata.name === DEFAULT_SERVICE_CIDR);
  const decisive = first === undefined ? [...ready.values()].map(({ cidr }) => cidr) : rangesOf(first.object);
  return {
    families: families ?? [...new Set(decisive.map(({ family }) => family))],
    ready: [...ready.values()],
  };
}

const readServiceCIDR = ({ key, value, modRevision }: Entry): ReadServiceCIDR => ({
  object: JSON.parse(value) as ServiceCIDR,
  condition: { key, modRevision },
});

function parentOf(value: string): Holder | undefined {
  const parent = (JSON.parse(value) as IPAddress).spec?.parentRef;
  if (parent === undefined || parent.resource !== "services" || (parent.group ?? "") !== "") return undefined;
  return { namespace: parent.namespace ?? "", name: parent.name };
}

/** The value of a node port's key. */
export const nodePortValue = ({ namespace, name }: Holder): string => JSON.stringify({ namespace, name });

/** Reads what is stored. `families`: those of the ranges the server was started with, the primary first. */
export function storeReader(store: Store, families?: readonly IPFamily[]): ClaimReader {
  const addressPrefix = prefixOf(ipAddresses);
  const portPrefix = nodePortKey(0).slice(0, -1);
  return {
    async ranges() {
      const { entries } = await store.list(prefixOf(serviceCIDRs));
      return readRanges(entries.map(readServiceCIDR), families);
    },
    async address(ip) {
      const { entry } = await store.get(objectKey(ipAddresses, { name: ip }));
      return entry && { holder: parentOf(entry.value), modRevision: entry.modRevision };
    },
    async takenAddresses(family) {
      const { entries } = await store.list(addressPrefix);
      const names = entries.map(({ key }) => key.slice(addressPrefix.length));
      return names.filter((name) => familyOf(name) === family).map(toNumber);
    },
    async nodePort(port) {
      const { entry } = await store.get(nodePortKey(port));
      return entry && { holder: JSON.parse(entry.value) as Holder, modRevision: entry.modRevision };
    },
    async takenNodePorts() {
      const { entries } = await store.list(portPrefix);
      return entries.map(({ key }) => BigInt(key.slice(portPrefix.length)));
    },
    async nodePortClaims() {
      const { entries, revision } = await store.list(portPrefix);
      const claims = entries.map(({ key, value, modRevision }): [number, Held] => [
        Number(key.slice(portPrefix.length)),
        { holder: JSON.parse(value) as Holder, modRevision },
      ]);
      return { claims: new Map(claims), revision };
    },
  };
}
