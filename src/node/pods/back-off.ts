/** The first restart comes at once, then 10 s, doubling to 5 minutes (the kubelet's rule). In milliseconds. */
export const restartDelay = (failures: number): number =>
  failures <= 1 ? 0 : Math.min(10_000 * 2 ** Math.min(failures - 2, 10), 300_000);

/** A container that ran this long before it ended is no longer counted as crashing. In milliseconds. */
const LONG_RUN = 600_000;

/** How many ends in a row there now are, after one more that came `ranFor` milliseconds after its start. */
export const failuresAfter = (failures: number, ranFor: number): number => (ranFor >= LONG_RUN ? 1 : failures + 1);

/** A time as Kubernetes says it in messages: `10s`, `1m20s`, `5m0s`. */
export function spokenDelay(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
