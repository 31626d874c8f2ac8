import { invalid, notSupported, required, tooLong, type Fault } from "../../fault.ts";
import type { JobSpec } from "../../generated/types.ts";
import { checked, nonNegative } from "../../meta/check.ts";
import { checkSubdomain } from "../../meta/names.ts";
import { validateTemplate } from "../../template/validate.ts";
import { validateFailurePolicy } from "./failurePolicy.ts";
import { validateSuccessPolicy } from "./successPolicy.ts";

const COUNTS = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
] as const;
const MODES = ["NonIndexed", "Indexed"];
/** What is done is told by ranges of indexes, whose text must not grow without end. */
const MANY = 100_000;
const SOME = 10_000;
const MANAGER_MAXIMUM = 63;

function validateManager(manager: string): Fault[] {
  const field = "spec.managedBy";
  const slash = manager.indexOf("/");
  const faults: Fault[] = [];
  if (manager === "") faults.push(required(field));
  else if (slash <= 0 || slash === manager.length - 1) {
    faults.push(invalid(field, manager, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  } else faults.push(...checked(checkSubdomain, field, manager.slice(0, slash)));
  return manager.length > MANAGER_MAXIMUM ? [...faults, tooLong(field, MANAGER_MAXIMUM)] : faults;
}

/** Bounds of an indexed Job, so that what has become of each index can still be told. */
function validateIndexed(spec: JobSpec): Fault[] {
  const { completions, parallelism = 0, maxFailedIndexes: failed, backoffLimitPerIndex } = spec;
  const faults: Fault[] = [];
  const add = (field: string, value: unknown, why: string): number =>
    faults.push(invalid(`spec.${field}`, value, `must be less than or equal to ${why}`));
  if (completions === undefined) faults.push(required("spec.completions", "when completion mode is Indexed"));
  if (parallelism > MANY) add("parallelism", parallelism, `${MANY} when completion mode is Indexed`);
  if (completions !== undefined && failed !== undefined && failed > completions) {
    add("maxFailedIndexes", failed, "completions");
  }
  if (failed !== undefined && failed > MANY) add("maxFailedIndexes", failed, String(MANY));
  if (completions === undefined || completions <= MANY || backoffLimitPerIndex === undefined) return faults;
  const when = `${SOME} when completions are above ${MANY} and used with backoff limit per index`;
  if (failed === undefined) {
    faults.push(required("spec.maxFailedIndexes", `must be specified when completions is above ${MANY}`));
  }
  if (parallelism > SOME) add("parallelism", parallelism, when);
  if (failed !== undefined && failed > SOME) add("maxFailedIndexes", failed, when);
  return faults;
}

function validateMode(spec: JobSpec): Fault[] {
  const { completionMode: mode = "NonIndexed" } = spec;
  const faults = MODES.includes(mode) ? [] : [notSupported("spec.completionMode", mode, MODES)];
  if (mode === "Indexed") return [...faults, ...validateIndexed(spec)];
  if (mode !== "NonIndexed") return faults;
  const alone = (field: "backoffLimitPerIndex" | "maxFailedIndexes"): Fault[] =>
    spec[field] === undefined ? [] : [invalid(`spec.${field}`, spec[field], "requires indexed completion mode")];
  return [...faults, ...alone("backoffLimitPerIndex"), ...alone("maxFailedIndexes")];
}

function validateReplacement({ podReplacementPolicy: policy, podFailurePolicy }: JobSpec): Fault[] {
  if (policy === undefined) return [];
  const supported = podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"];
  return supported.includes(policy) ? [] : [notSupported("spec.podReplacementPolicy", policy, supported)];
}

/** Pods that end: made anew by the Job, or started again where they are. */
function validateRestart({ template, podFailurePolicy }: JobSpec): Fault[] {
  const field = "spec.template.spec.restartPolicy";
  const { restartPolicy: policy = "" } = template.spec ?? {};
  if (policy === "" || policy === "Always") return [required(field, 'valid values: "OnFailure", "Never"')];
  if (policy !== "OnFailure" && policy !== "Never") return [notSupported(field, policy, ["OnFailure", "Never"])];
  if (podFailurePolicy === undefined || policy === "Never") return [];
  return [invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')];
}

/** What a Job is to do, without how it knows its pods. */
export const validateSpec = (spec: JobSpec): Fault[] => [
  ...COUNTS.flatMap((field) => nonNegative(`spec.${field}`, spec[field])),
  ...(spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined
    ? [required("spec.backoffLimitPerIndex", "when maxFailedIndexes is specified")]
    : []),
  ...(spec.managedBy === undefined ? [] : validateManager(spec.managedBy)),
  ...validateMode(spec),
  ...(spec.podFailurePolicy === undefined ? [] : validateFailurePolicy(spec)),
  ...(spec.successPolicy === undefined ? [] : validateSuccessPolicy(spec)),
  ...validateReplacement(spec),
  ...validateTemplate(spec.template, "spec.template"),
  ...validateRestart(spec),
];
