import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "./clock.ts";
import { tidyAfterStart } from "./tidy.ts";

/** A clock that stands still until it is told to go on. */
function handClock() {
  let now = 0;
  const timers: { at: number; callback: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    after(milliseconds, callback) {
      timers.push({ at: now + milliseconds, callback });
      return () => {};
    },
  };
  return {
    clock,
    go(this: void, to: number): void {
      for (;;) {
        timers.sort((one, other) => one.at - other.at);
        if (timers[0] === undefined || timers[0].at > to) break;
        const { at, callback } = timers.shift()!;
        now = at;
        callback();
      }
      now = to;
    },
  };
}

void test("a thread at rest is tidied two and ten seconds after its start", () => {
  const { clock, go } = handClock();
  const collected: number[] = [];
  tidyAfterStart(clock, { work: () => () => 0.001, collect: () => void collected.push(clock.now()) });
  go(3_600_000);
  assert.deepEqual(collected, [2_000, 10_000]);
});

void test("a thread at work is tidied when it comes to rest, and one that never does is left alone in the end", () => {
  const { clock, go } = handClock();
  const collected: number[] = [];
  const work = () => () => (clock.now() < 25_000 ? 0.5 : 0);
  tidyAfterStart(clock, { work, collect: () => void collected.push(clock.now()) });
  go(3_600_000);
  assert.deepEqual(collected, [30_000, 32_000]);

  const busy = handClock();
  let looks = 0;
  const share = (): number => {
    looks += 1;
    return 0.9;
  };
  tidyAfterStart(busy.clock, { work: () => share, collect: () => assert.fail("it was stopped") });
  busy.go(36_000_000);
  assert.equal(looks, 62);
});
