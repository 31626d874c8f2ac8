import { isDeepStrictEqual } from "node:util";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Puts a merged list into the order that `$setElementOrder` asks for. Items it does not name, which somebody else added, keep their
 * place among each other, and before a named item that followed them.
 */
export function inElementOrder(
  list: readonly unknown[],
  order: readonly unknown[],
  before: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const nameOf = (item: unknown): unknown => (mergeKey !== undefined && isObject(item) ? item[mergeKey] : item);
  const names = order.map(nameOf);
  const positions = before.map(nameOf);
  const indexIn = (where: readonly unknown[], item: unknown): number =>
    where.findIndex((name) => isDeepStrictEqual(name, nameOf(item)));
  const named = list.filter((item) => indexIn(names, item) >= 0);
  named.sort((a, b) => indexIn(names, a) - indexIn(names, b));
  const others = list.filter((item) => indexIn(names, item) < 0);
  const ordered: unknown[] = [];
  for (const item of named) {
    const at = indexIn(positions, item);
    // An item that is new has no place the others could stand before.
    const following = others.findIndex((other) => indexIn(positions, other) >= at);
    ordered.push(...others.splice(0, at < 0 ? 0 : following < 0 ? others.length : following));
    ordered.push(item);
  }
  return [...ordered, ...others];
}
