import type { DaemonSet, Node } from "../../api/generated/types.ts";
import { matchesNode } from "../nodes/matches.ts";
import { toleratesAll } from "../nodes/taints.ts";
import { tolerationsOf } from "./pod.ts";

/** Whether a pod of the set is to be on a node; `stay` is what one that is there already may do, and a new one may not. */
export type Fit = "run" | "stay" | "leave";

/** CTL-126: by name, selector, required affinity and taints. Readiness of the node and room on it do not matter. */
export function fitOf(set: DaemonSet, node: Node): Fit {
  const spec = set.spec?.template.spec ?? { containers: [] };
  const isElsewhere = (spec.nodeName ?? "") !== "" && spec.nodeName !== node.metadata.name;
  if (isElsewhere || !matchesNode(spec, node)) return "leave";
  const taints = node.spec?.taints ?? [];
  const tolerations = tolerationsOf(spec);
  if (toleratesAll(tolerations, taints, ["NoSchedule", "NoExecute"])) return "run";
  return toleratesAll(tolerations, taints, ["NoExecute"]) ? "stay" : "leave";
}
