/**
 * Whether two pieces of data say the same: plans, parts of plans, objects. They are data alone, without cycles or classes but Map
 * and Set; keys of maps and members of sets are primitive.
 */
export function sameData(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((part, at) => sameData(part, other[at]));
  }
  if (one instanceof Set || other instanceof Set) {
    return one instanceof Set && other instanceof Set && one.size === other.size && one.isSubsetOf(other);
  }
  if (one instanceof Map || other instanceof Map) {
    if (!(one instanceof Map) || !(other instanceof Map) || one.size !== other.size) return false;
    for (const [key, part] of one) if (!other.has(key) || !sameData(part, other.get(key))) return false;
    return true;
  }
  const parts = one as Readonly<Record<string, unknown>>;
  const others = other as Readonly<Record<string, unknown>>;
  let count = 0;
  for (const key in parts) {
    if (!sameData(parts[key], others[key]) || (parts[key] === undefined && !(key in others))) return false;
    count += 1;
  }
  for (const _ in others) count -= 1;
  return count === 0;
}
