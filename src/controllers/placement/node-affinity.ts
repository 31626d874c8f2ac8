import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod } from "../../api/generated/types.ts";
import { selects } from "../pods/addresses.ts";

const WHOLE = /^[+-]?\d+$/;

/** Whether a label (undefined: there is none) is as the requirement says. `Gt` and `Lt` compare whole numbers. */
function meets({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
    case "Lt": {
      const [bound = ""] = values;
      if (value === undefined || !WHOLE.test(value) || !WHOLE.test(bound)) return false;
      return operator === "Gt" ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
    default:
      return false;
  }
}

/** All requirements of the term hold; a term that requires nothing matches nothing. */
function matches({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => meets(requirement, metadata.labels?.[requirement.key])) &&
    matchFields.every((requirement) =>
      meets(requirement, requirement.key === "metadata.name" ? metadata.name : undefined),
    )
  );
}

/** Whether the pod may be on this node by `nodeSelector` and required node affinity: one of its terms is enough. */
export function mayBeOn(pod: Pod, node: Node): boolean {
  if (!selects(pod.spec?.nodeSelector ?? {}, node.metadata.labels ?? {})) return false;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => matches(term, node));
}
