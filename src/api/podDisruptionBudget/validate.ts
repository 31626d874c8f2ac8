import type { Fault } from "../fault.ts";
import type { PodDisruptionBudget } from "../generated/types.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { WORKLOAD_META } from "../template/rules.ts";

export const validate = (next: PodDisruptionBudget, previous: PodDisruptionBudget | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
];

export const validateStatus = (next: PodDisruptionBudget, previous: PodDisruptionBudget): Fault[] =>
  validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META);
