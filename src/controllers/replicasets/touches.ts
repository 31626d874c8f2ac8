import type { Pod } from "../../api/generated/types.ts";
import type { Resource } from "../../api/object.ts";
import type { CacheChange } from "../../client/cached.ts";
import { isActive, isLeaving, readySince } from "../owned/available.ts";
import { controllerUid, ownerKeyOf } from "../owned/reference.ts";
import { labelsDiffer } from "../pods/matters.ts";
import { isReady } from "../pods/ready.ts";

/** Whether the step can change what an owner counts or decides. */
export const replicaMatters = (previous: Pod, next: Pod): boolean =>
  previous.metadata.uid !== next.metadata.uid ||
  controllerUid(previous) !== controllerUid(next) ||
  isActive(previous) !== isActive(next) ||
  isLeaving(previous) !== isLeaving(next) ||
  isReady(previous) !== isReady(next) ||
  readySince(previous) !== readySince(next) ||
  labelsDiffer(previous, next);

/** The keys of the owners that a change of a pod concerns. `selecting` finds owners that may adopt a pod that nobody manages. */
export function touchedOwners(
  change: CacheChange<Pod>,
  resource: Resource,
  selecting: (pod: Pod) => Iterable<string>,
): string[] {
  const keys = new Set<string>();
  const add = (key: string | undefined): void => void (key === undefined ? undefined : keys.add(key));
  if (change.type !== "added") add(ownerKeyOf(change.previous, resource));
  if (change.type === "removed") return [...keys];
  const pod = change.object;
  if (change.type === "changed" && !replicaMatters(change.previous, pod)) return [];
  add(ownerKeyOf(pod, resource));
  if (controllerUid(pod) !== undefined) return [...keys];
  const isNews =
    change.type === "added" || labelsDiffer(change.previous, pod) || controllerUid(change.previous) !== undefined;
  if (isNews && pod.metadata.deletionTimestamp === undefined) for (const key of selecting(pod)) add(key);
  return [...keys];
}
