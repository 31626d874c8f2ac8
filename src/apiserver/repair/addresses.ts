import type { IPAddress, Service } from "../../api/generated/types.ts";
import { lenientIP } from "../../api/meta/ip.ts";
import { isHeadless, needsClusterIP } from "../../api/service/needs.ts";
import { allocatorLabels, heldAddresses } from "../claims/service-claims.ts";
import type { Finding } from "./finding.ts";

/** What is put right. */
export type AddressRepair =
  /** An IPAddress for a Service's address; `replaces` is the wrong one that is there. */
  | { readonly type: "claim"; readonly ip: string; readonly service: Service; readonly replaces: IPAddress | undefined }
  /** An IPAddress that nobody needs; `service` is the one it names, when that is there. */
  | { readonly type: "remove"; readonly address: IPAddress; readonly service: Service | undefined };

export type AddressFinding = Finding<AddressRepair>;

/** What is around the object that is looked at. */
export interface AddressSurroundings {
  address(ip: string): IPAddress | undefined;
  service(at: { readonly namespace: string; readonly name: string }): Service | undefined;
  /** Whether any ServiceCIDR has the address, whatever its state. */
  isInRange(ip: string): boolean;
}

/** A Service may be on its way for so long after its IPAddress was made (SVC-277). */
const GRACE_MS = 60_000;

const nameOf = ({ metadata }: Service): string => `${metadata.namespace}/${metadata.name}`;

/** Whether an IPAddress says that it is for a Service, and for which. */
function parentOf({ spec }: IPAddress): { readonly namespace: string; readonly name: string } | undefined {
  const { group = "", resource, namespace = "", name } = spec?.parentRef ?? { resource: "", name: "" };
  return group === "" && resource === "services" ? { namespace, name } : undefined;
}

const holds = (service: Service, ip: string): boolean => heldAddresses(service).has(ip);

const hasLabels = ({ metadata }: IPAddress, ip: string): boolean =>
  Object.entries(allocatorLabels(ip)).every(([key, value]) => metadata.labels?.[key] === value);

/** Whether allocation made it: what people made is theirs (SVC-261). */
const isManaged = ({ metadata }: IPAddress): boolean =>
  metadata.labels?.["ipaddress.kubernetes.io/managed-by"] === "ipallocator.k8s.io";

/** What is wrong with the addresses of a Service (SVC-262, SVC-275). */
export function decideService(service: Service, around: AddressSurroundings): AddressFinding[] {
  if (!needsClusterIP(service) || isHeadless(service)) return [];
  return (service.spec?.clusterIPs ?? []).flatMap((text): AddressFinding[] => {
    const complaint = (reason: string, message: string, action = "ClusterIPAllocation") => ({
      about: service,
      reason,
      action,
      message,
    });
    const ip = lenientIP(text);
    if (ip === undefined) {
      const message = `Cluster IP ${text} is not a valid IP; please recreate Service`;
      return [{ complaint: complaint("ClusterIPNotValid", message, "ClusterIPValidation") }];
    }
    const family = ip.includes(":") ? "IPv6" : "IPv4";
    const what = `Cluster IP [${family}]: ${ip}`;
    if (!around.isInRange(ip)) {
      const message = `${what} is not within any configured Service CIDR; please recreate service`;
      return [{ complaint: complaint("ClusterIPOutOfRange", message) }];
    }
    const address = around.address(ip);
    if (address === undefined) {
      const repair = { type: "claim" as const, ip, service, replaces: undefined };
      return [{ complaint: complaint("ClusterIPNotAllocated", `${what} is not allocated; repairing`), repair }];
    }
    const repair = { type: "claim" as const, ip, service, replaces: address };
    const parent = parentOf(address);
    if (parent?.namespace === service.metadata.namespace && parent?.name === service.metadata.name) {
      return hasLabels(address, ip) ? [] : [{ repair }];
    }
    const other = parent === undefined ? undefined : around.service(parent);
    if (other !== undefined && holds(other, ip)) {
      const message = `${what} was assigned to multiple services; please recreate service`;
      return [{ complaint: complaint("ClusterIPAlreadyAllocated", message) }];
    }
    const message = `${what} for Service ${nameOf(service)} has a wrong reference; repairing`;
    return [{ complaint: complaint("ClusterIPNotAllocated", message), repair }];
  });
}

/** What is wrong with an IPAddress, and when it should be looked at again if only time can tell (SVC-276, SVC-277). */
export interface AddressVerdict {
  readonly finding: AddressFinding | undefined;
  readonly againInMs: number | undefined;
}

const FINE: AddressVerdict = { finding: undefined, againInMs: undefined };

/** Only IPAddresses that allocation made are judged; that a Service holds one is for `decideService` to say. */
export function decideAddress(address: IPAddress, around: AddressSurroundings, nowMs: number): AddressVerdict {
  if (!isManaged(address)) return FINE;
  const { name: ip = "", creationTimestamp = "" } = address.metadata;
  const parent = parentOf(address);
  const service = parent === undefined ? undefined : around.service(parent);
  const removed = (reason: string, message: string): AddressVerdict => ({
    finding: {
      complaint: { about: address, reason, action: "IPAddressAllocation", message },
      repair: { type: "remove", address, service },
    },
    againInMs: undefined,
  });
  if (parent === undefined) {
    return removed("IPAddressNotAllocated", `IPAddress: ${ip} does not reference a Service; cleaning up`);
  }
  const of = `IPAddress: ${ip} for Service ${parent.namespace}/${parent.name}`;
  if (service === undefined) {
    const left = Date.parse(creationTimestamp) + GRACE_MS - nowMs;
    // A clock that was set back would have it stay for ever.
    if (left >= 0) return { finding: undefined, againInMs: Math.min(left + 1, GRACE_MS) };
    return removed("IPAddressNotAllocated", `${of} appears to have leaked: cleaning up`);
  }
  return holds(service, ip) ? FINE : removed("IPAddressWrongReference", `${of} has a wrong reference; cleaning up`);
}
