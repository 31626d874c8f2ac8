/** What became of a batch. */
export interface Attempts<R> {
  readonly done: readonly R[];
  /** The first failure; what came after its round was not tried. */
  readonly error: unknown;
}

/**
 * Does `act` for the items in rounds of 1, 2, 4, … at a time, and stops after the first round that has a failure: what is
 * refused once (a quota, an ending namespace) would be refused five hundred times.
 */
export async function slowStart<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<Attempts<R>> {
  const done: R[] = [];
  for (let at = 0, size = 1; at < items.length; at += size, size *= 2) {
    const round = await Promise.allSettled(items.slice(at, at + size).map(act));
    for (const outcome of round) if (outcome.status === "fulfilled") done.push(outcome.value);
    const failed = round.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) return { done, error: failed.reason };
  }
  return { done, error: undefined };
}

/** Does `act` for all items at once; the connections to the server bound how many are under way. */
export async function atOnce<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<Attempts<R>> {
  const outcomes = await Promise.allSettled(items.map(act));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  return {
    done: outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : [])),
    error: failed?.reason,
  };
}
