import type { JobStatus, Pod } from "../../api/generated/types.ts";
import { judgeFailure } from "./failure-policy.ts";
import { isFailed, isTracked } from "./finished.ts";
import { countOf, indexesOf, textOf, union } from "./indexes.ts";
import { indexOf, isIndexed } from "./pod.ts";
import type { Outcome } from "./outcome.ts";
import type { JobView } from "./view.ts";

/** Pods whose uids a status holds at most, so that it stays small (as upstream). */
const MOST = 500;

export interface Tracking {
  /** The counting part of the status. */
  readonly counted: Pick<
    JobStatus,
    "succeeded" | "failed" | "completedIndexes" | "failedIndexes" | "uncountedTerminatedPods"
  >;
  /** Pods to be set free of the finalizer once `counted` is stored. */
  readonly release: readonly Pod[];
  readonly isWhole: boolean;
}

/**
 * Counts pods that have ended so that none is lost and none counted twice, wherever we are stopped. A uid is written into
 * `uncountedTerminatedPods` first; then the pod loses its finalizer and may vanish; and when it has lost it, the uid becomes
 * a number (KEP-2307). Of an Indexed Job a success is remembered by its index, which needs no uid.
 * `outcome` is given when the Job ends and no pod of it is active: then all that is left has failed, unless it is a success.
 */
export function trackPods(view: JobView, outcome: Outcome | undefined): Tracking {
  const { job, pods, indexes, predecessors } = view;
  const status = job.status;
  const tracked = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid));
  const waiting = {
    succeeded: status?.uncountedTerminatedPods?.succeeded ?? [],
    failed: status?.uncountedTerminatedPods?.failed ?? [],
  };
  const succeeded = waiting.succeeded.filter((uid) => tracked.has(uid));
  const failed = waiting.failed.filter((uid) => tracked.has(uid));
  const done: number[] = [];
  const release: Pod[] = [];
  let isWhole = true;
  const isOwnIndex = (pod: Pod): boolean =>
    !isIndexed(job) || (indexOf(pod) ?? Infinity) < (job.spec?.completions ?? 0);

  const byIndex = (a: Pod, b: Pod): number => (indexOf(a) ?? -1) - (indexOf(b) ?? -1);
  for (const pod of pods.filter(isTracked).sort(byIndex)) {
    const uid = pod.metadata.uid ?? "";
    const isSuccess = pod.status?.phase === "Succeeded";
    const hasFailed = isFailed(job, pod);
    const isAwaited = hasFailed && predecessors.get(indexOf(pod) ?? -1) === pod;
    const isEnding = job.metadata.deletionTimestamp !== undefined || outcome !== undefined;
    if (!isEnding && !isSuccess && (!hasFailed || isAwaited)) continue;
    if (done.length + succeeded.length + failed.length >= MOST) {
      isWhole = false;
      break;
    }
    release.push(pod);
    if (isSuccess && !failed.includes(uid)) {
      if (isIndexed(job)) done.push(...(isOwnIndex(pod) ? [indexOf(pod) ?? 0] : []));
      else if (!succeeded.includes(uid)) succeeded.push(uid);
      continue;
    }
    // Pods that a success has made superfluous are no failures because they were told to end.
    const counts =
      outcome?.type === "SuccessCriteriaMet" ? pod.status?.phase === "Failed" : hasFailed || outcome !== undefined;
    const isKnown = failed.includes(uid) || !isOwnIndex(pod);
    if (!isSuccess && counts && !isKnown && judgeFailure(job, pod).action !== "Ignore") failed.push(uid);
  }
  const list = (uids: string[]): string[] | undefined => (uids.length === 0 ? undefined : uids);
  const failures = (status?.failed ?? 0) + countGone(waiting.failed, tracked);
  const common = {
    failed: failures === 0 ? undefined : failures,
    uncountedTerminatedPods: { succeeded: list(succeeded), failed: list(failed) },
  };
  if (indexes === undefined) {
    const successes = (status?.succeeded ?? 0) + countGone(waiting.succeeded, tracked);
    return { counted: { ...common, succeeded: successes === 0 ? undefined : successes }, release, isWhole };
  }
  const all = union(indexes.before, indexesOf(done));
  const counted = {
    ...common,
    succeeded: countOf(all) === 0 ? undefined : countOf(all),
    completedIndexes: all.length === 0 ? undefined : textOf(all),
    failedIndexes: indexes.failed === undefined ? undefined : textOf(indexes.failed),
  };
  return { counted, release, isWhole };
}

const countGone = (uids: readonly string[], tracked: ReadonlySet<string | undefined>): number =>
  uids.filter((uid) => !tracked.has(uid)).length;
