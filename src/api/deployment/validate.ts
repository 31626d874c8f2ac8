import { forbidden, invalid, notSupported, required, type Fault } from "../fault.ts";
import type { Deployment, DeploymentSpec, DeploymentStrategy } from "../generated/types.ts";
import { nonNegative } from "../meta/check.ts";
import { intOrPercentValue, notMoreThan100Percent, validateIntOrPercent } from "../meta/intOrPercent.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { validateSelector } from "../selector/validateSelector.ts";
import { immutable } from "../template/immutable.ts";
import { WORKLOAD_META } from "../template/rules.ts";
import { validateCollisions, validateCounts, validateShares } from "../template/status.ts";
import { validateLasting, validateMatch, validateOwnSelector, validateTemplate } from "../template/validate.ts";

function validateRollingUpdate({
  maxUnavailable = 0,
  maxSurge = 0,
}: Exclude<DeploymentStrategy["rollingUpdate"], undefined>): Fault[] {
  const field = "spec.strategy.rollingUpdate";
  const faults = [
    ...validateIntOrPercent(`${field}.maxUnavailable`, maxUnavailable),
    ...validateIntOrPercent(`${field}.maxSurge`, maxSurge),
  ];
  if (intOrPercentValue(maxUnavailable) === 0 && intOrPercentValue(maxSurge) === 0) {
    faults.push(invalid(`${field}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0"));
  }
  return [...faults, ...notMoreThan100Percent(`${field}.maxUnavailable`, maxUnavailable)];
}

function validateStrategy({ type, rollingUpdate }: DeploymentStrategy): Fault[] {
  if (type === "RollingUpdate") {
    return rollingUpdate === undefined
      ? [required("spec.strategy.rollingUpdate")]
      : validateRollingUpdate(rollingUpdate);
  }
  if (type !== "Recreate") {
    // So upstream shows what it has read.
    const shown = { Type: type ?? "", RollingUpdate: rollingUpdate ?? null };
    return [notSupported("spec.strategy", shown, ["Recreate", "RollingUpdate"])];
  }
  if (rollingUpdate === undefined) return [];
  return [forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")];
}

function validateSpec(spec: DeploymentSpec): Fault[] {
  const { selector, template, strategy = {}, progressDeadlineSeconds: deadline } = spec;
  const isReadable = validateSelector(selector, "").length === 0;
  return [
    ...nonNegative("spec.replicas", spec.replicas),
    ...validateOwnSelector(selector, "deployment"),
    ...(isReadable
      ? [
          ...validateMatch(selector, template, "spec.template"),
          ...validateTemplate(template, "spec.template"),
          ...validateLasting(template, "spec.template", "ReplicaSet"),
        ]
      : [invalid("spec.selector", selector, "invalid label selector")]),
    ...validateStrategy(strategy),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
    ...nonNegative("spec.progressDeadlineSeconds", deadline),
    ...(deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)
      ? [invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")]
      : []),
  ];
}

export const validate = (next: Deployment, previous: Deployment | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
  ...validateSpec(next.spec!),
  ...(previous === undefined ? [] : immutable("spec.selector", next.spec?.selector, previous.spec?.selector)),
];

export const validateStatus = (next: Deployment, previous: Deployment): Fault[] => [
  ...validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META),
  ...validateCounts(next.status, [
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
  ]),
  ...validateShares(next.status, ["updatedReplicas", "readyReplicas", "availableReplicas"]),
  ...validateCollisions(next.status?.collisionCount, previous.status?.collisionCount),
];
