import type { Pod } from "../../api/generated/types.ts";
import { rankForDeletion } from "../owned/rank.ts";

/** Pods made or deleted in one go; the next go follows at once. */
const MOST = 500;

export interface ReplicaChanges {
  /** How many pods are to be made. */
  readonly create: number;
  readonly remove: readonly Pod[];
}

/**
 * CTL-124: what brings the active pods to the number that is wanted. `related` are the pods of the owner's siblings (the
 * ReplicaSets of one Deployment), asked for only when some must be chosen.
 */
export function decideReplicas(
  active: readonly Pod[],
  wanted: number,
  related: () => Iterable<Pod>,
  now: number,
): ReplicaChanges {
  const missing = wanted - active.length;
  if (missing >= 0) return { create: Math.min(missing, MOST), remove: [] };
  const excess = active.length - wanted;
  const ranked = excess < active.length ? rankForDeletion(active, related(), now) : active;
  return { create: 0, remove: ranked.slice(0, Math.min(excess, MOST)) };
}
