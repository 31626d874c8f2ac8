import { elementsOf, isObject } from "./element.ts";
import { LEAF, type FieldNode, type FieldSet } from "./field-set.ts";
import { fieldElement } from "./path-element.ts";
import type { Shape, StructShape } from "./shape.ts";

const NOTHING: FieldNode = { isMember: false, children: new Map() };

function nodeOf(shape: Shape, value: unknown): FieldNode {
  if (shape.is === "scalar") return LEAF;
  const children = new Map<string, FieldNode>();
  if (shape.is === "list") {
    if (shape.how === "atomic") return LEAF;
    if (!Array.isArray(value)) return NOTHING;
    for (const [element, items] of elementsOf(shape, value)) {
      children.set(
        element,
        items.length > 1 ? LEAF : { isMember: true, children: nodeOf(shape.item, items[0]).children },
      );
    }
    return { isMember: false, children };
  }
  if (shape.isAtomic) return LEAF;
  if (!isObject(value)) return NOTHING;
  for (const [field, held] of Object.entries(value)) {
    const inner = shape.is === "map" ? shape.item : shape.fields.get(field);
    if (inner === undefined || held === undefined) continue;
    const below = nodeOf(inner, held);
    const isBare = held === null || (isObject(held) && Object.keys(held).length === 0);
    const isMember = below.isMember || isBare || shape.is === "map";
    if (isMember || below.children.size > 0) children.set(fieldElement(field), { isMember, children: below.children });
  }
  return { isMember: false, children };
}

/**
 * The fields that an object names: leaves, elements of lists, keys of maps, and what is said to be null or empty. Structs and maps around
 * them are not in the set.
 */
export const extract = (shape: StructShape, object: object): FieldSet => nodeOf(shape, object).children;
