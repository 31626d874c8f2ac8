import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../observe/clock.ts";
import { silentLog } from "../../observe/log.ts";
import { startRounds } from "./rounds.ts";

/** A clock that goes on when it is told to, and lets what it calls come to an end. */
function steppedClock(): Clock & { step(milliseconds: number): Promise<void> } {
  let now = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    now: () => now,
    after(milliseconds, callback) {
      const timer = { at: now + milliseconds, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async step(milliseconds) {
      const end = now + milliseconds;
      await settle();
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
        if (next === undefined) break;
        timers.delete(next);
        now = next.at;
        next.callback();
        await settle();
      }
      now = end;
    },
  };
}

void test("startRounds: the first after its time, the next after the end of the one before", async () => {
  const clock = steppedClock();
  const at: number[] = [];
  const rounds = startRounds({
    clock,
    log: silentLog,
    what: "x",
    firstMs: 1000,
    everyMs: 5000,
    work: async () => void at.push(clock.now()),
  });
  await clock.step(12_000);
  assert.deepEqual(at, [1000, 6000, 11_000]);
  await rounds.stop();
  await clock.step(60_000);
  assert.equal(at.length, 3);
});

void test("startRounds: soon is now, but a storm of calls makes few rounds, and the last call is never lost", async () => {
  const clock = steppedClock();
  const at: number[] = [];
  const rounds = startRounds({
    clock,
    log: silentLog,
    what: "x",
    firstMs: 60_000,
    everyMs: 60_000,
    work: async () => void at.push(clock.now()),
  });
  rounds.soon();
  for (let time = 0; time < 1000; time += 10) {
    await clock.step(10);
    rounds.soon();
  }
  await clock.step(1000);
  assert.deepEqual(at, [0, 200, 400, 600, 800, 1000, 1200]);
  await rounds.stop();
});

void test("startRounds: one at a time; a round that fails is told of and followed by others", async () => {
  const clock = steppedClock();
  const told: string[] = [];
  let release = (): void => {};
  let running = 0;
  let most = 0;
  const rounds = startRounds({
    clock,
    log: { ...silentLog, warn: (facts, message) => told.push(`${message} ${JSON.stringify(facts)}`) },
    what: "the roof",
    firstMs: 0,
    everyMs: 1000,
    work: async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => (release = resolve));
      running--;
      throw new Error("it leaks");
    },
  });
  rounds.soon();
  await clock.step(5000);
  assert.deepEqual([running, most], [1, 1]);
  release();
  await clock.step(200);
  assert.equal(running, 1, "the round that was asked for meanwhile");
  assert.deepEqual(told, ['the roof: a round failed {"error":"it leaks"}']);
  const stopped = rounds.stop();
  release();
  await stopped;
});
