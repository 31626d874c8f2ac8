import type { Clock } from "../../observe/clock.ts";

/** Milliseconds of the first wait, and of the longest. */
const LEAST = 1000;
const MOST = 15 * 60_000;

/**
 * How long a node's failed pod is left lying before it is replaced: 1 s at first, twice as long each time, forgotten after twice
 * the longest wait. What a node refuses again and again must not be made again and again. Kept in memory: after a restart the
 * first failure counts as one.
 */
export interface Failures {
  /** Milliseconds left. */
  wait(key: string): number;
  note(key: string): void;
}

export function createFailures(clock: Clock): Failures {
  const held = new Map<string, { at: number; pause: number }>();
  const current = (key: string): { at: number; pause: number } | undefined => {
    const entry = held.get(key);
    if (entry === undefined || clock.now() - entry.at <= 2 * MOST) return entry;
    held.delete(key);
    return undefined;
  };
  return {
    wait(key) {
      const entry = current(key);
      return entry === undefined ? 0 : Math.max(0, entry.at + entry.pause - clock.now());
    },
    note(key) {
      const pause = Math.min(MOST, (current(key)?.pause ?? LEAST / 2) * 2);
      held.delete(key);
      held.set(key, { at: clock.now(), pause });
      for (const old of Array.from(held.keys())) {
        if (current(old) !== undefined) break;
      }
    },
  };
}
