/** Whether two JSON values say the same; the order of an object's keys does not matter, absent and undefined are one. */
export function sameJson(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, index) => sameJson(item, other[index]));
  }
  const left = one as Record<string, unknown>;
  const right = other as Record<string, unknown>;
  const defined = (object: Record<string, unknown>): number =>
    Object.values(object).reduce<number>((count, value) => (value === undefined ? count : count + 1), 0);
  if (defined(left) !== defined(right)) return false;
  return Object.entries(left).every(
    ([key, value]) => value === undefined || (Object.hasOwn(right, key) && sameJson(value, right[key])),
  );
}

/** How many bytes a base64 text stands for. */
export function base64Bytes(text: string): number {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return Math.floor(text.length / 4) * 3 - padding;
}
