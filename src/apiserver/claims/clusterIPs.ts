import type { IPAddress, Service } from "../../api/generated/types.ts";
import { invalid } from "../../api/fault.ts";
import { ipAddresses } from "../../api/resources.ts";
import { HEADLESS } from "../../api/service/needs.ts";
import { ApiError, invalidObject } from "../../api/status.ts";
import { cidrContains, type Cidr } from "../../net/cidr.ts";
import { canonicalIP, familyOf, toNumber, type IPFamily } from "../../net/ip.ts";
import type { Condition, Operation } from "../../store/store.ts";
import { objectKey } from "../keys.ts";
import { isUsable, pickAddress } from "./pick.ts";

/** What is taken, and how to name new objects. */
export interface AddressGround {
  readonly ranges: readonly Cidr[];
  isTaken(ip: string): boolean;
  random(): number;
  uid(): string;
  readonly now: string;
}

export const addressKey = (ip: string): string => objectKey(ipAddresses, { name: canonicalIP(ip) });

/** The IPAddress by which a Service holds an address (SVC-127, SVC-260). */
const claimOf = (service: Service, ip: string, ground: AddressGround): IPAddress => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "IPAddress",
  metadata: {
    name: canonicalIP(ip),
    uid: ground.uid(),
    creationTimestamp: ground.now,
    labels: {
      "ipaddress.kubernetes.io/ip-family": familyOf(ip)!,
      "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    },
  },
  spec: {
    parentRef: {
      group: "",
      resource: "services",
      namespace: service.metadata.namespace ?? "",
      name: service.metadata.name ?? "",
    },
  },
});

/** Addresses a Service holds; `None` and names are none. */
export const addressesOf = (service: Service | undefined): string[] => {
  const ips = service?.spec?.clusterIPs ?? (service?.spec?.clusterIP === undefined ? [] : [service.spec.clusterIP]);
  return ips.filter((ip) => ip !== HEADLESS && familyOf(ip) !== undefined);
};

const refuse = (service: Service, value: unknown, why: string): ApiError =>
  invalidObject("", "Service", service.metadata.name ?? "", [
    invalid("spec.clusterIPs", value, `failed to allocate IP ${String(value)}: ${why}`),
  ]);

/**
 * The addresses a Service shall have, one of each family in order: those it names, those it has, and free ones for the rest.
 * Throws ApiError for one outside all ranges (SVC-124), one in use (SVC-125), and for full ranges (SVC-126).
 */
export function claimAddresses(
  next: Service,
  previous: Service | undefined,
  families: readonly IPFamily[],
  ground: AddressGround,
): { ips: string[]; conditions: Condition[]; operations: Operation[] } {
  const held = new Set(addressesOf(previous).map(canonicalIP));
  const asked = addressesOf(next);
  const conditions: Condition[] = [];
  const operations: Operation[] = [];
  const ips = families.map((family) => {
    const named = asked.find((ip) => familyOf(ip) === family);
    if (named !== undefined && held.has(canonicalIP(named))) return named;
    let ip = named;
    if (ip === undefined) {
      for (const range of ground.ranges.filter((one) => one.family === family)) {
        ip = pickAddress(range, (candidate) => ground.isTaken(candidate), ground.random());
        if (ip !== undefined) break;
      }
      if (ip === undefined)
        throw new ApiError("InternalError", `failed to allocate a serviceIP: range of family ${family} is full`);
    } else {
      const inRange = ground.ranges.some((range) => cidrContains(range, named!) && isUsable(range, toNumber(named!)));
      if (!inRange) {
        const valid = ground.ranges.map((range) => range.text).join(", ");
        throw refuse(
          next,
          named,
          `the provided IP (${named}) is not in the valid range. The range of valid IPs is ${valid}`,
        );
      }
      if (ground.isTaken(canonicalIP(ip))) throw refuse(next, named, "provided IP is already allocated");
    }
    const key = addressKey(ip);
    conditions.push({ key, absent: true });
    operations.push({ type: "put", key, value: JSON.stringify(claimOf(next, ip, ground)) });
    return ip;
  });
  const kept = new Set(ips.map(canonicalIP));
  for (const ip of held) if (!kept.has(ip)) operations.push({ type: "delete", key: addressKey(ip) });
  return { ips, conditions, operations };
}
