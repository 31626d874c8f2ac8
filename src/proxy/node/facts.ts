import type { Node } from "../../api/generated/types.ts";
import { canonicalIP, familyOf, type IPFamily } from "../../net/ip.ts";

/** What the proxy reads of its own Node; of a Node that is not there nothing is known. */
export interface NodeFacts {
  /** `topology.kubernetes.io/zone` (PRX-034). */
  readonly zone: string | undefined;
  /** InternalIPs, then ExternalIPs, each once (PRX-260). */
  readonly addresses: readonly string[];
  readonly podCIDRs: readonly string[];
  /** Whether load balancers may send to it: it is there, not being deleted, and not about to be (PRX-117). */
  readonly eligible: boolean;
}

const ZONE = "topology.kubernetes.io/zone";
/** The cluster autoscaler's word for a node that it is about to take away. */
const TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler";

export function nodeFacts(node: Node | undefined): NodeFacts {
  const ofType = (type: string): string[] =>
    (node?.status?.addresses ?? [])
      .filter((one) => one.type === type && familyOf(one.address) !== undefined)
      .map((one) => canonicalIP(one.address));
  const { podCIDRs, podCIDR, taints = [] } = node?.spec ?? {};
  return {
    zone: node?.metadata.labels?.[ZONE],
    addresses: [...new Set([...ofType("InternalIP"), ...ofType("ExternalIP")])],
    podCIDRs: podCIDRs ?? (podCIDR ? [podCIDR] : []),
    eligible:
      node !== undefined &&
      node.metadata.deletionTimestamp === undefined &&
      !taints.some(({ key }) => key === TO_BE_DELETED),
  };
}

const isUnspecified = (ip: string): boolean => ip === "0.0.0.0" || ip === "::";

/** PRX-259. */
export const primaryFamily = (bindAddress: string, addresses: readonly string[]): IPFamily =>
  (isUnspecified(bindAddress) ? undefined : familyOf(bindAddress)) ??
  (addresses[0] === undefined ? undefined : familyOf(addresses[0])) ??
  "IPv4";

/** The node's address of each family: of the Node, unless bindAddress says otherwise for its own (PRX-260). */
export function primaryAddresses(
  bindAddress: string,
  addresses: readonly string[],
): { readonly [family in IPFamily]?: string } {
  const bound = isUnspecified(bindAddress) ? undefined : canonicalIP(bindAddress);
  const of = (family: IPFamily): string | undefined =>
    bound !== undefined && familyOf(bound) === family ? bound : addresses.find((ip) => familyOf(ip) === family);
  const [four, six] = [of("IPv4"), of("IPv6")];
  return { ...(four === undefined ? {} : { IPv4: four }), ...(six === undefined ? {} : { IPv6: six }) };
}
