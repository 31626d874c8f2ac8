import { elementOf, fieldOf, isObject } from "./element.ts";
import type { PathElement } from "./path-element.ts";
import type { ListShape, Shape, StructShape } from "./shape.ts";

const sizeOf = (value: unknown): number =>
  Array.isArray(value) ? value.length : isObject(value) ? Object.keys(value).length : 0;

const elements = (shape: ListShape, list: readonly unknown[]): PathElement[] =>
  list.map((item) => elementOf(shape, item));

/** Elements with their values; null for those that stand more than once, which are not merged with anything. */
function byElement(names: readonly PathElement[], list: readonly unknown[]): Map<PathElement, unknown> {
  const values = new Map<PathElement, unknown>();
  for (const [index, name] of names.entries()) values.set(name, values.has(name) ? null : list[index]);
  return values;
}

/**
 * Merges two lists element by element. Elements that only the live list has stay before the shared element they stood before; the applied
 * list's elements stand in its own order.
 */
function mergeLists(shape: ListShape, live: readonly unknown[], applied: readonly unknown[]): unknown[] {
  const liveNames = elements(shape, live);
  const appliedNames = elements(shape, applied);
  const liveValues = byElement(liveNames, live);
  const appliedValues = byElement(appliedNames, applied);
  const shared = appliedNames.filter((name) => liveValues.has(name));
  const merged: unknown[] = [];
  const placed = new Set<PathElement>();
  const take = (name: PathElement, from: unknown): void => {
    const value = mergeValues(shape.item, from, appliedValues.get(name));
    if (value !== undefined) merged.push(value);
  };
  let at = 0;
  let next = 0;
  while (at < live.length || next < applied.length) {
    const [liveName, name] = [liveNames[at], appliedNames[next]];
    const isShared = liveName !== undefined && appliedValues.has(liveName);
    if (isShared && liveName !== name && name !== undefined && shared.length > 0 && liveName !== shared[0]) {
      // The applied list has it at another place.
      at += 1;
      continue;
    }
    if (liveName !== undefined && !isShared) {
      take(liveName, live[at]);
      at += 1;
      continue;
    }
    if (liveName !== undefined && (liveName === name || placed.has(liveName))) at += 1;
    if (name === undefined) continue;
    take(name, liveValues.get(name));
    placed.add(name);
    if (shared[0] === name) shared.shift();
    next += 1;
  }
  return merged;
}

function mergeValues(shape: Shape, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live;
  if (shape.is === "scalar" || (sizeOf(live) === 0 && sizeOf(applied) === 0)) return applied;
  if (shape.is === "list") {
    if (shape.how === "atomic") return applied;
    return mergeLists(shape, Array.isArray(live) ? live : [], Array.isArray(applied) ? applied : []);
  }
  if (shape.isAtomic) return applied;
  return mergeFields(shape, isObject(live) ? live : {}, isObject(applied) ? applied : {});
}

function mergeFields(
  shape: StructShape | (Shape & { is: "map" }),
  live: Record<string, unknown>,
  applied: Record<string, unknown>,
): Record<string, unknown> {
  const merged = { ...live };
  for (const [field, value] of Object.entries(applied)) {
    const inner = shape.is === "map" ? shape.item : shape.fields.get(field);
    if (inner === undefined) continue;
    const next = mergeValues(inner, fieldOf(live, field), value);
    if (next !== undefined) merged[field] = next;
  }
  return merged;
}

/**
 * The live object with all that the applied one names. Nothing is taken away; null stands where the applied object says null for something that
 * is no granular map or list. Nothing given is changed.
 */
export const merge = (shape: StructShape, live: object, applied: object): Record<string, unknown> =>
  mergeFields(shape, live as Record<string, unknown>, applied as Record<string, unknown>);
