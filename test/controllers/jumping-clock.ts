import type { Clock } from "../../src/observe/clock.ts";

export interface JumpingClock extends Clock {
  /** It is so many milliseconds later at once; what was to happen until then happens. */
  jump(milliseconds: number): void;
}

/** The time of day, and more whenever a test cannot wait for it. */
export function jumpingClock(): JumpingClock {
  let ahead = 0;
  const waiting = new Set<{ at: number; call: () => void; cancel: () => void }>();
  const now = (): number => Date.now() + ahead;
  return {
    now,
    after(milliseconds, callback) {
      const call = (): void => {
        cancel();
        callback();
      };
      const timer = setTimeout(call, milliseconds);
      timer.unref();
      const entry = { at: now() + milliseconds, call, cancel };
      function cancel(): void {
        clearTimeout(timer);
        waiting.delete(entry);
      }
      waiting.add(entry);
      return cancel;
    },
    jump(milliseconds) {
      ahead += milliseconds;
      for (const { call } of Array.from(waiting)
        .filter(({ at }) => at <= now())
        .sort((a, b) => a.at - b.at))
        call();
    },
  };
}
