import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { IPAddress, Service } from "../../api/generated/types.ts";
import { ipAddress } from "../../api/ipAddress/ipAddress.ts";
import { lenientIP } from "../../api/meta/ip.ts";
import { ipAddresses, services } from "../../api/resources.ts";
import { backfill } from "../../api/service/backfill.ts";
import { isHeadless, needsClusterIP } from "../../api/service/needs.ts";
import { normalizeClusterIPs } from "../../api/service/normalizeClusterIPs.ts";
import { isApiError } from "../../api/status.ts";
import { familyOf, toNumber, type IPFamily } from "../../net/ip.ts";
import { systemClock, timestamp, type Clock } from "../../observe/clock.ts";
import type { Condition, Operation } from "../../store/store.ts";
import { storedText } from "../cache/item.ts";
import { nodePortKey, objectKey } from "../keys.ts";
import type { Claims } from "./claims.ts";
import { silentObserver, type ClaimsObserver } from "./observer.ts";
import { planClusterIPs, type PlannedAddresses } from "./plan-cluster-ips.ts";
import { planFamilies } from "./plan-families.ts";
import { heldNodePorts, planNodePorts, type NodePortRange } from "./plan-node-ports.ts";
import { nodePortValue, type ClaimReader, type Held, type Holder, type Ranges } from "./reader.ts";

/** SVC-145. */
export const DEFAULT_NODE_PORT_RANGE: NodePortRange = { first: 30_000, last: 32_767 };

export interface ServiceClaimsOptions {
  readonly reader: ClaimReader;
  readonly nodePortRange?: NodePortRange;
  readonly clock?: Clock;
  /** From 0 up to but not including 1: where the search for a free address or port starts. */
  readonly random?: () => number;
  /** For the IPAddress objects. */
  readonly uid?: () => string;
  readonly observer?: ClaimsObserver;
}

/** The addresses a Service holds, in the one form that names their IPAddress. */
export function heldAddresses(service: Service): Set<string> {
  if (!needsClusterIP(service) || isHeadless(service)) return new Set();
  return new Set((service.spec?.clusterIPs ?? []).flatMap((ip) => lenientIP(ip) ?? []));
}

const isSameHolder = (held: Held | undefined, holder: Holder): held is Held =>
  held?.holder?.namespace === holder.namespace && held.holder.name === holder.name;

const differenceOf = <T>(one: ReadonlySet<T>, other: ReadonlySet<T>): T[] =>
  [...one].filter((item) => !other.has(item));

/** Labels of every IPAddress that allocation makes (SVC-260). */
export const allocatorLabels = (ip: string): Record<string, string> => ({
  "ipaddress.kubernetes.io/ip-family": ip.includes(":") ? "IPv6" : "IPv4",
  "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
});

/** The IPAddress of a Service, as the API would have created it (SVC-127, SVC-260). `now`: RFC 3339. */
export function addressObject(ip: string, { namespace, name }: Holder, uid: string, now: string): IPAddress {
  const object: IPAddress = {
    apiVersion: "networking.k8s.io/v1",
    kind: "IPAddress",
    metadata: { name: ip, uid, creationTimestamp: now, labels: allocatorLabels(ip) },
    spec: { parentRef: { resource: "services", namespace, name } },
  };
  return ipAddress.prepareForCreate(ipAddress.defaults(object), { now });
}

/**
 * Cluster IPs and node ports of Services. What a Service holds follows from the Service alone, so the keys to write and to
 * remove are the difference between what the old and the new one hold: nothing can leak, and whatever fails leaves nothing.
 */
