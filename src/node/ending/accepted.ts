import type { Clock } from "../../observe/clock.ts";
import { pause } from "../pods/pause.ts";

/** Milliseconds between two looks. */
const LOOK = 2;

/**
 * How long to wait for a program that accepts nothing, in milliseconds. One that does is waited for until it has accepted all, within
 * its grace period: on a machine that is short of processors a program may not run for a second or two.
 */
export const ACCEPTS_WITHIN = 3_000;

/**
 * Waits until no connection waits to be accepted. A program that stops listening resets those: it has never seen them, and their
 * clients have been told that they are connected. Gives up when there have not become fewer for `patience` milliseconds.
 */
export async function untilAccepted(
  waiting: () => Promise<number>,
  { clock, signal, patience }: { readonly clock: Clock; readonly signal: AbortSignal; readonly patience: number },
): Promise<void> {
  let fewest = Number.POSITIVE_INFINITY;
  let deadline = clock.now() + patience;
  while (!signal.aborted && clock.now() < deadline) {
    const count = await waiting();
    if (count === 0) return;
    if (count < fewest) {
      fewest = count;
      deadline = clock.now() + patience;
    }
    await pause(clock, LOOK, signal);
  }
}
