import type { Job, Pod } from "../../api/generated/types.ts";
import { isActive, isLeaving } from "../owned/available.ts";
import { withEnded, type Failures } from "./backoff.ts";
import { judgeFailure } from "./failure-policy.ts";
import { finishedAt, isFailed, isTracked } from "./finished.ts";
import { countOf, hasIndex, indexesOf, parseIndexes, union, type Indexes } from "./indexes.ts";
import { failuresBefore, indexOf, isIndexed } from "./pod.ts";

export interface JobInput {
  readonly job: Job;
  /** The pods that the Job manages, whatever their state. */
  readonly pods: readonly Pod[];
  /** As counted when the Job was last decided upon. */
  readonly failures: Failures;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What the Job's pods say, those that have ended but are not counted in the status yet included. */
export interface JobView extends JobInput {
  readonly active: readonly Pod[];
  readonly terminating: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly failures: Failures;
  /** Of an Indexed Job. `failed` is given where each index has a limit of its own (`backoffLimitPerIndex`). */
  readonly indexes?: { readonly before: Indexes; readonly succeeded: Indexes; readonly failed?: Indexes };
  /** Of each index the failed pod that stays until its successor has taken its count of failures over (KEP-3850). */
  readonly predecessors: ReadonlyMap<number, Pod>;
}

const hasLimitPerIndex = (job: Job): boolean => isIndexed(job) && job.spec?.backoffLimitPerIndex !== undefined;

/** KEP-3850: the pod's index is done for, by the limit or by a rule. */
function failsIndex(job: Job, pod: Pod): boolean {
  if (!isFailed(job, pod)) return false;
  const { action } = judgeFailure(job, pod);
  if (action === "FailIndex") return true;
  return action !== "Ignore" && failuresBefore(pod).counted >= (job.spec?.backoffLimitPerIndex ?? 0);
}

function predecessorsOf(job: Job, failed: readonly Pod[], isSettled: (index: number) => boolean): Map<number, Pod> {
  const last = new Map<number, Pod>();
  const total = (pod: Pod): number => failuresBefore(pod).counted + failuresBefore(pod).ignored;
  for (const pod of hasLimitPerIndex(job) ? failed : []) {
    const index = indexOf(pod) ?? -1;
    const held = last.get(index);
    const isLater = held === undefined || (total(held) <= total(pod) && finishedAt(pod) >= finishedAt(held));
    if (!isSettled(index) && isLater) last.set(index, pod);
  }
  return last;
}

export function viewOf(input: JobInput): JobView {
  const { job, pods } = input;
  const { status } = job;
  const completions = job.spec?.completions ?? 0;
  const uncounted = status?.uncountedTerminatedPods;
  // Pods without the finalizer are counted, or among the uncounted; of an Indexed Job only its own indexes matter.
  const valid = pods.filter(
    (pod) => isTracked(pod) && (!isIndexed(job) || (indexOf(pod) ?? completions) < completions),
  );
  const unless = (uids: readonly string[] | undefined, pod: Pod): boolean =>
    uids?.includes(pod.metadata.uid ?? "") !== true;
  const succeeded = valid.filter((pod) => pod.status?.phase === "Succeeded" && unless(uncounted?.succeeded, pod));
  const failed = valid.filter((pod) => isFailed(job, pod));
  const newlyFailed = failed.filter((pod) => unless(uncounted?.failed, pod));
  const active = pods.filter(isActive);
  const common = {
    ...input,
    active,
    terminating: pods.filter(isLeaving).length,
    failed:
      (status?.failed ?? 0) +
      newlyFailed.filter((pod) => judgeFailure(job, pod).action !== "Ignore").length +
      (uncounted?.failed?.length ?? 0),
    failures: withEnded(input.failures, succeeded, newlyFailed),
  };
  if (!isIndexed(job)) {
    const counted = (status?.succeeded ?? 0) + (uncounted?.succeeded?.length ?? 0);
    return { ...common, succeeded: counted + succeeded.length, predecessors: new Map() };
  }
  const before = parseIndexes(status?.completedIndexes, completions);
  const done = union(before, indexesOf(succeeded.map((pod) => indexOf(pod) ?? 0)));
  const lost = hasLimitPerIndex(job)
    ? union(
        parseIndexes(status?.failedIndexes, completions),
        indexesOf(valid.filter((pod) => failsIndex(job, pod)).map((pod) => indexOf(pod) ?? 0)),
      )
    : undefined;
  const running = new Set(active.map(indexOf));
  const isSettled = (index: number): boolean =>
    hasIndex(done, index) || hasIndex(lost ?? [], index) || running.has(index);
  return {
    ...common,
    succeeded: countOf(done),
    indexes: { before, succeeded: done, ...(lost === undefined ? {} : { failed: lost }) },
    predecessors: predecessorsOf(job, failed, isSettled),
  };
}
