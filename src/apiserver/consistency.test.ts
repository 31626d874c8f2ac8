import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ApiError } from "../api/status.ts";
import type { Clock } from "../observe/clock.ts";
import { silentLog } from "../observe/log.ts";
import { memoryStore } from "../store/memory/memory.ts";
import { Unavailable } from "../store/store.ts";
import type { WatchCache } from "./cache/watch-cache.ts";
import { createConsistency } from "./consistency.ts";

/** A shared store whose questions are answered by hand, and a cache that is always there, or never. */
const scene = (shared = true) => {
  const questions: { answer(revision: number): void; fail(error: Error): void }[] = [];
  const reached: number[] = [];
  const timers: (() => void)[] = [];
  let now = 1000;
  let follows = true;
  const clock: Clock = {
    now: () => now,
    after: (_, callback) => {
      timers.push(callback);
      return () => void timers.splice(timers.indexOf(callback), 1);
    },
  };
  const consistency = createConsistency({
    store: {
      ...memoryStore(),
      shared,
      revision: () => new Promise((answer, fail) => void questions.push({ answer, fail })),
    },
    cache: {
      reached: async (revision: number) => {
        reached.push(revision);
        if (!follows) throw new ApiError("Timeout", "Too large resource version");
      },
    } as unknown as WatchCache,
    clock,
    log: silentLog,
  });
  return {
    consistency,
    questions,
    reached,
    timers,
    at: (milliseconds: number) => void (now = milliseconds),
    follow: (does: boolean) => void (follows = does),
  };
};

test("a store of our own is never asked", async () => {
  const { consistency, questions } = scene(false);
  assert.equal(await consistency.current(), undefined);
  assert.equal(questions.length, 0);
});

test("requests that come while the store is asked share the next question, not the one under way", async () => {
  const { consistency, questions, reached } = scene();
  const done: string[] = [];
  const ask = async (name: string): Promise<void> => {
    assert.equal(await consistency.current(), undefined);
    done.push(name);
  };
  const first = ask("first");
  const later = [ask("second"), ask("third")];
  await turn();
  assert.equal(questions.length, 1);
  questions[0]!.answer(7);
  await first;
  await turn();
  assert.deepEqual([done, questions.length, reached], [["first"], 2, [7]]);
  questions[1]!.answer(9);
  await Promise.all(later);
  assert.deepEqual([questions.length, reached], [2, [7, 9]]);
});

test("while the store is away nobody waits; it is asked until it answers", async () => {
  const { consistency, questions, timers, at, follow } = scene();
  const first = consistency.current();
  const second = consistency.current();
  at(5000);
  questions[0]!.fail(new Unavailable("no answer"));
  const away = { sinceMs: 1000, why: "no answer" };
  assert.deepEqual([await first, await second, await consistency.current()], [away, away, away]);
  assert.equal(questions.length, 1);
  timers.splice(0)[0]!();
  questions[1]!.fail(new Unavailable("still no answer"));
  await turn();
  assert.deepEqual(await consistency.current(), { sinceMs: 1000, why: "still no answer" });
  // It answers, but the cache does not follow.
  follow(false);
  timers.splice(0)[0]!();
  questions[2]!.answer(3);
  await turn();
  assert.deepEqual(await consistency.current(), { sinceMs: 1000, why: "its changes do not arrive" });
  follow(true);
  timers.splice(0)[0]!();
  questions[3]!.answer(4);
  await turn();
  const again = consistency.current();
  questions[4]!.answer(4);
  assert.equal(await again, undefined);
  assert.equal(timers.length, 0);
});

test("what is no absence of the store is told as it is", async () => {
  const { consistency, questions } = scene();
  const asked = consistency.current();
  questions[0]!.fail(new TypeError("a bug"));
  await assert.rejects(asked, /a bug/);
});
