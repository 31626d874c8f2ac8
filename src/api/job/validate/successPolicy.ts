import { invalid, required, tooLong, tooMany, type Fault } from "../../fault.ts";
import type { JobSpec, SuccessPolicyRule } from "../../generated/types.ts";
import { nonNegative } from "../../meta/check.ts";
import { countIndexes } from "./indexes.ts";

const MAXIMUM_RULES = 20;
const MAXIMUM_INDEXES = 64 * 1024;

function validateRule(
  { succeededCount, succeededIndexes }: SuccessPolicyRule,
  at: string,
  completions: number,
): Fault[] {
  if (succeededCount === undefined && succeededIndexes === undefined) {
    return [required(at, "at least one of succeededCount or succeededIndexes must be specified")];
  }
  const faults: Fault[] = [];
  let named = 0;
  if (succeededIndexes !== undefined) {
    const field = `${at}.succeededIndexes`;
    if (succeededIndexes.length > MAXIMUM_INDEXES) faults.push(tooLong(field, MAXIMUM_INDEXES));
    const counted = countIndexes(succeededIndexes, completions);
    if ("why" in counted)
      faults.push(invalid(field, succeededIndexes, `error parsing succeededIndexes: ${counted.why}`));
    else named = counted.count;
  }
  if (succeededCount === undefined) return faults;
  const field = `${at}.succeededCount`;
  const least = (limit: number, what: string): Fault =>
    invalid(field, succeededCount, `must be less than or equal to ${limit} (the number of ${what})`);
  faults.push(...nonNegative(field, succeededCount));
  if (succeededCount > completions) faults.push(least(completions, "specified completions"));
  if (succeededIndexes !== undefined && succeededCount > named) {
    faults.push(least(named, "indexes in the specified succeededIndexes field"));
  }
  return faults;
}

/** When an indexed Job is done although not all its indexes are (KEP-3998). */
export function validateSuccessPolicy({ successPolicy, completionMode, completions = 0 }: JobSpec): Fault[] {
  if (successPolicy === undefined) return [];
  const field = "spec.successPolicy.rules";
  if (completionMode !== "Indexed") {
    // So upstream shows what it has read.
    const shown = {
      Rules: successPolicy.rules.map(({ succeededIndexes = null, succeededCount = null }) => ({
        SucceededIndexes: succeededIndexes,
        SucceededCount: succeededCount,
      })),
    };
    return [invalid("spec.successPolicy", shown, "requires indexed completion mode")];
  }
  const { rules } = successPolicy;
  return [
    ...(rules.length === 0
      ? [required(field, "at least one rules must be specified when the successPolicy is specified")]
      : []),
    ...(rules.length > MAXIMUM_RULES ? [tooMany(field, rules.length, MAXIMUM_RULES)] : []),
    ...rules.flatMap((rule, index) => validateRule(rule, `${field}[${index}]`, completions)),
  ];
}
