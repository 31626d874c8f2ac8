/** The first restart comes at once, then 10 s, doubling to 5 minutes (the kubelet's rule). In milliseconds. */
export const restartDelay = (failures: number): number =>
  failures <= 1 ? 0 : Math.min(10_000 * 2 ** Math.min(failures - 2, 10), 300_000);

/** A container that ran this long before it ended is no longer counted as crashing. In milliseconds. */
export const LONG_RUN = 600_000;

/** Whether a container that ended is started again. Only init containers start anew for `Always` when they fail. */
export const restarts = (policy: string | undefined, exitCode: number): boolean =>
  (policy ?? "Always") === "Always" || (policy === "OnFailure" && exitCode !== 0);
