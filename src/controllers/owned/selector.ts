import type { LabelSelector, LabelSelectorRequirement } from "../../api/generated/types.ts";

type Labels = Readonly<Record<string, string>>;

/** Whether an object with these labels is selected. */
export type LabelMatcher = (labels: Labels | undefined) => boolean;

/** Whether a label (undefined: there is none) is as the requirement says. An operator that is not known holds for nothing. */
export function meets(
  { operator, values = [] }: Pick<LabelSelectorRequirement, "operator" | "values">,
  value: string | undefined,
): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      // Validation refuses it; what cannot be read selects nothing, so that nothing is adopted by mistake.
      return false;
  }
}

/** A selector as Kubernetes reads it: all pairs and requirements must hold; an empty one selects everything, none nothing. */
export function matcherOf(selector: LabelSelector | undefined): LabelMatcher {
  if (selector === undefined) return () => false;
  const pairs = Object.entries(selector.matchLabels ?? {});
  const requirements = selector.matchExpressions ?? [];
  return (labels = {}) =>
    pairs.every(([key, value]) => labels[key] === value) &&
    requirements.every((requirement) => meets(requirement, labels[requirement.key]));
}
