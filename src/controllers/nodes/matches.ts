import type { Node, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from "../../api/generated/types.ts";
import { meets as meetsLabel } from "../owned/selector.ts";

const WHOLE = /^[+-]?\d+$/;

/** As for labels of objects, and `Gt` and `Lt`, which compare whole numbers. */
function meets(requirement: NodeSelectorRequirement, value: string | undefined): boolean {
  const { operator, values = [] } = requirement;
  if (operator !== "Gt" && operator !== "Lt") return meetsLabel(requirement, value);
  const [bound = ""] = values;
  if (value === undefined || !WHOLE.test(value) || !WHOLE.test(bound)) return false;
  return operator === "Gt" ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
}

/** All of a term must hold; a term that asks for nothing selects nothing. */
function fits({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => meets(requirement, node.metadata.labels?.[requirement.key])) &&
    matchFields.every((requirement) => requirement.key === "metadata.name" && meets(requirement, node.metadata.name))
  );
}

/** Whether the pod may be on the node by its `nodeSelector` and its required node affinity, of whose terms one is enough. */
export function matchesNode(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return (
    Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value) &&
    (required === undefined || required.nodeSelectorTerms.some((term) => fits(term, node)))
  );
}
