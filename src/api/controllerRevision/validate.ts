import { required, type Fault } from "../fault.ts";
import type { ControllerRevision } from "../generated/types.ts";
import { nonNegative } from "../meta/check.ts";
import { validateObjectMeta } from "../meta/objectMeta.ts";
import { immutable } from "../template/immutable.ts";
import { WORKLOAD_META } from "../template/rules.ts";

function validateData(data: unknown): Fault[] {
  if (data === undefined || data === null) return [required("data", "data is mandatory")];
  return typeof data === "object" && !Array.isArray(data) ? [] : [required("data", "data must be a valid JSON object")];
}

export const validate = (next: ControllerRevision, previous: ControllerRevision | undefined): Fault[] => [
  ...validateObjectMeta(next.metadata, previous?.metadata, WORKLOAD_META),
  ...nonNegative("revision", next.revision),
  ...(previous === undefined ? validateData(next.data) : immutable("data", next.data, previous.data)),
];
