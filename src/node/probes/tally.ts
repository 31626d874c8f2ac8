import type { Probe } from "../../api/generated/types.ts";

/** How a probe stands: its verdict, and how many results in a row speak against it. */
export interface Tally {
  readonly verdict: boolean;
  /** Results in a row of the other kind than the verdict. */
  readonly against: number;
}

/** Takes in one result: the verdict turns after `successThreshold` or `failureThreshold` in a row (CTL-103). */
export function tally(before: Tally, ok: boolean, probe: Probe): Tally {
  if (ok === before.verdict) return { verdict: before.verdict, against: 0 };
  const against = before.against + 1;
  const needed = ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  return against >= needed ? { verdict: ok, against: 0 } : { verdict: before.verdict, against };
}
