const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a list's element is known by: the value of its merge key, or the element itself. Equal names have equal text. */
export const elementName = (item: unknown, mergeKey: string | undefined): string =>
  JSON.stringify(mergeKey !== undefined && isObject(item) ? (item[mergeKey] ?? null) : item) ?? "null";

function placesOf(list: readonly unknown[], mergeKey: string | undefined): Map<string, number> {
  const places = new Map<string, number>();
  for (const [index, item] of list.entries()) {
    const name = elementName(item, mergeKey);
    if (!places.has(name)) places.set(name, index);
  }
  return places;
}

/**
 * Puts a merged list into the order of a patch. Items that the patch does not name keep their place among each other, and before a named
 * item that followed them in the list as it was before.
 */
export function inElementOrder(
  list: readonly unknown[],
  order: readonly unknown[],
  before: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const wanted = placesOf(order, mergeKey);
  const were = placesOf(before, mergeKey);
  const nameOf = (item: unknown): string => elementName(item, mergeKey);
  const named = list.filter((item) => wanted.has(nameOf(item)));
  named.sort((one, other) => wanted.get(nameOf(one))! - wanted.get(nameOf(other))!);
  const others = list.filter((item) => !wanted.has(nameOf(item)));
  const placeOf = (item: unknown): number => were.get(nameOf(item)) ?? Infinity;
  // Items of one name come together, as upstream has it: they have the place of the first.
  others.sort((one, other) => (placeOf(one) === placeOf(other) ? 0 : placeOf(one) - placeOf(other)));
  const ordered: unknown[] = [];
  const waiting = others.values();
  let next = waiting.next();
  for (const item of named) {
    const place = were.get(nameOf(item));
    // An item that is new has no place that others could have stood before.
    const isBefore = (other: unknown): boolean => place !== undefined && placeOf(other) < place;
    for (; next.done !== true && isBefore(next.value); next = waiting.next()) ordered.push(next.value);
    ordered.push(item);
  }
  for (; next.done !== true; next = waiting.next()) ordered.push(next.value);
  return ordered;
}
