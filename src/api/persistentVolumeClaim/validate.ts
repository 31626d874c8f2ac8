import type { Fault } from "../fault.ts";
import type { PersistentVolumeClaim } from "../generated/types.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { WORKLOAD_META } from "../template/rules.ts";

export const validate = (next: PersistentVolumeClaim, previous: PersistentVolumeClaim | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
];

export const validateStatus = (next: PersistentVolumeClaim, previous: PersistentVolumeClaim): Fault[] =>
  validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META);
