import type { Fault } from "../fault.ts";
import type { DaemonSet } from "../generated/types.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { WORKLOAD_META } from "../template/rules.ts";

export const validate = (next: DaemonSet, previous: DaemonSet | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
];

export const validateStatus = (next: DaemonSet, previous: DaemonSet): Fault[] =>
  validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META);
