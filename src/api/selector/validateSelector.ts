import { forbidden, invalid, required, type Fault } from "../fault.ts";
import type { LabelSelector, LabelSelectorRequirement } from "../generated/types.ts";
import { checked } from "../meta/check.ts";
import { checkLabelValue, checkQualifiedName } from "../meta/names.ts";
import { validateLabels } from "../meta/objectMeta.ts";

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

/** Every fault of a selector in its object form; a missing one has none. */
export const validateSelector = (selector: LabelSelector | undefined, field: string): Fault[] => [
  ...validateLabels(selector?.matchLabels, `${field}.matchLabels`),
  ...(selector?.matchExpressions ?? []).flatMap((expression, index) =>
    validateExpression(expression, `${field}.matchExpressions[${index}]`),
  ),
];

/** True for a selector that says nothing, and so would select everything. */
export const isEmptySelector = ({ matchLabels, matchExpressions }: LabelSelector): boolean =>
  Object.keys(matchLabels ?? {}).length + (matchExpressions ?? []).length === 0;
