import type { Fault } from "../fault.ts";
import type { StatefulSet } from "../generated/types.ts";
import { nonNegative } from "../meta/check.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { WORKLOAD_META } from "../template/rules.ts";

export const validate = (next: StatefulSet, previous: StatefulSet | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
  ...nonNegative("spec.replicas", next.spec?.replicas),
];

export const validateStatus = (next: StatefulSet, previous: StatefulSet): Fault[] =>
  validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META);
