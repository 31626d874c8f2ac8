/** The counts of `n` trials of probability `p` that are seen in all but one of a thousand samples: the middle 99.9 % of the binomial. */
export function usualCounts(n: number, p: number): { readonly least: number; readonly most: number } {
  let below = 0;
  let least: number | undefined;
  let log = n * Math.log(1 - p); // of the probability of no success at all
  for (let k = 0; k <= n; k++) {
    below += Math.exp(log);
    if (least === undefined && below > 0.0005) least = k;
    if (below >= 0.9995) return { least: least ?? k, most: k };
    log += Math.log(((n - k) / (k + 1)) * (p / (1 - p)));
  }
  return { least: least ?? n, most: n };
}

/** What of a sample is outside of what is usual for the shares that are due. */
export function unusual(seen: ReadonlyMap<string, number>, shares: Readonly<Record<string, number>>): string[] {
  const n = [...seen.values()].reduce((sum, count) => sum + count, 0);
  const strangers = [...seen.keys()].filter((key) => !(key in shares)).map((key) => `${key} is not to be seen at all`);
  const off = Object.entries(shares).flatMap(([key, share]) => {
    const { least, most } = usualCounts(n, share);
    const count = seen.get(key) ?? 0;
    return count < least || count > most ? [`${key}: ${count} of ${n}, where ${least} … ${most} are usual`] : [];
  });
  return [...strangers, ...off];
}
