import type { Pod } from "../../api/generated/types.ts";

/**
 * What the pod says about its place that is not weighed here. A node is chosen by what it must have (labels, taints, volumes, free
 * ports, room for the requests), and among those by how few pods it has.
 */
export function unweighed({ spec }: Pod): string[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  return [
    ...(nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.length ? ["preferred nodeAffinity"] : []),
    ...(podAffinity === undefined ? [] : ["podAffinity"]),
    ...(podAntiAffinity === undefined ? [] : ["podAntiAffinity"]),
    ...(spec?.topologySpreadConstraints?.length ? ["topologySpreadConstraints"] : []),
    ...((spec?.priority ?? 0) > 0 ? ["priority (nobody is evicted for it)"] : []),
    ...(spec?.resourceClaims?.length ? ["resourceClaims"] : []),
  ];
}
