import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "./clock.ts";

/** Milliseconds after the start: when rules and names are in place, and when the first pods have settled. */
const TIMES = [2_000, 10_000];
/** How long it is looked, before, whether the thread is at rest. */
const LOOK = 1_000;
/** Of that time, what may have been spent at work. */
const AT_REST = 0.02;
/** A thread that is at work is looked at again after so many milliseconds, and so often at the most. */
const AGAIN = 10_000;
const MOST = 30;

/** A thread, as far as its memory is concerned. */
export interface Thread {
  /** Starts looking; the function that it answers says what share of the time since then was spent at work. */
  work(): () => number;
  /** Collects all of its garbage, and gives back the memory. Stops it for some tens of milliseconds. */
  collect(): void;
}

const thisThread: Thread = {
  work() {
    const before = performance.eventLoopUtilization();
    return () => performance.eventLoopUtilization(before).utilization;
  },
  collect() {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as (options: { type: "major"; flavor: "last-resort" }) => void;
    collect({ type: "major", flavor: "last-resort" });
  },
};

/**
 * Starting makes several times the garbage of running, and V8 keeps the heap it grew to until more work comes, which on an idle
 * machine is never. One full collection soon after the start gives that memory back: about half of a thread's share. A thread
 * that is at work is left alone: somebody waits for what it does, and V8 collects what that leaves behind.
 */
export function tidyAfterStart(clock: Clock, thread: Thread = thisThread): void {
  const tidy = (left: number): void => {
    const work = thread.work();
    clock.after(LOOK, () => {
      if (work() <= AT_REST) thread.collect();
      else if (left > 0) clock.after(AGAIN - LOOK, () => tidy(left - 1));
    });
  };
  for (const time of TIMES) clock.after(time - LOOK, () => tidy(MOST));
}
