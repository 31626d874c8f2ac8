import type { IPAddress, ServiceCIDR } from "../../api/generated/types.ts";
import { ipAddresses, serviceCIDRs } from "../../api/resources.ts";
import { parseCidr, type Cidr } from "../../net/cidr.ts";
import { familyOf, toNumber, type IPFamily } from "../../net/ip.ts";
import type { Store } from "../../store/store.ts";
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

/** What the ServiceCIDRs say. */
export interface Ranges {
  /** The families of the cluster, the primary first (SVC-115, SVC-116). */
  readonly families: readonly IPFamily[];
  /** Ranges that serve now, each once (SVC-123, SVC-266, SVC-270). */
  readonly ready: readonly Cidr[];
}

/** All that planning needs to know of what is stored. */
export interface ClaimReader {
  ranges(): Promise<Ranges>;
  address(ip: string): Promise<Held | undefined>;
  takenAddresses(family: IPFamily): Promise<Iterable<bigint>>;
  nodePort(port: number): Promise<Held | undefined>;
  takenNodePorts(): Promise<Iterable<bigint>>;
}

const isReady = ({ metadata, status }: ServiceCIDR): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;

const rangesOf = ({ spec }: ServiceCIDR): Cidr[] =>
  (spec?.cidrs ?? [])
    .map(parseCidr)
    // Longer IPv6 ranges only: nobody hands out more than 2^64 addresses (SVC-118).
    .filter(({ family, prefix }) => family === "IPv4" || prefix >= 64);

/** What these ServiceCIDRs offer. */
export function readRanges(objects: readonly ServiceCIDR[]): Ranges {
  const ready = new Map(objects.filter(isReady).flatMap((object) => rangesOf(object).map((cidr) => [cidr.text, cidr])));
  const first = objects.find(({ metadata }) => metadata.name === DEFAULT_SERVICE_CIDR);
  const decisive = first === undefined ? [...ready.values()] : rangesOf(first);
  return { families: [...new Set(decisive.map(({ family }) => family))], ready: [...ready.values()] };
}

function parentOf(value: string): Holder | undefined {
  const parent = (JSON.parse(value) as IPAddress).spec?.parentRef;
  if (parent === undefined || parent.resource !== "services" || (parent.group ?? "") !== "") return undefined;
  return { namespace: parent.namespace ?? "", name: parent.name };
}

/** The value of a node port's key. */
export const nodePortValue = ({ namespace, name }: Holder): string => JSON.stringify({ namespace, name });

export function storeReader(store: Store): ClaimReader {
  const addressPrefix = prefixOf(ipAddresses);
  const portPrefix = nodePortKey(0).slice(0, -1);
  return {
    async ranges() {
      const { entries } = await store.list(prefixOf(serviceCIDRs));
      return readRanges(entries.map(({ value }) => JSON.parse(value) as ServiceCIDR));
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
  };
}
