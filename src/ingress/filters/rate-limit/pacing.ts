import type { SendRate } from "../filters.ts";

/**
 * Milliseconds to wait before more of a response is sent, of which so many bytes have gone in so many milliseconds; 0: at once. A second's
 * worth may go ahead, as with nginx's `limit_rate`.
 */
export function sendPause({ bytesPerSecond, after }: SendRate, sent: number, elapsed: number): number {
  const over = sent - after - bytesPerSecond * (Math.floor(elapsed / 1000) + 1);
  return over < 0 ? 0 : Math.floor((over / bytesPerSecond) * 1000) + 1;
}

/** Bytes that may go now. */
export const sendAllowance = ({ bytesPerSecond, after }: SendRate, sent: number, elapsed: number): number =>
  Math.max(0, after + bytesPerSecond * (Math.floor(elapsed / 1000) + 1) - sent);
