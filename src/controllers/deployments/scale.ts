import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { desiredReplicasOf, maxReplicasOf, sizeAnnotations } from "./annotations.ts";
import { isRolling, maxSurgeOf, replicasOf } from "./bounds.ts";
import type { Sets } from "./sets.ts";
import { byAge, isSized, resized, sizeOf, totalOf } from "./sets.ts";

/** Whether the Deployment's size changed since its ReplicaSets were sized. */
export const isScaled = (deployment: Deployment, { all }: Sets): boolean =>
  all.some((set) => isSized(set) && (desiredReplicasOf(set) ?? replicasOf(deployment)) !== replicasOf(deployment));

/** The ReplicaSet at this size and saying so; none when it is and does. */
function atSize(deployment: Deployment, set: ReplicaSet, replicas: number): ReplicaSet[] {
  const said = Object.entries(sizeAnnotations(deployment)).every(
    ([name, value]) => set.metadata.annotations?.[name] === value,
  );
  return said && sizeOf(set) === replicas ? [] : [resized(deployment, set, replicas)];
}

/** The only one with pods; when none has, the newest. Undefined when several have. */
function onlyOne({ newest, old, all }: Sets): ReplicaSet | undefined {
  const sized = all.filter(isSized);
  if (sized.length > 1) return undefined;
  return sized[0] ?? newest ?? old.at(-1);
}

const isSaturated = (deployment: Deployment, set: ReplicaSet, { availableOf }: Sets): boolean => {
  const replicas = replicasOf(deployment);
  return sizeOf(set) === replicas && desiredReplicasOf(set) === replicas && availableOf(set) === replicas;
};

/** How many pods a ReplicaSet would gain or lose if it kept its share of the whole. */
function shareOf(deployment: Deployment, set: ReplicaSet): number {
  const replicas = replicasOf(deployment);
  if (replicas === 0) return -sizeOf(set);
  const before = maxReplicasOf(set) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return Math.round((sizeOf(set) * (replicas + maxSurgeOf(deployment))) / before) - sizeOf(set);
}

/**
 * CTL-124: the ReplicaSets that must be sized anew after the Deployment was scaled in the middle of a rollout or while it is
 * paused: each keeps its share, the largest takes what rounding leaves, so that scaling neither hurries a rollout nor undoes it.
 */
export function scaledSets(deployment: Deployment, sets: Sets): ReplicaSet[] {
  const replicas = replicasOf(deployment);
  const only = onlyOne(sets);
  if (only !== undefined) return atSize(deployment, only, replicas);
  if (sets.newest !== undefined && isSaturated(deployment, sets.newest, sets)) {
    return sets.old.filter(isSized).map((set) => resized(deployment, set, 0));
  }
  const sized = sets.all.filter(isSized);
  if (!isRolling(deployment) || sized.length === 0) return [];
  const allowed = replicas > 0 ? replicas + maxSurgeOf(deployment) : 0;
  const toAdd = allowed - totalOf(sized, sizeOf);
  // Of equal ones the newer grow first, and the older shrink first.
  sized.sort((left, right) => sizeOf(right) - sizeOf(left) || (toAdd > 0 ? byAge(right, left) : byAge(left, right)));
  let added = 0;
  const shares = sized.map((set) => {
    const left = toAdd - added;
    const wanted = left === 0 ? 0 : shareOf(deployment, set);
    const share = toAdd > 0 ? Math.min(wanted, left) : Math.max(wanted, left);
    added += share;
    return share;
  });
  return sized.flatMap((set, index) => {
    const leftover = index === 0 ? toAdd - added : 0;
    return atSize(deployment, set, Math.max(0, sizeOf(set) + shares[index]! + leftover));
  });
}
