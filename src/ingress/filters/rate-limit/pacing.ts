import type { SendRate } from "../filters.ts";

/** Seconds of sending that may go ahead: so often is waited, at the most. */
const AHEAD = 0.25;

/** Bytes of a response that may go now, of which `sent` have gone in `elapsed` milliseconds since its head. */
export const sendAllowance = ({ bytesPerSecond, after }: SendRate, sent: number, elapsed: number): number =>
  Math.max(0, Math.floor(after + bytesPerSecond * (elapsed / 1000 + AHEAD) - sent));

/** Milliseconds to wait where none may go: then it is a quarter of a second's worth, and at least one byte. */
export const sendPause = ({ bytesPerSecond, after }: SendRate, sent: number, elapsed: number): number => {
  const ahead = Math.max(0, 1 / bytesPerSecond - AHEAD);
  return Math.max(1, Math.ceil(((sent - after) / bytesPerSecond + ahead) * 1000 - elapsed));
};
