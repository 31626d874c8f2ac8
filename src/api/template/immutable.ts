import { invalid, type Fault } from "../fault.ts";
import { sameJson } from "../meta/values.ts";

/** A field that stays as it was made. */
export const immutable = (field: string, next: unknown, previous: unknown): Fault[] =>
  sameJson(next, previous) ? [] : [invalid(field, next ?? null, "field is immutable")];
