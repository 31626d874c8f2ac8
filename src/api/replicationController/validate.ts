import { required, type Fault } from "../fault.ts";
import type { ReplicationController, ReplicationControllerSpec } from "../generated/types.ts";
import { nonNegative } from "../meta/check.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { WORKLOAD_META } from "../template/rules.ts";
import { validateCounts, validateShares } from "../template/status.ts";
import { validateLasting, validateMatch, validateTemplate } from "../template/validate.ts";

function validateSpec({ replicas, minReadySeconds, selector = {}, template }: ReplicationControllerSpec): Fault[] {
  const isEmpty = Object.keys(selector).length === 0;
  return [
    ...nonNegative("spec.minReadySeconds", minReadySeconds),
    ...(isEmpty ? [required("spec.selector")] : []),
    ...nonNegative("spec.replicas", replicas),
    ...(template === undefined
      ? [required("spec.template")]
      : [
          ...validateMatch({ matchLabels: selector }, template, "spec.template"),
          ...validateTemplate(template, "spec.template"),
          ...validateLasting(template, "spec.template", "ReplicationController"),
        ]),
  ];
}

export const validate = (next: ReplicationController, previous: ReplicationController | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
  ...validateSpec(next.spec!),
];

export const validateStatus = (next: ReplicationController, previous: ReplicationController): Fault[] => [
  ...validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META),
  ...validateCounts(next.status, [
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "observedGeneration",
  ]),
  ...validateShares(next.status, ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"]),
];
