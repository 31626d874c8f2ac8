import type { OwnerReference } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Held } from "./graph.ts";

export const FOREGROUND = "foregroundDeletion";
export const ORPHAN = "orphan";

/** What is known of an owner: `unknown` must be asked of the server. */
export type OwnerState = "present" | "absent" | "unknown";

export type Verdict =
  | { readonly action: "none" }
  /** Ask the server for these owners, then decide again. */
  | { readonly action: "ask"; readonly owners: readonly OwnerReference[] }
  | { readonly action: "delete" }
  /** Some owners are gone, others are not: the object stays and forgets those that went. */
  | { readonly action: "keepOwners"; readonly owners: readonly OwnerReference[] }
  /** The object waits to be deleted, and its dependents lose it as an owner first. */
  | { readonly action: "orphanDependents"; readonly dependents: readonly Held[] }
  /** The object waits until its dependents are gone; `blocking` of them remain. */
  | { readonly action: "deleteDependents"; readonly dependents: readonly Held[]; readonly blocking: number };

/** Background, foreground and orphaning deletion by owner references (Kubernetes: "Garbage Collection"). */
export function decideGarbage(
  object: KubeObject,
  dependents: readonly Held[],
  stateOf: (owner: OwnerReference) => OwnerState,
): Verdict {
  const { deletionTimestamp, finalizers = [], ownerReferences = [], uid } = object.metadata;
  if (deletionTimestamp !== undefined) {
    if (finalizers.includes(ORPHAN)) return { action: "orphanDependents", dependents };
    if (!finalizers.includes(FOREGROUND)) return { action: "none" };
    const blocking = dependents.filter((dependent) =>
      dependent.object.metadata.ownerReferences?.some(
        (owner) => owner.uid === uid && owner.blockOwnerDeletion === true,
      ),
    ).length;
    return { action: "deleteDependents", dependents, blocking };
  }
  if (ownerReferences.length === 0) return { action: "none" };
  const unknown = ownerReferences.filter((owner) => stateOf(owner) === "unknown");
  if (unknown.length > 0) return { action: "ask", owners: unknown };
  const present = ownerReferences.filter((owner) => stateOf(owner) === "present");
  if (present.length === 0) return { action: "delete" };
  return present.length === ownerReferences.length ? { action: "none" } : { action: "keepOwners", owners: present };
}

/** Whether a change of this object can bring something to do for it. */
export const isOfConcern = (object: KubeObject, isPresent: (uid: string) => boolean): boolean =>
  object.metadata.deletionTimestamp === undefined
    ? object.metadata.ownerReferences?.some(({ uid }) => !isPresent(uid)) === true
    : object.metadata.finalizers?.some((finalizer) => finalizer === FOREGROUND || finalizer === ORPHAN) === true;
