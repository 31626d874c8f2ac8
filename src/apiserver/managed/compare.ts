import { isDeepStrictEqual } from "node:util";
import { elementsOf, fieldOf, isObject } from "./element.ts";
import { LEAF, type FieldNode, type FieldSet } from "./field-set.ts";
import { fieldElement, type PathElement } from "./path-element.ts";
import type { ListShape, Shape, StructShape } from "./shape.ts";

/** How an object differs from the one before. No field is in two of the sets. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

type Nodes = Map<PathElement, FieldNode>;

interface Found {
  readonly added: Nodes;
  readonly modified: Nodes;
  readonly removed: Nodes;
}

const found = (): Found => ({ added: new Map(), modified: new Map(), removed: new Map() });

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) ? value.length === 0 : typeof value === "object" && Object.keys(value).length === 0);

/** The fields of a struct or map with what is written for those that nobody set. */
function* entriesOf(
  shape: StructShape | (Shape & { is: "map" }),
  value: Record<string, unknown>,
): Generator<readonly [field: string, shape: Shape, value: unknown]> {
  for (const field of Object.keys(value)) {
    if (value[field] === undefined) continue;
    const inner = shape.is === "map" ? shape.item : shape.fields.get(field);
    if (inner !== undefined) yield [field, inner, value[field]];
  }
  if (shape.is === "map") return;
  for (const [field, zero] of shape.always) {
    if (fieldOf(value, field) === undefined) yield [field, shape.fields.get(field)!, zero];
  }
}

/** Everything at and below a value that is there on one side only. */
function whole(shape: Shape, value: unknown): FieldNode {
  if (shape.is === "scalar") return LEAF;
  if (shape.is === "list") {
    if (shape.how === "atomic" || !Array.isArray(value) || value.length === 0) return LEAF;
    const children: Nodes = new Map();
    for (const [element, items] of elementsOf(shape, value)) {
      children.set(element, items.length > 1 ? LEAF : whole(shape.item, items[0]));
    }
    return { isMember: true, children };
  }
  if (shape.isAtomic || !isObject(value)) return LEAF;
  const children: Nodes = new Map();
  for (const [field, inner, held] of entriesOf(shape, value)) children.set(fieldElement(field), whole(inner, held));
  return children.size === 0 ? LEAF : { isMember: true, children };
}

function compareLists(shape: ListShape, old: readonly unknown[], next: readonly unknown[], into: Found): void {
  const before = elementsOf(shape, old);
  const after = elementsOf(shape, next);
  for (const element of new Set([...before.keys(), ...after.keys()])) {
    const were = before.get(element) ?? [];
    const are = after.get(element) ?? [];
    if (were.length <= 1 && are.length <= 1) compareValues(shape.item, were[0], are[0], element, into);
    else if (were.length > 1 && are.length > 1) {
      // Duplicates have one owner together.
      if (!isDeepStrictEqual(were, are)) into.modified.set(element, LEAF);
    } else if (were.length > 1) {
      into.removed.set(element, LEAF);
      if (are.length === 1) compareValues(shape.item, undefined, are[0], element, into);
    } else {
      if (were.length === 1) compareValues(shape.item, were[0], undefined, element, into);
      into.added.set(element, LEAF);
    }
  }
}

function compareFields(
  shape: StructShape | (Shape & { is: "map" }),
  old: Record<string, unknown>,
  next: Record<string, unknown>,
  into: Found,
): void {
  for (const [field, inner, value] of entriesOf(shape, next)) {
    const zero = shape.is === "struct" ? shape.always.find(([name]) => name === field)?.[1] : undefined;
    compareValues(inner, fieldOf(old, field) ?? zero, value, fieldElement(field), into);
  }
  for (const [field, inner, value] of entriesOf(shape, old)) {
    const isHandled =
      fieldOf(next, field) !== undefined || (shape.is === "struct" && shape.always.some(([name]) => name === field));
    if (!isHandled) compareValues(inner, value, undefined, fieldElement(field), into);
  }
}

/** Compares what is under one path element; undefined is absent. */
function compareValues(shape: Shape, old: unknown, next: unknown, element: PathElement, into: Found): void {
  if (old === next) return;
  if (old === undefined) return void into.added.set(element, whole(shape, next));
  if (next === undefined) return void into.removed.set(element, whole(shape, old));
  const isLeaf =
    shape.is === "scalar" ||
    (shape.is === "list" ? shape.how === "atomic" : shape.isAtomic) ||
    (isEmpty(old) && isEmpty(next));
  if (isLeaf) {
    if (!isDeepStrictEqual(old, next)) into.modified.set(element, LEAF);
    return;
  }
  const below = found();
  if (shape.is === "list") {
    compareLists(shape, Array.isArray(old) ? old : [], Array.isArray(next) ? next : [], below);
  } else compareFields(shape, isObject(old) ? old : {}, isObject(next) ? next : {}, below);
  for (const how of ["added", "modified", "removed"] as const) {
    if (below[how].size > 0) into[how].set(element, { isMember: false, children: below[how] });
  }
}

/** Compares two objects of a type, field by field as they are owned. */
export function compare(shape: StructShape, old: object, next: object): Comparison {
  const into = found();
  compareFields(shape, old as Record<string, unknown>, next as Record<string, unknown>, into);
  return into;
}
