import type { Clock } from "../../observe/clock.ts";
import { pause } from "../pods/pause.ts";

/** Milliseconds between two looks. */
const LOOK = 2;

/**
 * Waits until no connection waits to be accepted. A program that stops listening resets those: it has never seen them, and their
 * clients have been told that they are connected.
 */
export async function untilAccepted(
  waiting: () => Promise<number>,
  { clock, signal, patience }: { readonly clock: Clock; readonly signal: AbortSignal; readonly patience: number },
): Promise<void> {
  const deadline = clock.now() + patience;
  while (!signal.aborted && clock.now() < deadline) {
    if ((await waiting()) === 0) return;
    await pause(clock, LOOK, signal);
  }
}
