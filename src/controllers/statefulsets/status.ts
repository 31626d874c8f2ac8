import type { Pod, StatefulSet, StatefulSetStatus } from "../../api/generated/types.ts";
import { isAvailable } from "../owned/available.ts";
import { isReady, isTerminating } from "../pods/ready.ts";
import { revisionOf } from "./pod.ts";

/** Running, and its Ready condition is True. */
export const isRunningAndReady = (pod: Pod): boolean => pod.status?.phase === "Running" && isReady(pod);

export interface Counts {
  readonly replicas: number;
  readonly ready: number;
  /** CTL-129: ready for `minReadySeconds`. */
  readonly available: number;
  /** Those made of the revision that the rollout comes from, and of the one that it goes to. */
  readonly current: number;
  readonly updated: number;
}

export function countPods(
  set: StatefulSet,
  pods: readonly Pod[],
  revisions: { readonly current: string; readonly update: string },
  now: number,
): Counts {
  const ready = pods.filter(isRunningAndReady);
  const staying = pods.filter((pod) => !isTerminating(pod)).map(revisionOf);
  return {
    replicas: pods.length,
    ready: ready.length,
    available: ready.filter((pod) => isAvailable(pod, set.spec?.minReadySeconds ?? 0, now)).length,
    current: staying.filter((revision) => revision === revisions.current).length,
    updated: staying.filter((revision) => revision === revisions.update).length,
  };
}

/** Numbers that upstream leaves out when they are 0. */
const unlessZero = (count: number): number | undefined => (count === 0 ? undefined : count);

/** The status of a set whose pods are counted; a rollout is over when all pods are new and ready. */
export function statusOf(
  set: StatefulSet,
  counts: Counts,
  revisions: { readonly current: string; readonly update: string },
  collisionCount: number,
): StatefulSetStatus {
  const wanted = set.spec?.replicas ?? 1;
  const isComplete =
    set.spec?.updateStrategy?.type === "RollingUpdate" &&
    [counts.updated, counts.ready, counts.replicas].every((count) => count === wanted);
  return {
    ...set.status,
    observedGeneration: set.metadata.generation,
    replicas: counts.replicas,
    readyReplicas: unlessZero(counts.ready),
    availableReplicas: counts.available,
    currentReplicas: unlessZero(isComplete ? counts.updated : counts.current),
    updatedReplicas: unlessZero(counts.updated),
    currentRevision: isComplete ? revisions.update : revisions.current,
    updateRevision: revisions.update,
    collisionCount,
  };
}
