import type { Probe } from "../../api/generated/types.ts";
import type { Clock } from "../../observe/clock.ts";
import { attempt, type ProbeResult, type ProbeTarget } from "./attempt.ts";
import { tally, type Tally } from "./tally.ts";

export interface ProberOptions {
  readonly probe: Probe;
  readonly target: ProbeTarget;
  readonly clock: Clock;
  /** The verdict before the first result: false for readiness and startup, true for liveness. */
  readonly initially: boolean;
  /** Milliseconds the container has already run: an adopted one has had its initial delay. */
  readonly ranFor: number;
  /** Called when the verdict turns. */
  onVerdict(ok: boolean): void;
  onFailure(result: ProbeResult): void;
}

/** Asks again and again until stopped. */
export function startProber(options: ProberOptions): () => void {
  const { probe, clock } = options;
  const stopping = new AbortController();
  const period = (probe.periodSeconds ?? 10) * 1000;
  let state: Tally = { verdict: options.initially, against: 0 };
  let cancel = (): void => {};

  const ask = async (): Promise<void> => {
    const asked = clock.now();
    const result = await attempt(probe, options.target, stopping.signal);
    if (stopping.signal.aborted) return;
    if (!result.ok) options.onFailure(result);
    const next = tally(state, result.ok, probe);
    const turned = next.verdict !== state.verdict;
    state = next;
    if (turned) options.onVerdict(next.verdict);
    cancel = clock.after(Math.max(0, period - (clock.now() - asked)), () => void ask());
  };

  const delay = Math.max(0, (probe.initialDelaySeconds ?? 0) * 1000 - options.ranFor);
  cancel = clock.after(delay, () => void ask());
  return () => {
    cancel();
    stopping.abort();
  };
}
