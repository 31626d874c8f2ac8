import { invalid, notSupported, required, type Fault } from "../fault.ts";
import type { DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy } from "../generated/types.ts";
import { nonNegative } from "../meta/check.ts";
import { intOrPercentValue, notMoreThan100Percent, validateIntOrPercent } from "../meta/intOrPercent.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { isEmptySelector, validateSelector } from "../selector/validateSelector.ts";
import { immutable } from "../template/immutable.ts";
import { WORKLOAD_META } from "../template/rules.ts";
import { validateCollisions, validateCounts } from "../template/status.ts";
import { validateLasting, validateMatch, validateTemplate } from "../template/validate.ts";

function validateStrategy({ type, rollingUpdate }: DaemonSetUpdateStrategy): Fault[] {
  if (type === "OnDelete") return [];
  if (type !== "RollingUpdate") {
    // So upstream shows what it has read.
    const shown = { Type: type ?? "", RollingUpdate: rollingUpdate ?? null };
    return [notSupported("spec.updateStrategy", shown, ["RollingUpdate", "OnDelete"])];
  }
  const field = "spec.updateStrategy.rollingUpdate";
  if (rollingUpdate === undefined) return [required(field)];
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  const [unavailable, surge] = [`${field}.maxUnavailable`, `${field}.maxSurge`];
  const faults = [
    ...validateIntOrPercent(unavailable, maxUnavailable),
    ...validateIntOrPercent(surge, maxSurge),
    ...notMoreThan100Percent(unavailable, maxUnavailable),
    ...notMoreThan100Percent(surge, maxSurge),
  ];
  const [hasUnavailable, hasSurge] = [intOrPercentValue(maxUnavailable) !== 0, intOrPercentValue(maxSurge) !== 0];
  if (hasUnavailable && hasSurge) {
    faults.push(invalid(surge, maxSurge, "may not be set when maxUnavailable is non-zero"));
  } else if (!hasUnavailable && !hasSurge) faults.push(required(unavailable, "cannot be 0 when maxSurge is 0"));
  return faults;
}

function validateSpec({
  selector,
  template,
  updateStrategy = {},
  minReadySeconds,
  revisionHistoryLimit,
}: DaemonSetSpec): Fault[] {
  const faults = validateSelector(selector, "spec.selector");
  return [
    ...faults,
    ...(faults.length > 0 ? [] : validateMatch(selector, template, "spec.template")),
    ...((selector as DaemonSetSpec["selector"] | undefined) !== undefined && isEmptySelector(selector)
      ? [invalid("spec.selector", selector, "empty selector is invalid for daemonset")]
      : []),
    ...validateTemplate(template, "spec.template"),
    ...validateLasting(template, "spec.template", "DaemonSet"),
    ...nonNegative("spec.minReadySeconds", minReadySeconds),
    ...validateStrategy(updateStrategy),
    ...nonNegative("spec.revisionHistoryLimit", revisionHistoryLimit),
  ];
}

export const validate = (next: DaemonSet, previous: DaemonSet | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
  ...(previous === undefined ? [] : immutable("spec.selector", next.spec?.selector, previous.spec?.selector)),
  ...validateSpec(next.spec!),
];

export const validateStatus = (next: DaemonSet, previous: DaemonSet): Fault[] => [
  ...validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META),
  ...validateCounts(next.status, [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
  ]),
  ...validateCollisions(next.status?.collisionCount, previous.status?.collisionCount),
];
