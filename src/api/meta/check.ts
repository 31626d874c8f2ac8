import { invalid, notSupported, required, type Fault } from "../fault.ts";
import { checkIP, specialRange } from "./ip.ts";
import type { NameCheck } from "./names.ts";

/** A fault for each reason a check gives against a value. */
export const checked = (check: NameCheck, field: string, value: string): Fault[] =>
  check(value).map((why) => invalid(field, value, why));

/** A word that must be given and be one of a few. */
export function oneOf(field: string, value: string | undefined, supported: readonly string[]): Fault[] {
  if (value === undefined || value === "") return [required(field)];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

/** As `oneOf`, for a word that may be left out; an empty word is refused. */
export const optionalOneOf = (field: string, value: string | undefined, supported: readonly string[]): Fault[] =>
  value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];

/** A numeric range, both ends included. */
export const between = (field: string, value: number, from: number, to: number): Fault[] =>
  Number.isInteger(value) && value >= from && value <= to
    ? []
    : [invalid(field, value, `must be between ${from} and ${to}, inclusive`)];

export const nonNegative = (field: string, value: number | undefined): Fault[] =>
  value !== undefined && value < 0 ? [invalid(field, value, "must be greater than or equal to 0")] : [];

/** An address in strict form; a value that was stored before is not judged again (SVC-081). */
export const checkedIP = (field: string, value: string, before: readonly string[]): Fault[] =>
  before.includes(value) ? [] : checked(checkIP, field, value);

/** An address that traffic may be sent to. Special ranges are refused for stored values too (SVC-072, SVC-073). */
export function checkedDestination(field: string, value: string, before: readonly string[]): Fault[] {
  const faults = checkedIP(field, value, before);
  return faults.length > 0 ? faults : checked(specialRange, field, value);
}
