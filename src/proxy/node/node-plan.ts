import { cidrContains, parseCidr } from "../../net/cidr.ts";
import { canonicalIP, familyOf, type IPFamily } from "../../net/ip.ts";
import type { LocalDetector, NodePlan } from "../plan/plan.ts";
import { primaryAddresses, type NodeFacts } from "./facts.ts";

/** What was configured of a node. */
export interface NodeSettings {
  readonly nodeName: string;
  /** Families this machine carries, the primary one first. */
  readonly families: readonly IPFamily[];
  /** Overrides the Node's own address in its family; `0.0.0.0` and `::` say nothing (PRX-259). */
  readonly bindAddress: string;
  /** CIDRs of either family, or the one word `primary`; none: all addresses (PRX-077, PRX-078). */
  readonly nodePortAddresses: readonly string[];
  readonly localhostNodePorts: boolean;
  readonly serviceRanges: readonly string[];
  /** By the Node's podCIDRs (PRX-068), or as it is. */
  readonly localDetector: LocalDetector | "podCIDRs";
  readonly masqueradeAll: boolean;
  readonly masqueradeBit: number;
  readonly forwardOnly: NodePlan["forwardOnly"];
}

const isLoopback = (ip: string): boolean => ip === "::1" || ip.startsWith("127.");

/** PRX-078: ranges of one family say nothing of the other, and a range of everything is all. */
function answering(
  settings: NodeSettings,
  facts: NodeFacts,
  own: readonly string[],
  family: IPFamily,
): "all" | string[] {
  const { nodePortAddresses } = settings;
  if (nodePortAddresses[0] === "primary") {
    const primary = Object.values(primaryAddresses(settings.bindAddress, facts.addresses)).filter(
      (ip) => !isLoopback(ip),
    );
    const ofFamily = primary.filter((ip) => familyOf(ip) === family);
    // PRX-264: with no address known at all, or none of this family, nothing restricts it.
    return ofFamily.length === 0 ? "all" : ofFamily;
  }
  const ranges = nodePortAddresses.map(parseCidr).filter((range) => range.family === family);
  if (ranges.length === 0 || ranges.some(({ prefix }) => prefix === 0)) return "all";
  return own.filter((ip) => ranges.some((range) => cidrContains(range, ip)));
}

/** Pure: what was configured, what the Node says and the addresses this machine has (PRX-079), as engines want it. */
export function nodePlan(settings: NodeSettings, facts: NodeFacts, interfaces: readonly string[]): NodePlan {
  const own = [...new Set(interfaces.map(canonicalIP))].toSorted();
  const { localDetector } = settings;
  return {
    nodeName: settings.nodeName,
    families: settings.families,
    nodePortAddresses: {
      IPv4: settings.families.includes("IPv4") ? answering(settings, facts, own, "IPv4") : [],
      IPv6: settings.families.includes("IPv6") ? answering(settings, facts, own, "IPv6") : [],
    },
    localhostNodePorts: settings.localhostNodePorts,
    serviceRanges: settings.serviceRanges,
    localDetector: localDetector === "podCIDRs" ? { by: "ranges", ranges: facts.podCIDRs } : localDetector,
    nodeAddresses: own.filter((ip) => !isLoopback(ip)),
    masqueradeAll: settings.masqueradeAll,
    masqueradeBit: settings.masqueradeBit,
    forwardOnly: settings.forwardOnly,
  };
}