export function serviceClaims(options: ServiceClaimsOptions): Claims {
  const { reader, nodePortRange = DEFAULT_NODE_PORT_RANGE, clock = systemClock, random = Math.random } = options;
  const { observer = silentObserver } = options;
  const uid = options.uid ?? randomUUID;
  const addressHints: Record<IPFamily, Set<bigint>> = { IPv4: new Set(), IPv6: new Set() };
  const portHint = new Set<bigint>();

  const planOver = async (
    ranges: Ranges,
    filled: Service,
    previous: Service | undefined,
    dryRun: boolean,
  ): Promise<PlannedAddresses> => {
    const withFamilies = planFamilies(filled, previous, ranges.families);
    const hint = (family: IPFamily): Set<bigint> => addressHints[family];
    const pool = { reader, ranges, random, dryRun, hint, observer };
    const { service, conditions } = await planClusterIPs(pool, withFamilies, previous);
    const ports = { reader, range: nodePortRange, random, dryRun, hint: portHint, observer };
    return { service: await planNodePorts(ports, service, previous), conditions };
  };

  const plan = async (
    next: Service,
    previous: Service | undefined,
    dryRun: boolean,
    isRetry: boolean,
  ): Promise<PlannedAddresses> => {
    const filled = normalizeClusterIPs(previous === undefined ? next : backfill(next, previous), previous);
    const ranges = await reader.ranges(isRetry);
    try {
      return await planOver(ranges, filled, previous, dryRun);
    } catch (error) {
      if (isRetry || !isApiError(error)) throw error;
      // Nobody is refused for a range that another server has added or taken away a moment ago.
      const stored = await reader.ranges(true);
      if (isDeepStrictEqual(stored, ranges)) throw error;
      return planOver(stored, filled, previous, dryRun);
    }
  };

  /** The way from what was held to what is held from now on. */
  const difference = async (
    next: Service | undefined,
    previous: Service | undefined,
  ): Promise<{ conditions: Condition[]; operations: Operation[] }> => {
    const { namespace = "", name = "" } = (next ?? previous)!.metadata;
    const holder = { namespace, name };
    const now = timestamp(clock.now());
    const conditions: Condition[] = [];
    const operations: Operation[] = [];
    const take = (key: string, value: string): void => {
      conditions.push({ key, absent: true });
      operations.push({ type: "put", key, value });
    };
    // Only what says our name is given back: somebody may have removed it and another one taken it since. That it is not ours must
    // still be true when this is stored: a repair may be putting it back at this very moment.
    const giveBack = (key: string, held: Held | undefined): void => {
      conditions.push(held === undefined ? { key, absent: true } : { key, modRevision: held.modRevision });
      if (isSameHolder(held, holder)) operations.push({ type: "delete", key });
    };
    const [ips, ipsBefore] = [next, previous].map((service) => (service ? heldAddresses(service) : new Set<string>()));
    const [ports, portsBefore] = [next, previous].map((service) =>
      service ? heldNodePorts(service) : new Set<number>(),
    );
    for (const ip of differenceOf(ips!, ipsBefore!)) {
      take(objectKey(ipAddresses, { name: ip }), storedText(addressObject(ip, holder, uid(), now)));
    }
    for (const port of differenceOf(ports!, portsBefore!)) take(nodePortKey(port), nodePortValue(holder));
    for (const ip of differenceOf(ipsBefore!, ips!)) {
      giveBack(objectKey(ipAddresses, { name: ip }), await reader.address(ip));
      addressHints[familyOf(ip) ?? "IPv4"].delete(toNumber(ip));
    }
    for (const port of differenceOf(portsBefore!, ports!)) {
      giveBack(nodePortKey(port), await reader.nodePort(port));
      portHint.delete(BigInt(port));
    }
    return { conditions, operations };
  };

  return {
    async claim({ kind, previous, next, dryRun, isRetry = false }) {
      if (kind.group !== services.group || kind.plural !== services.plural) {
        return { object: next, conditions: [], operations: [] };
      }
      const was = previous as Service | undefined;
      const planned = next === undefined ? undefined : await plan(next as Service, was, dryRun, isRetry);
      const object = planned?.service;
      if (dryRun) return { object, conditions: [], operations: [] };
      const { conditions, operations } = await difference(object, was);
      return { object, conditions: [...conditions, ...(planned?.conditions ?? [])], operations };
    },
  };
}
