import { invalid, required, type Fault } from "../fault.ts";
import type { ClusterRole, LabelSelector } from "../generated/types.ts";
import { checkPathSegment } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { validateRules } from "../role/rules.ts";
import { validateSelector } from "../selector/validateSelector.ts";

function validateAggregated(selector: LabelSelector, field: string): Fault[] {
  const faults = validateSelector(selector, field);
  return faults.length === 0 ? [] : [...faults, invalid(field, selector, "invalid label selector.")];
}

export function validate(next: ClusterRole, previous: ClusterRole | undefined): Fault[] {
  const faults = [
    ...validateObjectMeta(next.metadata, previous?.metadata, { namespaced: false, checkName: checkPathSegment }),
    ...validateRules(next.rules, false),
  ];
  if (next.aggregationRule === undefined) return faults;
  const field = "aggregationRule.clusterRoleSelectors";
  const selectors = next.aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    faults.push(required(field, "at least one clusterRoleSelector required if aggregationRule is non-nil"));
  }
  return [...faults, ...selectors.flatMap((selector, index) => validateAggregated(selector, `${field}[${index}]`))];
}
