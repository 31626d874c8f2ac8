import type { Clock } from "../../observe/clock.ts";

/** Milliseconds of rest for each pod that was written, and at most. */
const EACH = 1;
const MOST = 200;
/** Services remembered; what is forgotten is written at once. */
const REMEMBERED = 4096;

/**
 * How long a Service's endpoints rest after a write. All of them are sent to every reader with each write, so when many
 * pods turn ready together, one write for each would cost the square of their number. The first change after a quiet time never waits.
 */
export interface Rests {
  begin(key: string, pods: number): void;
  /** Milliseconds until the next write; 0 when there is no rest. */
  left(key: string): number;
}

export function createRests(clock: Clock): Rests {
  const until = new Map<string, number>();
  return {
    begin(key, pods) {
      until.delete(key);
      until.set(key, clock.now() + Math.min(MOST, pods * EACH));
      if (until.size > REMEMBERED) until.delete(until.keys().next().value!);
    },
    left: (key) => Math.min(MOST, Math.max(0, (until.get(key) ?? 0) - clock.now())),
  };
}
