import { keyElement, valueElement, type KeyValue, type PathElement } from "./path-element.ts";
import type { ListShape } from "./shape.ts";

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A field's own value; undefined where it is absent, also for `constructor` and its like. */
export const fieldOf = (object: Record<string, unknown>, field: string): unknown =>
  Object.hasOwn(object, field) ? object[field] : undefined;

/** What an element of a list that is no atomic one is known by. @throws TypeError in words for a person, where it cannot be told */
export function elementOf(shape: ListShape, item: unknown): PathElement {
  if (shape.how === "set") {
    if (item === null || item === undefined)
      throw new TypeError("associative list without keys has an element that's an explicit null");
    if (typeof item === "object") {
      throw new TypeError(
        Array.isArray(item)
          ? "not supported: associative list with lists as elements"
          : "associative list without keys has an element that's a map type",
      );
    }
    return valueElement(item);
  }
  if (!isObject(item)) {
    throw new TypeError(
      `associative list with keys may not have ${item === null || item === undefined ? "a null element" : "non-map elements"}`,
    );
  }
  const values: KeyValue[] = [];
  for (const { name, missing } of shape.keys) {
    const value = fieldOf(item, name) ?? (Object.hasOwn(item, name) ? null : missing);
    if (value !== undefined) values.push([name, value]);
  }
  if (values.length === 0) {
    const keys = shape.keys.map(({ name }) => JSON.stringify(name)).join(" ");
    throw new TypeError(
      `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`,
    );
  }
  return keyElement(values);
}

/** The elements of a list by what they are known by, in the order in which each is first met. More than one value means duplicates. */
export function elementsOf(shape: ListShape, list: readonly unknown[]): Map<PathElement, unknown[]> {
  const elements = new Map<PathElement, unknown[]>();
  for (const item of list) {
    const element = elementOf(shape, item);
    const met = elements.get(element);
    if (met === undefined) elements.set(element, [item]);
    else met.push(item);
  }
  return elements;
}
