import { duplicate, invalid, notSupported, required, tooLong, type Fault } from "../fault.ts";
import type { Condition } from "../generated/types.ts";
import { checked } from "./check.ts";
import { checkConditionReason, checkQualifiedName } from "./names.ts";

const STATUSES = ["False", "True", "Unknown"];
const MAXIMUM_REASON = 1024;
const MAXIMUM_MESSAGE = 32 * 1024;

function validateCondition(condition: Condition, field: string): Fault[] {
  const { type, status, observedGeneration = 0, lastTransitionTime, reason, message } = condition;
  const faults = checked(checkQualifiedName, `${field}.type`, type);
  if (!STATUSES.includes(status)) faults.push(notSupported(`${field}.status`, status, STATUSES));
  if (observedGeneration < 0) {
    faults.push(invalid(`${field}.observedGeneration`, observedGeneration, "must be greater than or equal to zero"));
  }
  if (!lastTransitionTime) faults.push(required(`${field}.lastTransitionTime`));
  if (reason === "") faults.push(required(`${field}.reason`));
  else {
    faults.push(...checked(checkConditionReason, `${field}.reason`, reason));
    if (reason.length > MAXIMUM_REASON) faults.push(tooLong(`${field}.reason`, MAXIMUM_REASON));
  }
  if (message.length > MAXIMUM_MESSAGE) faults.push(tooLong(`${field}.message`, MAXIMUM_MESSAGE));
  return faults;
}

/** Conditions of the common form, each type once. */
export const validateConditions = (conditions: readonly Condition[] = [], field = "status.conditions"): Fault[] =>
  conditions.flatMap((condition, index) => [
    ...(conditions.findIndex(({ type }) => type === condition.type) < index
      ? [duplicate(`${field}[${index}].type`, condition.type)]
      : []),
    ...validateCondition(condition, `${field}[${index}]`),
  ]);
