import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { isRolling, maxSurgeOf, maxUnavailableOf, replicasOf } from "./bounds.ts";
import type { Sets } from "./sets.ts";
import { isSized, resized, sizeOf, totalOf } from "./sets.ts";

/** CTL-124: how large the newest ReplicaSet may be now, beside the old ones. */
export function newestSize(deployment: Deployment, { newest, old, occupiedBy }: Sets): number {
  const size = newest === undefined ? 0 : sizeOf(newest);
  const replicas = replicasOf(deployment);
  if (!isRolling(deployment) || size > replicas) return replicas;
  const present = newest === undefined ? 0 : occupiedBy(newest);
  const room = replicas + maxSurgeOf(deployment) - totalOf(old, occupiedBy) - present;
  return room <= 0 ? size : size + Math.min(room, replicas - size);
}

/**
 * CTL-124: the old ReplicaSets as small as they may be now: first without pods that are not available anyway, then without as many
 * as there are available ones too many. Pods of the newest one that are not available yet count as missing.
 */
function shrunken(deployment: Deployment, { newest, old, all, availableOf }: Sets): ReplicaSet[] {
  const sized = old.filter(isSized);
  const least = replicasOf(deployment) - maxUnavailableOf(deployment);
  const missing = newest === undefined ? 0 : sizeOf(newest) - availableOf(newest);
  const most = totalOf(all, sizeOf) - least - missing;
  if (most <= 0) return [];
  const sizes = new Map(sized.map((set) => [set, sizeOf(set)]));
  const take = (set: ReplicaSet, count: number): number => {
    sizes.set(set, (sizes.get(set) ?? 0) - count);
    return count;
  };
  let useless = most;
  for (const set of sized) useless -= take(set, Math.max(0, Math.min(useless, sizeOf(set) - availableOf(set))));
  let spare = totalOf(sized, availableOf) + (newest === undefined ? 0 : availableOf(newest)) - least;
  for (const set of sized) spare -= take(set, Math.max(0, Math.min(spare, sizes.get(set) ?? 0)));
  return sized.flatMap((set) => {
    const size = sizes.get(set) ?? 0;
    return size === sizeOf(set) ? [] : [resized(deployment, set, size)];
  });
}

/** The next step of a rolling update: the newest grows if it may, else the old ones shrink. Empty when nothing can be done now. */
export function rollingStep(deployment: Deployment, sets: Sets): ReplicaSet[] {
  const { newest } = sets;
  if (newest === undefined) return [];
  const size = newestSize(deployment, sets);
  return size === sizeOf(newest) ? shrunken(deployment, sets) : [resized(deployment, newest, size)];
}
