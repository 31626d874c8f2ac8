import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "./clock.ts";

/** Milliseconds after the start: when rules and names are in place, and when the first pods have settled. */
const TIMES = [2_000, 10_000];

/**
 * Starting makes several times the garbage of running, and V8 keeps the heap it grew to until more work comes, which on an idle
 * machine is never. One full collection soon after the start gives that memory back: about half of a thread's share.
 */
export function tidyAfterStart(clock: Clock): void {
  for (const time of TIMES) {
    clock.after(time, () => {
      setFlagsFromString("--expose-gc");
      const collect = runInNewContext("gc") as (options: { type: "major"; flavor: "last-resort" }) => void;
      collect({ type: "major", flavor: "last-resort" });
    });
  }
}
