import type { KubeObject, Resource } from "../../api/object.ts";

/** An object that may own others or be owned. */
export interface Held {
  readonly resource: Resource;
  readonly object: KubeObject;
}

/** Who owns whom, by uid: names come back, uids do not. */
export interface Graph {
  get(uid: string): Held | undefined;
  set(held: Held): void;
  delete(uid: string): void;
  /** Uids of the objects that name this uid as an owner. */
  dependentsOf(uid: string): string[];
  /** True when an object of this uid was here and went. */
  isGone(uid: string): boolean;
}

/** Uids of the departed that are remembered, so that a dependent which comes late needs no question to the server. */
const REMEMBERED = 10_000;

export function createGraph(): Graph {
  const held = new Map<string, Held>();
  const dependents = new Map<string, Set<string>>();
  const gone = new Set<string>();

  const unlink = (uid: string): void => {
    for (const owner of held.get(uid)?.object.metadata.ownerReferences ?? []) {
      const set = dependents.get(owner.uid);
      if (set?.delete(uid) === true && set.size === 0) dependents.delete(owner.uid);
    }
  };
  return {
    get: (uid) => held.get(uid),
    set(next) {
      const uid = next.object.metadata.uid ?? "";
      unlink(uid);
      held.set(uid, next);
      for (const owner of next.object.metadata.ownerReferences ?? []) {
        let set = dependents.get(owner.uid);
        if (set === undefined) dependents.set(owner.uid, (set = new Set()));
        set.add(uid);
      }
    },
    delete(uid) {
      unlink(uid);
      held.delete(uid);
      gone.add(uid);
      if (gone.size > REMEMBERED) gone.delete(gone.keys().next().value!);
    },
    dependentsOf: (uid) => [...(dependents.get(uid) ?? [])],
    isGone: (uid) => gone.has(uid),
  };
}
