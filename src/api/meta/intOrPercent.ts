import { invalid, type Fault } from "../fault.ts";
import { checked, nonNegative } from "./check.ts";
import { checkPercent } from "./names.ts";

type IntOrPercent = number | string;

const isPercent = (value: IntOrPercent): value is string =>
  typeof value === "string" && checkPercent(value).length === 0;

/** The number, or that before the percent sign; 0 for a text that is neither. */
export const intOrPercentValue = (value: IntOrPercent): number =>
  typeof value === "number" ? value : isPercent(value) || /^[+-]?\d+$/.test(value) ? Number.parseInt(value, 10) : 0;

/** A whole number that is not negative, or a percentage; a value that is left out is not judged. */
export function validateIntOrPercent(field: string, value: IntOrPercent | undefined): Fault[] {
  if (value === undefined) return [];
  return typeof value === "number" ? nonNegative(field, value) : checked(checkPercent, field, value);
}

export const notMoreThan100Percent = (field: string, value: IntOrPercent | undefined): Fault[] =>
  value !== undefined && isPercent(value) && intOrPercentValue(value) > 100
    ? [invalid(field, value, "must not be greater than 100%")]
    : [];
