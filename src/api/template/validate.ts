import { forbidden, invalid, notSupported, required, type Fault } from "../fault.ts";
import type { LabelSelector, PodTemplateSpec } from "../generated/types.ts";
import { validateAnnotations, validateLabels } from "../meta/objectMeta.ts";
import { validatePodSpec } from "../pod/validate.ts";
import { labelSelector } from "../selector/labelSelector.ts";
import { isEmptySelector, validateSelector } from "../selector/validateSelector.ts";

/** As Go writes a map: sorted by key. */
export const sorted = (labels: Record<string, string> | undefined): Record<string, string> | null =>
  labels === undefined ? null : Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

/** A template for itself, whatever is made from it. */
export function validateTemplate(template: PodTemplateSpec, field: string): Fault[] {
  const { metadata, spec = { containers: [] } } = template;
  return [
    ...validateLabels(metadata?.labels, `${field}.labels`),
    ...validateAnnotations(metadata?.annotations, `${field}.annotations`),
    ...validatePodSpec(spec, `${field}.spec`),
    ...((spec.ephemeralContainers ?? []).length === 0
      ? []
      : [forbidden(`${field}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template")]),
  ];
}

/** Pods that do not carry the labels by which they are known would be made for ever. */
export const validateMatch = (selector: LabelSelector | undefined, template: PodTemplateSpec, field: string): Fault[] =>
  labelSelector(selector)(template.metadata?.labels)
    ? []
    : [
        invalid(
          `${field}.metadata.labels`,
          sorted(template.metadata?.labels),
          "`selector` does not match template `labels`",
        ),
      ];

/** Pods that are made anew when they end, for as long as their owner is there. */
export function validateLasting({ spec }: PodTemplateSpec, field: string, kind: string): Fault[] {
  const faults: Fault[] = [];
  if (spec?.restartPolicy !== "Always") {
    faults.push(notSupported(`${field}.spec.restartPolicy`, spec?.restartPolicy ?? "", ["Always"]));
  }
  if (spec?.activeDeadlineSeconds !== undefined) {
    const why = `activeDeadlineSeconds in ${kind} is not Supported`;
    faults.push(forbidden(`${field}.spec.activeDeadlineSeconds`, why));
  }
  return faults;
}

/** A selector that must be there and select something; `of` is whose it is, in upstream's words. */
export function validateOwnSelector(selector: LabelSelector | undefined, of: string): Fault[] {
  if (selector === undefined) return [required("spec.selector")];
  const faults = validateSelector(selector, "spec.selector");
  return isEmptySelector(selector)
    ? [...faults, invalid("spec.selector", selector, `empty selector is invalid for ${of}`)]
    : faults;
}
