import type { Pod } from "../../api/generated/types.ts";
import { isLeaving } from "../owned/available.ts";
import { rankForDeletion } from "../owned/rank.ts";
import { waitAfter } from "./backoff.ts";
import { judgeFailure } from "./failure-policy.ts";
import { finishedAt, replacesOnlyFailed } from "./finished.ts";
import { firstFree, indexesOf, union } from "./indexes.ts";
import { failuresBefore, indexOf, isIndexed, newPod, type IndexFailures } from "./pod.ts";
import { isSuspended } from "./outcome.ts";
import type { JobView } from "./view.ts";

/** Pods made or removed in one go, as upstream: the rest waits its turn, so that a big Job does not keep others waiting. */
const MOST = 500;

export interface Work {
  readonly create: readonly Pod[];
  /** Too many, or not wanted while the Job is suspended: they go without being counted. */
  readonly discard: readonly Pod[];
  /** Milliseconds until more may be made; undefined when time alone brings nothing. */
  readonly again?: number;
}

const NOTHING: Work = { create: [], discard: [] };

/** Pods with an index that another has too, or with none that the Job has; of equals the one that has come furthest stays. */
function outOfPlace({ job, active, now }: JobView): Pod[] {
  if (!isIndexed(job)) return [];
  const kept = new Set<number>();
  return rankForDeletion(active, [], now)
    .reverse()
    .filter((pod) => {
      const index = indexOf(pod) ?? Number.POSITIVE_INFINITY;
      if (index >= (job.spec?.completions ?? 0) || kept.has(index)) return true;
      kept.add(index);
      return false;
    });
}

const failuresOf = (view: JobView, index: number): IndexFailures => {
  const before = view.predecessors.get(index);
  if (before === undefined) return { counted: 0, ignored: 0 };
  const { counted, ignored } = failuresBefore(before);
  return judgeFailure(view.job, before).action === "Ignore"
    ? { counted, ignored: ignored + 1 }
    : { counted: counted + 1, ignored };
};

/** With a limit for each index each waits for itself, else all wait together. */
function waitFor(view: JobView, index: number | undefined): number {
  if (view.indexes?.failed === undefined || index === undefined) return waitAfter(view.failures, view.now);
  const before = view.predecessors.get(index);
  if (before === undefined) return 0;
  const { counted, ignored } = failuresBefore(before);
  return waitAfter({ count: counted + ignored + 1, last: finishedAt(before) }, view.now);
}

function creations(view: JobView, count: number): Work {
  const { job, pods, active, indexes } = view;
  if (indexes === undefined) {
    const wait = waitFor(view, undefined);
    return wait > 0
      ? { ...NOTHING, again: wait }
      : { ...NOTHING, create: Array.from({ length: count }, () => newPod(job)) };
  }
  const busy = [...active, ...(replacesOnlyFailed(job) ? pods.filter(isLeaving) : [])].map(indexOf);
  const taken = union(indexes.succeeded, indexes.failed ?? [], indexesOf(busy.filter((index) => index !== undefined)));
  const free = firstFree(taken, count, job.spec?.completions ?? 0).map((index) => ({
    index,
    wait: waitFor(view, index),
  }));
  const waits = free.map(({ wait }) => wait).filter((wait) => wait > 0);
  return {
    ...NOTHING,
    create: free
      .filter(({ wait }) => wait === 0)
      .map(({ index }) => newPod(job, index, indexes.failed === undefined ? undefined : failuresOf(view, index))),
    ...(waits.length === 0 ? {} : { again: Math.min(...waits) }),
  };
}

/** What a Job that goes on needs: pods, or fewer of them. */
export function manage(view: JobView): Work {
  const { job, active, terminating, succeeded, now } = view;
  const { completions, parallelism = 1 } = job.spec ?? {};
  if (isSuspended(job)) return { ...NOTHING, discard: active };
  const open = completions === undefined ? (succeeded > 0 ? active.length : parallelism) : completions - succeeded;
  const wanted = Math.max(0, completions === undefined ? open : Math.min(open, parallelism));
  const misplaced = outOfPlace(view);
  const left = rankForDeletion(
    active.filter((pod) => !misplaced.includes(pod)),
    [],
    now,
  );
  const discard = [...misplaced, ...left.slice(0, Math.max(0, left.length - wanted))].slice(0, MOST);
  if (discard.length > 0) return { ...NOTHING, discard };
  const missing = wanted - active.length - (replacesOnlyFailed(job) ? terminating : 0);
  return missing > 0 ? creations(view, Math.min(missing, MOST)) : NOTHING;
}
