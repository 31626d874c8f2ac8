import type { Fault } from "../fault.ts";
import type { ControllerRevision } from "../generated/types.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { WORKLOAD_META } from "../template/rules.ts";

export const validate = (next: ControllerRevision, previous: ControllerRevision | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
];
