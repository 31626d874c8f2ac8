import { invalid, type Fault } from "../fault.ts";
import type { ReplicaSet, ReplicaSetSpec } from "../generated/types.ts";
import { nonNegative } from "../meta/check.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { validateSelector } from "../selector/validateSelector.ts";
import { immutable } from "../template/immutable.ts";
import { WORKLOAD_META } from "../template/rules.ts";
import { validateCounts, validateShares } from "../template/status.ts";
import { validateLasting, validateMatch, validateOwnSelector, validateTemplate } from "../template/validate.ts";

function validateSpec({ replicas, minReadySeconds, selector, template = {} }: ReplicaSetSpec): Fault[] {
  const isReadable = validateSelector(selector, "").length === 0;
  return [
    ...nonNegative("spec.replicas", replicas),
    ...nonNegative("spec.minReadySeconds", minReadySeconds),
    // Upstream calls it a deployment here.
    ...validateOwnSelector(selector, "deployment"),
    ...(isReadable
      ? [
          ...validateMatch(selector, template, "spec.template"),
          ...validateTemplate(template, "spec.template"),
          ...validateLasting(template, "spec.template", "ReplicaSet"),
        ]
      : [invalid("spec.selector", selector, "invalid label selector")]),
  ];
}

export const validate = (next: ReplicaSet, previous: ReplicaSet | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
  ...validateSpec(next.spec!),
  ...(previous === undefined ? [] : immutable("spec.selector", next.spec?.selector, previous.spec?.selector)),
];

export const validateStatus = (next: ReplicaSet, previous: ReplicaSet): Fault[] => [
  ...validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META),
  ...validateCounts(next.status, [
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "observedGeneration",
    "terminatingReplicas",
  ]),
  ...validateShares(next.status, ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"]),
];
