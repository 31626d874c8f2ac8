import type { Clock } from "../../observe/clock.ts";

/** Milliseconds of rest that may be owed before there is one. */
const GRACE = 100;
/** Services remembered; what is forgotten is worked on at once. */
const REMEMBERED = 4096;

/**
 * How long a Service's endpoints rest after work on them. Each write is sent whole to every reader, so when many pods turn
 * ready together, a write for each would cost the square of their number. So work is paid for with rest, and the more was
 * written, the longer. A little is on credit: changes that come one by one never wait.
 */
export interface Rests {
  /** Work has been done that is worth so many milliseconds of rest. */
  spend(key: string, milliseconds: number): void;
  /** Milliseconds until the next work; 0 when there is no rest. */
  left(key: string): number;
}

/** `most`: milliseconds of the longest rest. */
export function createRests(clock: Clock, most: number): Rests {
  /** When all that was spent has been rested for. */
  const until = new Map<string, number>();
  const owed = (key: string): number => Math.min(most + GRACE, Math.max(0, (until.get(key) ?? 0) - clock.now()));
  return {
    spend(key, milliseconds) {
      const total = Math.min(most + GRACE, owed(key) + milliseconds);
      until.delete(key);
      if (total > 0) until.set(key, clock.now() + total);
      if (until.size > REMEMBERED) until.delete(until.keys().next().value!);
    },
    left: (key) => Math.max(0, owed(key) - GRACE),
  };
}
