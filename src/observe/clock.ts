/** Time as a parameter, so that nothing in a test sleeps. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after `milliseconds`; the returned function cancels. A pending timer does not keep the process alive. */
  after(milliseconds: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** RFC 3339 in whole seconds, as Kubernetes writes `metav1.Time`: `2026-01-02T03:04:05Z`. */
export const timestamp = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");

/** RFC 3339 with microseconds, as Kubernetes writes `metav1.MicroTime`. */
export const microTimestamp = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace("Z", "000Z");
