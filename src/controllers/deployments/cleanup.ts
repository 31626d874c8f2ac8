import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { revisionOf } from "./annotations.ts";
import { historyLimitOf } from "./bounds.ts";
import { byAge, sizeOf } from "./sets.ts";

const hasEnded = ({ metadata, status, ...set }: ReplicaSet): boolean =>
  (status?.replicas ?? 0) === 0 &&
  sizeOf({ metadata, ...set }) === 0 &&
  (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);

/** CTL-124: the old ReplicaSets beyond `revisionHistoryLimit`, oldest revision first, without those that still have pods. */
export function outdatedSets(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = historyLimitOf(deployment);
  if (limit === undefined) return [];
  const alive = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const byRevision = alive.sort((left, right) => {
    const [a, b] = [revisionOf(left), revisionOf(right)];
    return a === undefined || b === undefined || a === b ? byAge(left, right) : a - b;
  });
  return byRevision.slice(0, Math.max(0, alive.length - limit)).filter(hasEnded);
}
