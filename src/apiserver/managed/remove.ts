import { elementOf, isObject } from "./element.ts";
import { LEAF, type FieldNode, type FieldSet } from "./field-set.ts";
import { fieldElement } from "./path-element.ts";
import type { Shape, StructShape } from "./shape.ts";

/** What is left of a value without the fields of a set; null where nothing is left of a map, list or struct. */
function removeFrom(shape: Shape, value: unknown, set: FieldSet): unknown {
  if (shape.is === "scalar") return value;
  if (shape.is === "list") {
    if (!Array.isArray(value) || value.length === 0 || shape.how === "atomic") return null;
    const left = value.flatMap((item: unknown) => {
      const node = set.get(elementOf(shape, item));
      if (node === undefined) return [item];
      if (node.isMember) return [];
      return [removeFrom(shape.item, item, node.children)];
    });
    return left.length === 0 ? null : left;
  }
  if (!isObject(value) || shape.isAtomic) return null;
  const left: Record<string, unknown> = {};
  let count = 0;
  for (const [field, held] of Object.entries(value)) {
    const node = set.get(fieldElement(field));
    if (node?.isMember === true) continue;
    const inner = shape.is === "map" ? shape.item : shape.fields.get(field);
    left[field] = node === undefined || inner === undefined ? held : removeFrom(inner, held, node.children);
    count += 1;
  }
  return count === 0 ? null : left;
}

/** The object without the fields of a set and what lies below them. */
export const remove = (shape: StructShape, object: object, set: FieldSet): Record<string, unknown> =>
  set.size === 0
    ? (object as Record<string, unknown>)
    : ((removeFrom(shape, object, set) ?? {}) as Record<string, unknown>);

/** The set, and every declared field of a struct that something below it is in. */
export function withNamedFields(shape: Shape | undefined, set: FieldSet): FieldSet {
  if (set.size === 0) return set;
  const named = new Map<string, FieldNode>();
  for (const [element, { isMember, children }] of set) {
    let inner: Shape | undefined;
    let isDeclared = false;
    if (element.startsWith("f:")) {
      if (shape?.is === "struct") {
        inner = shape.fields.get(element.slice(2));
        isDeclared = inner !== undefined;
      } else if (shape?.is === "map") inner = shape.item;
    } else if (shape?.is === "list") inner = shape.item;
    named.set(element, {
      isMember: isMember || (isDeclared && children.size > 0),
      children: withNamedFields(inner, children),
    });
  }
  return named;
}

/** A set that a client wrote, fit for the type: who says to own something inside what has one owner owns the whole of it. */
export function reconciled(shape: Shape | undefined, set: FieldSet): FieldSet {
  const fit = new Map<string, FieldNode>();
  for (const [element, node] of set) {
    let inner: Shape | undefined;
    if (shape?.is === "struct") inner = element.startsWith("f:") ? shape.fields.get(element.slice(2)) : undefined;
    else if (shape !== undefined && shape.is !== "scalar") inner = shape.item;
    const isAtomic = inner?.is === "list" ? inner.how === "atomic" : inner?.is !== "scalar" && inner?.isAtomic === true;
    fit.set(element, isAtomic ? LEAF : { isMember: node.isMember, children: reconciled(inner, node.children) });
  }
  return fit;
}
