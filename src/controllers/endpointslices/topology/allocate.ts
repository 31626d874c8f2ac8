/** CTL-072: the most that an endpoint may get beyond its share. */
const OVERLOAD = 0.2;

/** How many endpoints a zone should have: its exact share, and the least that keeps each within the overload allowed. */
export interface Allocation {
  readonly desired: number;
  readonly least: number;
}

/** CTL-072: the allocation of each zone, or undefined when there are too few endpoints to keep all zones within bounds. */
export function allocate(
  shares: ReadonlyMap<string, number>,
  endpoints: number,
): ReadonlyMap<string, Allocation> | undefined {
  const allocations = new Map<string, Allocation>();
  let left = endpoints;
  for (const [zone, share] of shares) {
    const exact = share * endpoints;
    const least = Math.ceil(exact / (1 + OVERLOAD));
    allocations.set(zone, { desired: Math.max(exact, least), least });
    left -= least;
  }
  return left < 0 ? undefined : allocations;
}

/** From one zone to another, so many endpoints. */
export interface Move {
  readonly from: string;
  readonly to: string;
}

const greatest = (zones: ReadonlyMap<string, number>): readonly [zone: string, number: number] | undefined => {
  let found: readonly [string, number] | undefined;
  for (const entry of zones) if (found === undefined || entry[1] > found[1]) found = entry;
  return found;
};

/**
 * CTL-073: which zones give endpoints to which, one by one, when each has `held` of them now. As few as bring each zone near
 * its share, at least to its least; what a zone without a share holds goes away altogether.
 */
export function moves(allocations: ReadonlyMap<string, Allocation>, held: ReadonlyMap<string, number>): Move[] {
  const made: Move[] = [];
  const missing = new Map<string, number>();
  for (const [zone, { desired }] of allocations) missing.set(zone, desired - (held.get(zone) ?? 0));
  const shift = (from: string, to: string): void => {
    made.push({ from, to });
    if (missing.has(from)) missing.set(from, missing.get(from)! + 1);
    missing.set(to, missing.get(to)! - 1);
  };
  for (const [zone, count] of held) {
    if (allocations.has(zone)) continue;
    for (let moved = 0; moved < count; moved += 1) shift(zone, greatest(missing)![0]);
  }
  const surplus = (): readonly [string, number] =>
    greatest(new Map([...missing].map(([zone, number]) => [zone, -number])))!;
  for (;;) {
    const [to, wanted] = greatest(missing)!;
    const [from, spare] = surplus();
    // Less than a half either way is as near as whole endpoints come.
    if ((wanted < 1 && spare < 1) || wanted < 0.5 || spare < 0.5) break;
    shift(from, to);
  }
  const beyondLeast = (zone: string): number => {
    const { desired, least } = allocations.get(zone)!;
    return desired - missing.get(zone)! - least;
  };
  for (const zone of allocations.keys()) {
    while (beyondLeast(zone) < -1e-9) {
      const others = new Map(
        [...allocations.keys()].filter((other) => other !== zone).map((other) => [other, beyondLeast(other)]),
      );
      const [from] = greatest(others)!;
      shift(from, zone);
    }
  }
  return made;
}
