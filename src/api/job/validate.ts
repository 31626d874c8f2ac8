import type { Fault } from "../fault.ts";
import type { Job } from "../generated/types.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { WORKLOAD_META } from "../template/rules.ts";

export const validate = (next: Job, previous: Job | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
];

export const validateStatus = (next: Job, previous: Job): Fault[] =>
  validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META);
