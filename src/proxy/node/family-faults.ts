import { familyOf, type IPFamily } from "../../net/ip.ts";

export interface FamilyFault {
  readonly sentence: string;
  /** The proxy cannot go on with it. */
  readonly fatal: boolean;
}

const otherOf = (family: IPFamily): IPFamily => (family === "IPv4" ? "IPv6" : "IPv4");

const allOf = (cidrs: readonly string[], family: IPFamily): boolean =>
  cidrs.length > 0 && cidrs.every((cidr) => familyOf(cidr.split("/")[0]!) === family);

/** Pure: what is wrong with the families of what was configured and of the Node (PRX-261). */
export function familyFaults(given: {
  readonly primary: IPFamily;
  readonly families: readonly IPFamily[];
  readonly detectLocalMode: string;
  readonly clusterCIDRs: readonly string[];
  readonly podCIDRs: readonly string[];
}): FamilyFault[] {
  const { primary, families, detectLocalMode, clusterCIDRs, podCIDRs } = given;
  const wrong = otherOf(primary);
  const isDual = families.length > 1;
  const node = isDual ? `${primary} first` : `${primary} only`;
  const faults: FamilyFault[] = [];
  if (!families.includes(primary)) {
    faults.push({ sentence: `this machine does not carry ${primary}, the first family of its Node`, fatal: true });
  }
  if (allOf(clusterCIDRs, wrong)) {
    faults.push({
      sentence: `clusterCIDR ${clusterCIDRs.join(",")} is all ${wrong}, and the node is ${node}`,
      fatal: detectLocalMode === "ClusterCIDR" && !isDual,
    });
  }
  if (allOf(podCIDRs, wrong)) {
    faults.push({
      sentence: `the Node's podCIDRs ${podCIDRs.join(",")} are all ${wrong}, and the node is ${node}`,
      fatal: detectLocalMode === "NodeCIDR",
    });
  }
  return faults;
}
