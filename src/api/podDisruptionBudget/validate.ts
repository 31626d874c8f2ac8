import { invalid, notSupported, type Fault } from "../fault.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from "../generated/types.ts";
import { validateConditions } from "../meta/conditions.ts";
import { notMoreThan100Percent, validateIntOrPercent } from "../meta/intOrPercent.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { validateSelector } from "../selector/validateSelector.ts";
import { WORKLOAD_META } from "../template/rules.ts";
import { validateCounts } from "../template/status.ts";

const POLICIES = ["AlwaysAllow", "IfHealthyBudget"];

function validateSpec(spec: PodDisruptionBudgetSpec): Fault[] {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec;
  const isBoth = minAvailable !== undefined && maxUnavailable !== undefined;
  // So upstream shows what it has read.
  const shown = {
    MinAvailable: minAvailable ?? null,
    Selector: spec.selector ?? null,
    MaxUnavailable: maxUnavailable ?? null,
    UnhealthyPodEvictionPolicy: policy ?? null,
  };
  return [
    ...(isBoth ? [invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")] : []),
    ...validateIntOrPercent("spec.minAvailable", minAvailable),
    ...notMoreThan100Percent("spec.minAvailable", minAvailable),
    ...validateIntOrPercent("spec.maxUnavailable", maxUnavailable),
    ...notMoreThan100Percent("spec.maxUnavailable", maxUnavailable),
    ...validateSelector(spec.selector, "spec.selector"),
    ...(policy === undefined || POLICIES.includes(policy)
      ? []
      : [notSupported("spec.unhealthyPodEvictionPolicy", policy, POLICIES)]),
  ];
}

export const validate = (next: PodDisruptionBudget, previous: PodDisruptionBudget | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
  ...validateSpec(next.spec ?? {}),
];

export const validateStatus = (next: PodDisruptionBudget, previous: PodDisruptionBudget): Fault[] => [
  ...validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META),
  ...validateConditions(next.status?.conditions),
  ...validateCounts(next.status, ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"]),
];
