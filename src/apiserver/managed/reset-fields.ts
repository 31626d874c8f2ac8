import type { Kind } from "../../api/kind.ts";
import { EMPTY, setOf, type FieldSet } from "./field-set.ts";

const STATUS = setOf(["f:status"]);
const SPEC = setOf(["f:spec"]);
/** Beside the spec, what a write through `/status` does not touch. */
const MORE: Readonly<Record<string, FieldSet>> = {
  Deployment: setOf(["f:spec"], ["f:metadata", "f:labels"]),
  Pod: setOf(["f:spec"], ["f:metadata", "f:deletionTimestamp"], ["f:metadata", "f:ownerReferences"]),
  ServiceCIDR: setOf(["f:spec"], ["f:metadata"]),
};

/**
 * Fields that a write through this path leaves as they were, whatever it says of them, and so does not own: `status` for the object itself,
 * `spec` for `/status` (SVC-198).
 */
export function resetFields(kind: Pick<Kind, "type" | "subresources">, subresource: string): FieldSet {
  if (subresource === "status") return Object.hasOwn(MORE, kind.type) ? MORE[kind.type]! : SPEC;
  return kind.subresources.includes("status") ? STATUS : EMPTY;
}
