/** Whether two plans, or parts of plans, say the same. They are data alone: no cycles, no classes. */
export function samePlan(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((part, at) => samePlan(part, other[at]));
  }
  const parts = one as Readonly<Record<string, unknown>>;
  const others = other as Readonly<Record<string, unknown>>;
  let count = 0;
  for (const key in parts) {
    if (!samePlan(parts[key], others[key]) || (parts[key] === undefined && !(key in others))) return false;
    count += 1;
  }
  for (const _ in others) count -= 1;
  return count === 0;
}
