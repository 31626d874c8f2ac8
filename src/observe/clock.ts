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

let written = { second: Number.NaN, text: "" };

/** RFC 3339 in whole seconds, as Kubernetes writes `metav1.Time`: `2026-01-02T03:04:05Z`. */
export function timestamp(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  // Most are asked for within one second, thousands of times.
  if (written.second !== second) {
    written = { second, text: new Date(second * 1000).toISOString().replace(/\.\d+Z$/, "Z") };
  }
  return written.text;
}

/** RFC 3339 with microseconds, as Kubernetes writes `metav1.MicroTime`. */
export const microTimestamp = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace("Z", "000Z");
