import type { KubeObject } from "../../api/object.ts";
import { compare, type Comparison } from "./compare.ts";
import { difference, outside, setOf, type FieldSet } from "./field-set.ts";
import type { StructShape } from "./shape.ts";

const inMetadata = (...fields: string[]): string[][] => fields.map((field) => ["f:metadata", `f:${field}`]);

/** Nobody owns what identifies an object, or what only the server says of it. */
const NEVER_OWNED = setOf(
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  ...inMetadata(
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
  ),
);

/** What of a set can be owned, where some fields are reset. */
export const ownable = (fields: FieldSet, reset: FieldSet): FieldSet => difference(outside(fields, reset), NEVER_OWNED);

/** An object as its fields are compared: without what says who owns them. */
export function bare(object: KubeObject): KubeObject {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** How the fields that can be owned differ. */
export function compareOwned(shape: StructShape, old: object, next: object, reset: FieldSet): Comparison {
  const { added, modified, removed } = compare(shape, old, next);
  return { added: ownable(added, reset), modified: ownable(modified, reset), removed: ownable(removed, reset) };
}
