/** What a client has asked for beyond its rate, by its key. The one that asked longest ago is first, and forgotten first. */
interface Level {
  /** Requests. */
  excess: number;
  /** Milliseconds. */
  at: number;
}

/**
 * A leaky bucket for each key, as nginx's `limit_req` with `nodelay`: what comes is counted, and what was counted runs out at the
 * rate; who has more than `burst` is over it. Being refused costs nothing.
 */
export interface LeakyBuckets {
  /** Whether one more would fit. Nothing is counted. */
  fits(key: string, now: number): boolean;
  count(key: string, now: number): void;
  readonly size: number;
}

/** `perSecond` may be a fraction. At most `capacity` keys are remembered. */
export function createLeakyBuckets(perSecond: number, burst: number, capacity: number): LeakyBuckets {
  const levels = new Map<string, Level>();
  const perMillisecond = perSecond / 1000;
  const excessOf = (level: Level, now: number): number =>
    Math.max(0, level.excess - Math.max(0, now - level.at) * perMillisecond + 1);
  /** Some that have run out, and what is too much. */
  const forget = (now: number): void => {
    let left = 2;
    for (const [key, level] of levels) {
      if (levels.size <= capacity && (left === 0 || level.excess + 1 > (now - level.at) * perMillisecond)) return;
      levels.delete(key);
      left -= 1;
    }
  };
  return {
    fits(key, now) {
      const level = levels.get(key);
      return level === undefined || excessOf(level, now) <= burst;
    },
    count(key, now) {
      const level = levels.get(key);
      if (level === undefined) {
        levels.set(key, { excess: 0, at: now });
      } else {
        level.excess = excessOf(level, now);
        level.at = Math.max(level.at, now);
        levels.delete(key);
        levels.set(key, level);
      }
      forget(now);
    },
    get size() {
      return levels.size;
    },
  };
}
