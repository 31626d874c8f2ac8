import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { Probe } from "../../api/generated/types.ts";
import type { Clock } from "../../observe/clock.ts";
import { startProber } from "./prober.ts";

/** A prober under a clock of the test's own, asking `answer` with the milliseconds since the start. */
function scene(probe: Probe, eager: boolean, answer: (at: number) => boolean) {
  let now = 1_000_000;
  const timers: { at: number; callback: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    after(milliseconds, callback) {
      const timer = { at: now + milliseconds, callback };
      timers.push(timer);
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
    },
  };
  const asked: number[] = [];
  const failed: number[] = [];
  const verdicts: [number, boolean][] = [];
  const since = (): number => now - 1_000_000;
  const stop = startProber({
    probe: { exec: { command: ["ask"] }, ...probe },
    clock,
    initially: false,
    ranFor: 0,
    eager,
    target: {
      podIP: "",
      container: { name: "c" },
      exec: async () => {
        asked.push(since());
        const ended = Promise.resolve(answer(since()) ? 0 : 1);
        return { stdout: new PassThrough(), stderr: new PassThrough(), ended, kill: () => {} };
      },
    },
    onVerdict: (ok) => verdicts.push([since(), ok]),
    onFailure: () => failed.push(since()),
    onWarning: () => {},
  });
  const until = async (milliseconds: number): Promise<void> => {
    for (;;) {
      const next = timers.toSorted((one, other) => one.at - other.at)[0];
      if (next === undefined || next.at > 1_000_000 + milliseconds) return;
      timers.splice(timers.indexOf(next), 1);
      now = Math.max(now, next.at);
      next.callback();
      await new Promise(setImmediate);
    }
  };
  return { asked, failed, verdicts, until, stop };
}

test("CTL-103: a container that comes up between two periods is ready at once, and from then on only the period counts", async () => {
  const { asked, failed, verdicts, until, stop } = scene({ periodSeconds: 1, failureThreshold: 2 }, true, (at) =>
    at < 3000 ? at >= 60 : at > 7000,
  );
  await until(8000);
  stop();
  assert.deepEqual(asked.slice(0, 4), [0, 20, 50, 95]);
  assert.deepEqual(verdicts, [
    [95, true],
    [4095, false],
    [7095, true],
  ]);
  assert.deepEqual(asked.slice(4), [1095, 2095, 3095, 4095, 5095, 6095, 7095]);
  assert.deepEqual(failed, [0, 3095, 4095, 5095, 6095], "failures between the periods are not told");
});

test("CTL-104: an eager prober tells one failure a period, and asks at most that often when nothing comes up", async () => {
  const { asked, failed, until, stop } = scene({ periodSeconds: 1 }, true, () => false);
  await until(20_000);
  stop();
  assert.equal(failed.length, 21);
  assert.ok(failed.every((at, index) => at === index * 1000));
  const late = asked.filter((at) => at >= 10_000);
  assert.deepEqual(late, failed.slice(10));
});

test("initialDelaySeconds holds for an eager prober, and successThreshold counts by the period", async () => {
  const { asked, verdicts, until, stop } = scene(
    { periodSeconds: 2, initialDelaySeconds: 3, successThreshold: 2 },
    true,
    () => true,
  );
  await until(5000);
  stop();
  assert.deepEqual(asked, [3000, 5000]);
  assert.deepEqual(verdicts, [[5000, true]]);
});

test("a prober that is not eager asks by the period alone", async () => {
  const { asked, until, stop } = scene({ periodSeconds: 1 }, false, () => false);
  await until(3000);
  stop();
  assert.deepEqual(asked, [0, 1000, 2000, 3000]);
});
