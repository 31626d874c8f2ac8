/** Why a value was refused: Kubernetes' `field.Error` types; the API says them as `details.causes[].reason`. */
export type FaultReason =
  | "FieldValueInvalid"
  | "FieldValueRequired"
  | "FieldValueForbidden"
  | "FieldValueDuplicate"
  | "FieldValueNotFound"
  | "FieldValueNotSupported"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "InternalError";

/** One thing that is wrong with an object: where, why, and what it should have been. */
export interface Fault {
  readonly reason: FaultReason;
  /** The path in the object, e.g. `spec.ports[0].name`. */
  readonly field: string;
  /** A whole sentence without the path: `Invalid value: 0: must be between 1 and 65535, inclusive`. */
  readonly message: string;
}

const quoted = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value) : (JSON.stringify(value) ?? "null");

export const invalid = (field: string, value: unknown, why: string): Fault => ({
  reason: "FieldValueInvalid",
  field,
  message: `Invalid value: ${quoted(value)}${why === "" ? "" : `: ${why}`}`,
});
export const required = (field: string, why = ""): Fault => ({
  reason: "FieldValueRequired",
  field,
  message: why === "" ? "Required value" : `Required value: ${why}`,
});
export const forbidden = (field: string, why: string): Fault => ({
  reason: "FieldValueForbidden",
  field,
  message: `Forbidden: ${why}`,
});
export const duplicate = (field: string, value: unknown): Fault => ({
  reason: "FieldValueDuplicate",
  field,
  message: `Duplicate value: ${quoted(value)}`,
});
export const notFound = (field: string, value: unknown): Fault => ({
  reason: "FieldValueNotFound",
  field,
  message: `Not found: ${quoted(value)}`,
});
/** `supported` is told in the order given. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): Fault => ({
  reason: "FieldValueNotSupported",
  field,
  message: `Unsupported value: ${quoted(value)}: supported values: ${supported.map(quoted).join(", ")}`,
});
export const tooLong = (field: string, maximum: number): Fault => ({
  reason: "FieldValueTooLong",
  field,
  message: `Too long: may not be more than ${maximum} bytes`,
});
export const tooMany = (field: string, actual: number, maximum: number): Fault => ({
  reason: "FieldValueTooMany",
  field,
  message: `Too many: ${actual}: must have at most ${maximum} items`,
});
