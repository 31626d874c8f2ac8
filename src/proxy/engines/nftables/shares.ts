/** The most slots that a list has for the sake of its weights. */
const MAX_SLOTS = 1024;

const gcd = (one: number, other: number): number => (other === 0 ? one : gcd(other, one % other));

/**
 * How many slots of a list each target gets, so that a slot chosen at random chooses by weight. Weights are whole
 * numbers, at least 1. They are reduced by their common divisor; if there are still more than `most` slots, to the
 * nearest that fits. Every target keeps at least one slot, so a list of more targets than that has one for each.
 */
export function slotShares(weights: readonly number[], most = MAX_SLOTS): number[] {
  const first = weights[0] ?? 1;
  if (weights.every((weight) => weight === first)) return weights.map(() => 1);
  const divisor = weights.reduce(gcd);
  const total = weights.reduce((sum, weight) => sum + weight / divisor, 0);
  if (total <= most) return weights.map((weight) => weight / divisor);
  // One each, and of the rest what is still due by weight: whole slots first, then the largest remainders.
  const due = weights.map((weight) => Math.max(0, ((weight / divisor) * most) / total - 1));
  const rest = Math.max(0, most - weights.length);
  const sum = due.reduce((so, one) => so + one, 0);
  const exact = due.map((one) => (sum === 0 ? 0 : (one * rest) / sum));
  const shares = exact.map((one) => 1 + Math.floor(one));
  let left = most - shares.reduce((so, one) => so + one, 0);
  const byRemainder = exact.map((one, at) => ({ at, remainder: one - Math.floor(one) }));
  for (const { at } of byRemainder.toSorted((one, other) => other.remainder - one.remainder)) {
    if (left-- <= 0) break;
    shares[at]! += 1;
  }
  return shares;
}
