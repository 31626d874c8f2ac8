import { equal } from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../observe/clock.ts";
import { untilAccepted } from "./accepted.ts";

/** Waits, by a clock that jumps to whatever is waited for; answers how long it was, in milliseconds. */
async function waited(waiting: (at: number) => number): Promise<number> {
  let now = 0;
  const clock: Clock = {
    now: () => now,
    after(milliseconds, act) {
      now += milliseconds;
      queueMicrotask(act);
      return () => {};
    },
  };
  const { signal } = new AbortController();
  await untilAccepted(async () => waiting(now), { clock, signal, patience: 1_000 });
  return now;
}

test("a program that accepts, however slowly, is waited for until nothing waits", async () => {
  equal(await waited((at) => Math.max(0, 10 - Math.floor(at / 900))), 9_000);
});

test("one that accepts nothing is not waited for longer than the patience lasts", async () => {
  equal(await waited(() => 7), 1_000);
});

test("nothing waits where nothing is waiting", async () => {
  equal(await waited(() => 0), 0);
});
