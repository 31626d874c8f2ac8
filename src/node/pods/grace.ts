import type { Clock } from "../../observe/clock.ts";

/** The time in which containers are to end by themselves. */
export interface Grace {
  /** Aborted when the time is over. */
  readonly over: AbortSignal;
  /** Aborted when nothing may live a moment longer. */
  readonly forced: AbortSignal;
  /** Says when it is over, in milliseconds since the epoch. A later time than one said before does not count (CTL-111). */
  arm(at: number): void;
  force(): void;
  /** Forgets the time. */
  disarm(): void;
}

export function gracePeriod(clock: Clock): Grace {
  const over = new AbortController();
  const forced = new AbortController();
  let deadline = Number.POSITIVE_INFINITY;
  let cancel = (): void => {};
  return {
    over: over.signal,
    forced: forced.signal,
    arm(at) {
      if (at >= deadline) return;
      deadline = at;
      cancel();
      cancel = clock.after(Math.max(0, at - clock.now()), () => over.abort());
    },
    force() {
      cancel();
      forced.abort();
      over.abort();
    },
    disarm: () => cancel(),
  };
}

/** Makes a shorter grace end no later than a longer one does. */
export function endWith(grace: Grace, inner: Grace): void {
  const follow = (): void => {
    if (grace.forced.aborted) inner.force();
    else inner.arm(0);
  };
  for (const signal of [grace.over, grace.forced]) {
    if (signal.aborted) follow();
    else signal.addEventListener("abort", follow, { once: true });
  }
}
