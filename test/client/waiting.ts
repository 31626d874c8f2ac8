import assert from "node:assert/strict";
import type { Clock } from "../../src/observe/clock.ts";

/** Waits for an effect; fails after 10 s with what was awaited. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > deadline) assert.fail(`waited 10 s in vain for: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A clock whose timers fire in the next turn, however long they are; it remembers what was asked for. */
export function eagerClock(): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  let now = 1_700_000_000_000;
  return {
    waits,
    now: () => now,
    after(milliseconds, callback) {
      waits.push(milliseconds);
      const immediate = setImmediate(() => {
        now += milliseconds;
        callback();
      });
      return () => clearImmediate(immediate);
    },
  };
}

/** A clock that stands still until it is told to go on. */
export function manualClock(): Clock & { advance(milliseconds: number): void } {
  let now = 1_700_000_000_000;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => now,
    after(milliseconds, callback) {
      const timer = { at: now + milliseconds, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.callback();
      }
      now = end;
    },
  };
}
