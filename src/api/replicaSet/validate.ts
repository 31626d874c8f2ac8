import type { Fault } from "../fault.ts";
import type { ReplicaSet } from "../generated/types.ts";
import { nonNegative } from "../meta/check.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { WORKLOAD_META } from "../template/rules.ts";

export const validate = (next: ReplicaSet, previous: ReplicaSet | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
  ...nonNegative("spec.replicas", next.spec?.replicas),
];

export const validateStatus = (next: ReplicaSet, previous: ReplicaSet): Fault[] =>
  validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META);
