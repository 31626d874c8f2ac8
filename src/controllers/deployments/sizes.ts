import type { ReplicaSet } from "../../api/generated/types.ts";
import { sizeOf } from "./sets.ts";

/** The sizes that a ReplicaSet's controller may be working towards: from what it has told last to what was written last. */
export interface SizeRange {
  readonly least: number;
  readonly most: number;
}

/**
 * What sizes a ReplicaSet was given since its controller told that it has seen one. Until it tells so again it may be making
 * or deleting pods for any of them, and its status counts pods as they were before.
 */
export interface SizeMemory {
  /** This one is written with another size now. */
  resized(before: ReplicaSet): void;
  readonly rangeOf: (set: ReplicaSet) => SizeRange;
  forget(uid: string): void;
}

const isObserved = ({ metadata, status }: ReplicaSet): boolean =>
  (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);

/** `podsOf` counts the pods of a ReplicaSet that are meant to stay: after a restart that is all that is known of the past. */
export function rememberSizes(podsOf: (set: ReplicaSet) => number): SizeMemory {
  const ranges = new Map<string, SizeRange>();
  const rangeOf = (set: ReplicaSet): SizeRange => {
    const { uid = "" } = set.metadata;
    const size = sizeOf(set);
    // Seen is not done: pods that could not be deleted are there.
    const most = Math.max(size, set.status?.replicas ?? 0);
    if (isObserved(set)) {
      ranges.delete(uid);
      return { least: size, most };
    }
    const held = ranges.get(uid) ?? { least: size, most };
    return { least: Math.min(held.least, size), most: Math.max(held.most, most, podsOf(set)) };
  };
  return {
    resized: (before) => void ranges.set(before.metadata.uid ?? "", rangeOf(before)),
    rangeOf,
    forget: (uid) => void ranges.delete(uid),
  };
}
