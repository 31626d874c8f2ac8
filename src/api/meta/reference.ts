import { required, type Fault } from "../fault.ts";
import type { TypedLocalObjectReference } from "../generated/types.ts";
import { checked } from "./check.ts";
import { checkPathSegment, checkSubdomain } from "./names.ts";

/** The object that a reference within a namespace, or to a class's parameters, names (SVC-294, SVC-300). */
export function validateReference({ apiGroup, kind, name }: TypedLocalObjectReference, field: string): Fault[] {
  const segment = (at: string, value: string): Fault[] =>
    value === "" ? [required(`${field}.${at}`)] : checked(checkPathSegment, `${field}.${at}`, value);
  return [
    ...(apiGroup === undefined ? [] : checked(checkSubdomain, `${field}.apiGroup`, apiGroup)),
    ...segment("kind", kind),
    ...segment("name", name),
  ];
}
