import type { Pod } from "../../api/generated/types.ts";
import { isFinished, isReady, isTerminating } from "../pods/ready.ts";

/** Counts as a replica: not ended, and nobody has asked for its end. */
export const isActive = (pod: Pod): boolean => !isFinished(pod) && !isTerminating(pod);

/** Is on its way out: its end was asked for, and it has not ended yet. */
export const isLeaving = (pod: Pod): boolean => !isFinished(pod) && isTerminating(pod);

/** When the pod became ready, in milliseconds; undefined when it is not, or does not say. */
export function readySince(pod: Pod): number | undefined {
  const ready = pod.status?.conditions?.find(({ type, status }) => type === "Ready" && status === "True");
  const at = Date.parse(ready?.lastTransitionTime ?? "");
  return Number.isNaN(at) ? undefined : at;
}

/** CTL-129: ready, and has been for `minReadySeconds`. `now` in milliseconds. */
export function isAvailable(pod: Pod, minReadySeconds: number | undefined, now: number): boolean {
  if (!isReady(pod)) return false;
  if (minReadySeconds === undefined || minReadySeconds === 0) return true;
  const since = readySince(pod);
  return since !== undefined && since + minReadySeconds * 1000 <= now;
}

/** A timer cannot wait for longer than 24 days; whoever waits for longer looks again after one. */
const DAY = 24 * 60 * 60 * 1000;

/** CTL-129: milliseconds until the next of the pods turns from ready into available; undefined when none will by time alone. */
export function nextAvailability(
  pods: Iterable<Pod>,
  minReadySeconds: number | undefined,
  now: number,
): number | undefined {
  if (minReadySeconds === undefined || minReadySeconds === 0) return undefined;
  let next: number | undefined;
  for (const pod of pods) {
    const since = readySince(pod);
    if (since === undefined) continue;
    const left = since + minReadySeconds * 1000 - now;
    if (left > 0 && (next === undefined || left < next)) next = left;
  }
  return next === undefined ? undefined : Math.min(next, DAY);
}
