import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSet } from "../../api/generated/types.ts";
import { pods, statefulSets } from "../../api/resources.ts";
import { referenceTo } from "../owned/reference.ts";
import { isInRange, ordinalOf } from "./ordinals.ts";

/** CTL-125: `<template>-<set>-<ordinal>`. */
export const claimNameOf = (set: StatefulSet, template: string, ordinal: number): string =>
  `${template}-${set.metadata.name ?? ""}-${ordinal}`;

/** The claims of an ordinal as its templates say them, with the set's labels besides their own. */
export function claimsOf(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map(({ metadata, spec }) => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      ...metadata,
      name: claimNameOf(set, metadata.name ?? "", ordinal),
      namespace: set.metadata.namespace,
      labels: { ...metadata.labels, ...set.spec?.selector.matchLabels },
    },
    spec,
  }));
}

/** KEP-1847: what becomes of the claims when the set is scaled down, and when it is deleted. */
interface Retention {
  readonly deletesWhenScaled: boolean;
  readonly deletesWhenDeleted: boolean;
}

export function retentionOf(set: StatefulSet): Retention {
  const policy = set.spec?.persistentVolumeClaimRetentionPolicy;
  return {
    deletesWhenScaled: policy?.whenScaled === "Delete",
    deletesWhenDeleted: policy?.whenDeleted === "Delete",
  };
}

const names = (reference: OwnerReference, owner: StatefulSet | Pod): boolean =>
  reference.apiVersion === owner.apiVersion && reference.kind === owner.kind && reference.name === owner.metadata.name;

/** The claim belongs to a deleted namesake of the owner; the garbage collector is about to take it. */
export const hasStaleOwner = (claim: PersistentVolumeClaim, owner: StatefulSet | Pod): boolean => {
  const found = claim.metadata.ownerReferences?.find((reference) => names(reference, owner));
  return found !== undefined && found.uid !== owner.metadata.uid;
};

/** Somebody else keeps the claim: the retention policy is not for it. */
export function hasOtherController(claim: PersistentVolumeClaim, set: StatefulSet, pod: Pod): boolean {
  const { deletesWhenDeleted, deletesWhenScaled } = retentionOf(set);
  if (!deletesWhenDeleted && !deletesWhenScaled) return false;
  return (claim.metadata.ownerReferences ?? []).some((reference) => {
    const owner = [set, pod].find((one) => names(reference, one));
    return owner === undefined ? reference.controller === true : reference.uid !== owner.metadata.uid;
  });
}

/** Whose the claim is by the policy: the set's, that of the pod which is scaled away, or nobody's. */
function wantedOwners(set: StatefulSet, pod: Pod): OwnerReference[] {
  const { deletesWhenDeleted, deletesWhenScaled } = retentionOf(set);
  const isScaledAway = !isInRange(set, ordinalOf(pod)?.ordinal ?? -1);
  if (deletesWhenScaled && isScaledAway) return [referenceTo(pod, pods)];
  return deletesWhenDeleted ? [referenceTo(set, statefulSets)] : [];
}

/** The claim with the owners that the retention policy gives it; undefined when it has just those, or is not ours to change. */
export function withOwners(
  claim: PersistentVolumeClaim,
  set: StatefulSet,
  pod: Pod,
): PersistentVolumeClaim | undefined {
  if (hasStaleOwner(claim, set) || hasStaleOwner(claim, pod)) return undefined;
  const held = claim.metadata.ownerReferences ?? [];
  const others = held.filter((reference) => !names(reference, set) && !names(reference, pod));
  const ours = held.filter((reference) => !others.includes(reference));
  const wanted = hasOtherController(claim, set, pod) ? [] : wantedOwners(set, pod);
  const isSame =
    ours.length === wanted.length &&
    ours.every(({ uid, controller }) => controller === true && wanted.some((owner) => owner.uid === uid));
  return isSame ? undefined : { ...claim, metadata: { ...claim.metadata, ownerReferences: [...others, ...wanted] } };
}
