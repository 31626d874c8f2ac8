import type { Probe } from "../../api/generated/types.ts";
import type { Clock } from "../../observe/clock.ts";
import { attempt } from "./attempt.ts";
import type { ProbeResult } from "./result.ts";
import { tally, type Tally } from "./tally.ts";
import type { ProbeTarget } from "./target.ts";

export interface ProberOptions {
  readonly probe: Probe;
  readonly target: ProbeTarget;
  readonly clock: Clock;
  /** The verdict before the first result: false for readiness and startup, true for liveness. */
  readonly initially: boolean;
  /** Milliseconds the container has already run: an adopted one has had its initial delay. */
  readonly ranFor: number;
  /** Asks quickly until the first success; what such asking between the periods fails is not told. */
  readonly eager: boolean;
  /** Called when the verdict turns. */
  onVerdict(ok: boolean): void;
  onFailure(result: ProbeResult): void;
  /** Called when what passed is not what was meant. */
  onWarning(result: ProbeResult): void;
}

/** The first wait of an eager prober in milliseconds, and how each is longer than the one before. */
const FIRST_WAIT = 20;
const GROWTH = 1.5;

/**
 * Asks again and again until stopped. Most programs listen a moment after their start, and the first ask comes before that. The kubelet
 * then lets a whole period pass; an eager prober asks between the periods too, sooner at first. From the first success on
 * only the period counts. Failures are told, and so counted, once a period as ever; no ask comes before `initialDelaySeconds`.
 */
export function startProber(options: ProberOptions): () => void {
  const { probe, clock } = options;
  const stopping = new AbortController();
  const period = (probe.periodSeconds ?? 10) * 1000;
  let state: Tally = { verdict: options.initially, against: 0 };
  let eager = options.eager;
  let wait = FIRST_WAIT;
  let cancel = (): void => {};

  /** `due` is when the period's own ask was or is to come. */
  const ask = async (due: number): Promise<void> => {
    const asked = clock.now();
    const isPeriodic = asked >= due;
    const result = await attempt(probe, options.target, stopping.signal);
    if (stopping.signal.aborted) return;
    if (!result.ok && isPeriodic) options.onFailure(result);
    if (result.ok && result.warning === true) options.onWarning(result);
    if (stopping.signal.aborted) return;
    if (result.ok) eager = false;
    const next = tally(state, result.ok, probe);
    const turned = next.verdict !== state.verdict;
    state = next;
    if (turned) options.onVerdict(next.verdict);
    if (stopping.signal.aborted) return;
    const dueNext = isPeriodic || result.ok ? asked + period : due;
    const until = Math.max(0, dueNext - clock.now());
    cancel = clock.after(eager ? Math.min(wait, until) : until, () => void ask(dueNext));
    wait *= GROWTH;
  };

  const delay = Math.max(0, (probe.initialDelaySeconds ?? 0) * 1000 - options.ranFor);
  cancel = clock.after(delay, () => void ask(0));
  return () => {
    cancel();
    stopping.abort();
  };
}
