import type { Candidate, Candidates, May } from "../candidate.ts";

/** Draws before it is given up to find a second one that may. */
const DRAWS = 6;

/**
 * The better of two (Mitzenmacher, "The Power of Two Choices"): of the one whose turn it is, and one by lot and weight. With nothing between
 * them it is turn after turn; nobody ever gets much more than twice its share, so that a new endpoint is not overrun.
 */
export function betterOfTwo(
  { all, turns, random }: Candidates,
  may: May,
  isBetter: (second: Candidate, first: Candidate) => boolean,
): Candidate | undefined {
  const first = turns.next(may);
  if (first === undefined || all.length === 1) return first;
  const heavy = first.endpoint.weight;
  for (let draw = 0; draw < DRAWS; draw++) {
    const second = all[Math.floor(random() * all.length)]!;
    if (second === first || !may(second)) continue;
    // A light one stands against a heavy one as seldom as its weight says.
    const isDrawn = second.endpoint.weight >= heavy || random() * heavy < second.endpoint.weight;
    return isDrawn && isBetter(second, first) ? second : first;
  }
  return first;
}
