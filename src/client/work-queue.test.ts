import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../observe/clock.ts";
import { silentLog } from "../observe/log.ts";
import type { WorkQueueOptions } from "./work-queue.ts";
import { createWorkQueue } from "./work-queue.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function stillClock(): Clock & { fire(): void; readonly waits: number[] } {
  const timers = new Set<() => void>();
  const waits: number[] = [];
  return {
    waits,
    now: () => 0,
    after(milliseconds, callback) {
      waits.push(milliseconds);
      timers.add(callback);
      return () => timers.delete(callback);
    },
    fire() {
      for (const callback of Array.from(timers)) {
        timers.delete(callback);
        callback();
      }
    },
  };
}

const queueOf = (work: WorkQueueOptions["work"], clock: Clock = stillClock(), concurrency = 2) =>
  createWorkQueue({ concurrency, clock, random: () => 1, log: silentLog, work });

test("keys added together are worked on once each, in order", async () => {
  const worked: string[] = [];
  const queue = queueOf(async (key) => void worked.push(key));
  for (const key of ["a", "b", "a", "a", "c"]) queue.add(key);
  assert.deepEqual(worked, [], "work waits for the end of the turn");
  await queue.idle();
  assert.deepEqual(worked, ["a", "b", "c"]);
});

test("a key added while it is worked on is worked on once more, never twice at a time", async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  let most = 0;
  let now = 0;
  const queue = queueOf(async () => {
    most = Math.max(most, (now += 1));
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    now -= 1;
  });
  queue.add("a");
  await turn();
  queue.add("a");
  queue.add("a");
  await turn();
  assert.equal(gates.length, 1);
  gates[0]!.resolve();
  await turn();
  await turn();
  gates[1]!.resolve();
  await queue.idle();
  assert.deepEqual([gates.length, most], [2, 1]);
});

test("no more keys than the concurrency are worked on at a time", async () => {
  let now = 0;
  let most = 0;
  const queue = queueOf(async () => {
    most = Math.max(most, (now += 1));
    await turn();
    now -= 1;
  });
  for (let key = 0; key < 10; key += 1) queue.add(String(key));
  await queue.idle();
  assert.equal(most, 2);
});

test("a failing key waits ever longer, up to the bound, and starts anew after success; others go on", async () => {
  const clock = stillClock();
  let failing = true;
  const worked: string[] = [];
  const queue = queueOf(async (key) => {
    worked.push(key);
    if (key === "bad" && failing) throw new Error("no");
  }, clock);
  queue.add("bad");
  for (let round = 0; round < 14; round += 1) {
    await queue.idle();
    clock.fire();
  }
  queue.add("good");
  await queue.idle();
  assert.deepEqual(clock.waits.slice(0, 5), [5, 10, 20, 40, 80]);
  assert.equal(clock.waits.at(-1), 10_000);
  assert.equal(worked.at(-1), "good");
  clock.fire();
  failing = false;
  await queue.idle();
  failing = true;
  queue.add("bad");
  await queue.idle();
  assert.equal(clock.waits.at(-1), 5);
});

test("of several delayed additions the earliest counts, and a plain one overtakes them", async () => {
  const clock = stillClock();
  const worked: string[] = [];
  const queue = queueOf(async (key) => void worked.push(key), clock);
  queue.addAfter("a", 100);
  queue.addAfter("a", 200);
  assert.deepEqual(clock.waits, [100]);
  queue.addAfter("a", 50);
  queue.add("a");
  await queue.idle();
  clock.fire();
  await queue.idle();
  assert.deepEqual(worked, ["a"]);
});

test("stopping aborts the work and takes no more", async () => {
  const clock = stillClock();
  let aborted = false;
  const queue = queueOf(
    (_key, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          aborted = true;
          reject(new Error("aborted"));
        });
      }),
    clock,
  );
  queue.add("a");
  await turn();
  await queue.stop();
  queue.add("b");
  assert.equal(aborted, true);
  assert.deepEqual(clock.waits, [], "an aborted key is not tried again");
});
