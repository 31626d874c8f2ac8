/** Bounds of a delay that doubles with each failure, in milliseconds. */
export interface BackoffBounds {
  readonly least: number;
  readonly most: number;
}

/**
 * How long to wait after the `failures`-th failure in a row (1 is the first): doubling from `least`, never above `most`,
 * with the upper half left to chance so that many clients of one server do not come back at once.
 */
export function backoff({ least, most }: BackoffBounds, failures: number, random: () => number): number {
  const full = Math.min(most, least * 2 ** Math.min(failures - 1, 30));
  return Math.round(full / 2 + (full / 2) * random());
}
