import { invalid, required, type Fault } from "../fault.ts";
import type { Job, PodTemplateSpec } from "../generated/types.ts";
import { checkLabel } from "../meta/names.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { labelSelector } from "../selector/labelSelector.ts";
import { validateSelector } from "../selector/validateSelector.ts";
import { WORKLOAD_META } from "../template/rules.ts";
import { sorted, validateMatch } from "../template/validate.ts";
import { CONTROLLER_UID, JOB_NAME, OLD_CONTROLLER_UID, OLD_JOB_NAME } from "./labels.ts";
import { validateChange } from "./validate/change.ts";
import { validateSpec } from "./validate/spec.ts";

export { validateStatus } from "./validate/status.ts";

function validateLabel({ metadata }: PodTemplateSpec, label: string, expected: string): Fault[] {
  const field = `spec.template.metadata.labels[${label}]`;
  const found = metadata?.labels?.[label];
  if (found === undefined) return [required(field, `must be '${expected}'`)];
  return found === expected ? [] : [invalid(field, sorted(metadata?.labels), `must be '${expected}'`)];
}

/** What makes sure that a Job knows its own pods and no others: its uid and name, which nobody else may write there. */
function validateGenerated({ metadata, spec }: Job, previous: Job | undefined): Fault[] {
  if (spec === undefined || spec.manualSelector === true || spec.selector === undefined) return [];
  const { name = "", uid = "" } = metadata;
  const expected: Record<string, string> = { [OLD_CONTROLLER_UID]: uid, [OLD_JOB_NAME]: name };
  const before = previous?.spec?.template.metadata?.labels;
  const isPrefixed =
    previous === undefined || (before?.[JOB_NAME] !== undefined && before[CONTROLLER_UID] !== undefined);
  if (isPrefixed) Object.assign(expected, { [CONTROLLER_UID]: uid, [JOB_NAME]: name });
  const faults = Object.entries(expected).flatMap(([label, value]) => validateLabel(spec.template, label, value));
  const isReadable = validateSelector(spec.selector, "").length === 0;
  if (isReadable && !labelSelector(spec.selector)(expected)) {
    faults.push(invalid("spec.selector", spec.selector, "`selector` not auto-generated"));
  }
  return faults;
}

function validateSelection({ spec }: Job): Fault[] {
  if (spec === undefined) return [];
  const { selector, template } = spec;
  if (selector === undefined)
    return [required("spec.selector"), ...validateMatch(undefined, template, "spec.template")];
  const faults = validateSelector(selector, "spec.selector");
  return faults.length > 0 ? faults : validateMatch(selector, template, "spec.template");
}

/** The pods of an indexed Job are named after it and their index. */
function validateIndexedName({ metadata, spec }: Job): Fault[] {
  const completions = spec?.completions ?? 0;
  if (spec?.completionMode !== "Indexed" || completions <= 0) return [];
  const last = `${metadata.name ?? ""}-${completions - 1}`;
  return checkLabel(last).length === 0
    ? []
    : [invalid("metadata.name", metadata.name ?? "", `will not able to create pod with invalid DNS label: ${last}`)];
}

export function validate(next: Job, previous: Job | undefined): Fault[] {
  const spec = [...validateSpec(next.spec!), ...validateSelection(next)];
  return [
    ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
    ...validateGenerated(next, previous),
    ...spec,
    ...validateIndexedName(next),
    // Upstream looks at the spec twice when it changes.
    ...(previous === undefined ? [] : [...spec, ...validateChange(next, previous)]),
  ];
}
