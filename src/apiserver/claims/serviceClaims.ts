import { randomBytes, randomUUID } from "node:crypto";
import type { Service, ServiceCIDR } from "../../api/generated/types.ts";
import { ipAddresses, serviceCIDRs } from "../../api/resources.ts";
import { backfill } from "../../api/service/backfill.ts";
import { isHeadless, needsClusterIP } from "../../api/service/needs.ts";
import { normalizeClusterIPs } from "../../api/service/normalizeClusterIPs.ts";
import { wipeOnTypeChange } from "../../api/service/wipeOnTypeChange.ts";
import { invalidObject } from "../../api/status.ts";
import { parseCidr, type Cidr } from "../../net/cidr.ts";
import type { IPFamily } from "../../net/ip.ts";
import { timestamp, type Clock } from "../../observe/clock.ts";
import type { Operation, Store } from "../../store/store.ts";
import { prefixOf } from "../keys.ts";
import type { Claimed, Claims, ClaimRequest } from "./claims.ts";
import { addressesOf, addressKey, claimAddresses } from "./clusterIPs.ts";
import { computeFamilies } from "./families.ts";
import { claimNodePorts, portsOf } from "./nodePorts.ts";
import { nodePortKey } from "../keys.ts";

export interface ServiceClaimsOptions {
  readonly store: Store;
  /** Families that have a Service range, the primary one first (SVC-115). */
  readonly families: readonly IPFamily[];
  readonly nodePortRange: { readonly from: number; readonly to: number };
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random?: () => number;
}

const fraction = (): number => randomBytes(6).readUIntBE(0, 6) / 2 ** 48;
const isUnder = (prefix: string, keys: ReadonlySet<string>) => (name: string) => keys.has(`${prefix}${name}`);

/** Ranges that give out addresses now: ready, and not about to go (SVC-123, SVC-270). */
async function readyRanges(store: Store): Promise<Cidr[]> {
  const { entries } = await store.list(prefixOf(serviceCIDRs));
  return entries
    .map((entry) => JSON.parse(entry.value) as ServiceCIDR)
    .filter(
      (cidr) =>
        cidr.metadata.deletionTimestamp === undefined &&
        cidr.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true,
    )
    .flatMap((cidr) => (cidr.spec?.cidrs ?? []).map(parseCidr));
}

/** Keys under a prefix, read at once: one read serves however many candidates are tried. */
async function takenKeys(store: Store, prefix: string): Promise<ReadonlySet<string>> {
  const { entries } = await store.list(prefix);
  return new Set(entries.map(({ key }) => key));
}

/** Cluster IPs and node ports of Services, held by keys written with the Service itself; other kinds claim nothing. */
export function serviceClaims(options: ServiceClaimsOptions): Claims {
  const { store, clock } = options;
  const random = options.random ?? fraction;

  const release = (previous: Service): Claimed => ({
    object: undefined,
    conditions: [],
    operations: [
      ...addressesOf(previous).map((ip): Operation => ({ type: "delete", key: addressKey(ip) })),
      ...[...portsOf(previous)].map((port): Operation => ({ type: "delete", key: nodePortKey(port) })),
    ],
  });

  const claim = async (written: Service, previous: Service | undefined): Promise<Claimed> => {
    const next =
      previous === undefined
        ? normalizeClusterIPs(written, undefined)
        : wipeOnTypeChange(normalizeClusterIPs(backfill(written, previous), previous), previous);
    let spec = { ...next.spec };
    const conditions: Claimed["conditions"][number][] = [];
    const operations: Operation[] = [];
    if (needsClusterIP(next)) {
      const families = computeFamilies(next, previous, options.families);
      if ("faults" in families) throw invalidObject("", "Service", next.metadata.name ?? "", families.faults);
      spec = { ...spec, ipFamilies: [...families.families], ipFamilyPolicy: families.policy };
      if (isHeadless(next)) spec = { ...spec, clusterIP: "None", clusterIPs: ["None"] };
      else {
        const prefix = prefixOf(ipAddresses);
        const [ranges, taken] = await Promise.all([readyRanges(store), takenKeys(store, prefix)]);
        const claimed = claimAddresses(next, previous, families.families, {
          ranges,
          isTaken: isUnder(prefix, taken),
          random,
          uid: randomUUID,
          now: timestamp(clock.now()),
        });
        spec = { ...spec, clusterIP: claimed.ips[0], clusterIPs: claimed.ips };
        conditions.push(...claimed.conditions);
        operations.push(...claimed.operations);
      }
    } else if (addressesOf(next).length === 0) {
      operations.push(...addressesOf(previous).map((ip): Operation => ({ type: "delete", key: addressKey(ip) })));
    }
    const portPrefix = nodePortKey(0).slice(0, -1);
    const takenPorts = await takenKeys(store, portPrefix);
    const ports = claimNodePorts({ ...next, spec }, previous, {
      range: options.nodePortRange,
      isTaken: (port) => takenPorts.has(nodePortKey(port)),
      random,
    });
    if (ports.ports !== undefined) spec.ports = ports.ports;
    if (ports.healthCheckNodePort) spec.healthCheckNodePort = ports.healthCheckNodePort;
    return {
      object: { ...next, spec } as Service,
      conditions: [...conditions, ...ports.conditions],
      operations: [...operations, ...ports.operations],
    };
  };

  return {
    async claim({ kind, previous, next, dryRun }: ClaimRequest): Promise<Claimed> {
      if (kind.group !== "" || kind.plural !== "services") return { object: next, conditions: [], operations: [] };
      if (next === undefined)
        return previous === undefined
          ? { object: undefined, conditions: [], operations: [] }
          : release(previous as Service);
      const claimed = await claim(next as Service, previous as Service | undefined);
      return dryRun ? { ...claimed, conditions: [], operations: [] } : claimed;
    },
  };
}
