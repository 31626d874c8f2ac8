import { forbidden, invalid, required, type Fault } from "../fault.ts";
import type { ClusterRole, LabelSelector, LabelSelectorRequirement } from "../generated/types.ts";
import { checked } from "../meta/check.ts";
import { checkLabelValue, checkPathSegment, checkQualifiedName } from "../meta/names.ts";
import { validateLabels, validateObjectMeta } from "../meta/objectMeta.ts";
import { validateRules } from "../role/rules.ts";

function validateExpression(expression: LabelSelectorRequirement, field: string): Fault[] {
  const { key, operator, values = [] } = expression;
  const faults: Fault[] = [];
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) {
      faults.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      faults.push(forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else faults.push(invalid(`${field}.operator`, operator, "not a valid selector operator"));
  faults.push(...checked(checkQualifiedName, `${field}.key`, key));
  faults.push(...values.flatMap((value, index) => checked(checkLabelValue, `${field}.values[${index}]`, value)));
  return faults;
}

function validateSelector(selector: LabelSelector, field: string): Fault[] {
  const faults = [
    ...validateLabels(selector.matchLabels, `${field}.matchLabels`),
    ...(selector.matchExpressions ?? []).flatMap((expression, index) =>
      validateExpression(expression, `${field}.matchExpressions[${index}]`),
    ),
  ];
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
  return [...faults, ...selectors.flatMap((selector, index) => validateSelector(selector, `${field}[${index}]`))];
}
