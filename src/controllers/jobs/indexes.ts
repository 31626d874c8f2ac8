/** From the first to the last, both included. */
export interface Interval {
  readonly first: number;
  readonly last: number;
}

/** Completion indexes in ascending intervals that do not touch, so that 100,000 of them are few numbers (KEP-2214). */
export type Indexes = readonly Interval[];

/** The union of intervals, given in any order. */
export function union(...lists: readonly Indexes[]): Indexes {
  const merged: { first: number; last: number }[] = [];
  for (const { first, last } of lists.flat().sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before === undefined || first > before.last + 1) merged.push({ first, last });
    else if (last > before.last) before.last = last;
  }
  return merged;
}

export const indexesOf = (numbers: Iterable<number>): Indexes =>
  union(Array.from(numbers, (number) => ({ first: number, last: number })));

export const countOf = (indexes: Indexes): number =>
  indexes.reduce((sum, { first, last }) => sum + last - first + 1, 0);

export const hasIndex = (indexes: Indexes, index: number): boolean =>
  indexes.some(({ first, last }) => first <= index && index <= last);

/** How many indexes are in both. */
export const countCommon = (a: Indexes, b: Indexes): number =>
  a
    .flatMap((one) => b.map((other) => Math.min(one.last, other.last) - Math.max(one.first, other.first) + 1))
    .reduce((sum, overlap) => sum + Math.max(0, overlap), 0);

/** `1,3-5,7`, as `status.completedIndexes` says it; two neighbours are two numbers. */
export const textOf = (indexes: Indexes): string =>
  indexes
    .map(({ first, last }) => (first === last ? `${first}` : `${first}${last === first + 1 ? "," : "-"}${last}`))
    .join(",");

/** Reads what `textOf` wrote; parts that cannot be read and indexes that the Job does not have are left out. */
export function parseIndexes(text: string | undefined, completions: number): Indexes {
  const parts = (text ?? "").split(",").flatMap((part) => {
    const found = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (found === null) return [];
    const first = Number(found[1]);
    const last = Math.min(Number(found[2] ?? found[1]), completions - 1);
    return first <= last ? [{ first, last }] : [];
  });
  return union(parts);
}

/** The first `count` indexes below `completions` that are not among those taken. */
export function firstFree(taken: Indexes, count: number, completions: number): number[] {
  const free: number[] = [];
  let next = 0;
  for (const { first, last } of [...taken, { first: completions, last: completions }]) {
    for (; next < Math.min(first, completions) && free.length < count; next += 1) free.push(next);
    next = Math.max(next, last + 1);
  }
  return free;
}
