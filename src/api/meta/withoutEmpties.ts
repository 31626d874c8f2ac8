import type { ObjectMeta } from "../generated/types.ts";

const isEmpty = (value: unknown): boolean => {
  if (value === "" || value === 0 || value === false || value === undefined) return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
};

/**
 * An object without those of its fields that say nothing: Go leaves out a field with `omitempty` that is no pointer when
 * it is "", 0, false or has no elements. Which fields are pointers, and so keep what was written, the caller must know.
 */
export function withoutEmpties<T extends object>(object: T, fields: readonly (keyof T)[]): T {
  const kept: T = { ...object };
  for (const field of fields) if (isEmpty(kept[field])) delete kept[field];
  return kept;
}

/** Every field of the metadata but the times and `deletionGracePeriodSeconds`. */
export const metadataWithoutEmpties = (metadata: ObjectMeta): ObjectMeta =>
  withoutEmpties(metadata, [
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
  ]);
