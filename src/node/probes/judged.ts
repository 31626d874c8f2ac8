import type { Clock } from "../../observe/clock.ts";
import type { ProbeResult } from "./result.ts";

export interface JudgedOptions {
  /** The runtime's word on the probe, from the pod's object as it is now. */
  readonly judge: () => ProbeResult;
  readonly clock: Clock;
  /** Milliseconds until it is asked first: what is left of `initialDelaySeconds`. */
  readonly delay: number;
  /** The verdict before the first word: false for readiness and startup, true for liveness. */
  readonly initially: boolean;
  /** Called when the verdict turns. */
  onVerdict(ok: boolean): void;
  onFailure(result: ProbeResult): void;
}

/** A probe that the runtime answers in the program's place. */
export interface Judged {
  /** The pod's object is another now. */
  podChanged(): void;
  stop(): void;
}

/**
 * Follows what the runtime says of a probe. There is no program whose answer could change by itself, so it is asked
 * again only when the pod's object changes, no timer is kept, and its word counts at once, without thresholds.
 */
export function startJudged(options: JudgedOptions): Judged {
  let verdict = options.initially;
  let isAsked = false;
  let isStopped = false;
  const ask = (): void => {
    if (isStopped) return;
    isAsked = true;
    const result = options.judge();
    if (result.ok === verdict) return;
    verdict = result.ok;
    if (!result.ok) options.onFailure(result);
    options.onVerdict(result.ok);
  };
  let cancel = (): void => {};
  if (options.delay > 0) cancel = options.clock.after(options.delay, ask);
  else queueMicrotask(ask);
  return {
    podChanged() {
      if (isAsked) ask();
    },
    stop() {
      isStopped = true;
      cancel();
    },
  };
}
