import type { Pod } from "../../api/generated/types.ts";
import { finishedAt } from "./finished.ts";

/** Milliseconds to wait after one failure, and at most. */
const LEAST = 10_000;
const MOST = 10 * 60_000;

/**
 * Failures of a Job since its last success. Kept in memory, as upstream does: after a restart the first new pod does not wait.
 * What counts against `backoffLimit` is in the status, and is not forgotten.
 */
export interface Failures {
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly last: number;
}

export const NO_FAILURES: Failures = { count: 0, last: 0 };

/** The failures when these pods, not counted before, have ended. */
export function withEnded(before: Failures, succeeded: readonly Pod[], failed: readonly Pod[]): Failures {
  const ends = failed.map(finishedAt);
  if (succeeded.length === 0) {
    return ends.length === 0 ? before : { count: before.count + ends.length, last: Math.max(...ends) };
  }
  const lastSuccess = Math.max(...succeeded.map(finishedAt));
  const after = ends.filter((end) => end > lastSuccess);
  return after.length === 0 ? NO_FAILURES : { count: after.length, last: Math.max(...after) };
}

/** Milliseconds until the next pod may be made: 10 s after the first failure, twice as long with each, never more than 10 minutes. */
export function waitAfter({ count, last }: Failures, now: number): number {
  if (count === 0) return 0;
  return Math.max(0, last + Math.min(MOST, LEAST * 2 ** Math.min(count - 1, 30)) - now);
}
