import { duplicate, invalid, notSupported, required, tooMany, type Fault } from "../../fault.ts";
import type { JobSpec, PodFailurePolicyRule } from "../../generated/types.ts";
import { checked } from "../../meta/check.ts";
import { checkQualifiedName } from "../../meta/names.ts";

const ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS = ["In", "NotIn"];
const STATUSES = ["False", "True", "Unknown"];
const MAXIMUM_RULES = 20;
const MAXIMUM_CODES = 255;
const MAXIMUM_PATTERNS = 20;

/** As Go writes a list of words. */
const among = (words: readonly string[]): string => `valid values: [${words.map((word) => `"${word}"`).join(" ")}]`;

function word(field: string, value: string, supported: readonly string[]): Fault[] {
  if (value === "") return [required(field, among(supported))];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

/** A fault of a value that is not shown. */
const without = (field: string, why: string): Fault => ({
  reason: "FieldValueInvalid",
  field,
  message: `Invalid value: ${why}`,
});

function validateCodes(rule: PodFailurePolicyRule, at: string, containers: ReadonlySet<string>): Fault[] {
  const codes = rule.onExitCodes;
  if (codes === undefined) return [];
  const { containerName, operator, values } = codes;
  const faults = word(`${at}.operator`, operator, OPERATORS);
  if (containerName !== undefined && !containers.has(containerName)) {
    const why = "must be one of the container or initContainer names in the pod template";
    faults.push(invalid(`${at}.containerName`, containerName, why));
  }
  if (values.length === 0) faults.push(invalid(`${at}.values`, values, "at least one value is required"));
  if (values.length > MAXIMUM_CODES) faults.push(tooMany(`${at}.values`, values.length, MAXIMUM_CODES));
  for (const [index, value] of values.entries()) {
    const field = `${at}.values[${index}]`;
    if (operator === "In" && value === 0) faults.push(invalid(field, value, "must not be 0 for the In operator"));
    if (values.indexOf(value) < index) faults.push(duplicate(field, value));
  }
  const isOrdered = values.every((value, index) => index === 0 || values[index - 1]! <= value);
  return isOrdered ? faults : [...faults, invalid(`${at}.values`, values, "must be ordered")];
}

function validatePatterns({ onPodConditions: patterns = [] }: PodFailurePolicyRule, at: string): Fault[] {
  const faults = patterns.length > MAXIMUM_PATTERNS ? [tooMany(at, patterns.length, MAXIMUM_PATTERNS)] : [];
  return [
    ...faults,
    ...patterns.flatMap(({ type, status = "" }, index) => [
      ...checked(checkQualifiedName, `${at}[${index}].type`, type),
      ...word(`${at}[${index}].status`, status, STATUSES),
    ]),
  ];
}

function validateRule(rule: PodFailurePolicyRule, at: string, spec: JobSpec, containers: ReadonlySet<string>): Fault[] {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  const faults =
    action === "FailIndex" && spec.backoffLimitPerIndex === undefined
      ? [invalid(`${at}.action`, action, "requires the backoffLimitPerIndex to be set")]
      : word(`${at}.action`, action, ACTIONS);
  faults.push(
    ...validateCodes(rule, `${at}.onExitCodes`, containers),
    ...validatePatterns(rule, `${at}.onPodConditions`),
  );
  const hasPatterns = onPodConditions.length > 0;
  if (onExitCodes !== undefined && hasPatterns) {
    faults.push(without(at, "specifying both OnExitCodes and OnPodConditions is not supported"));
  } else if (onExitCodes === undefined && !hasPatterns) {
    faults.push(without(at, "specifying one of OnExitCodes and OnPodConditions is required"));
  }
  return faults;
}

/** Which failures of pods end the Job, or do not count (KEP-3329). */
export function validateFailurePolicy(spec: JobSpec): Fault[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  const field = "spec.podFailurePolicy.rules";
  const { containers = [], initContainers = [] } = spec.template.spec ?? {};
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  return [
    ...(rules.length > MAXIMUM_RULES ? [tooMany(field, rules.length, MAXIMUM_RULES)] : []),
    ...rules.flatMap((rule, index) => validateRule(rule, `${field}[${index}]`, spec, names)),
  ];
}
