import type { PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { isFinished } from "../pods/ready.ts";

/** Keeps a claim as long as a pod uses it. */
export const PROTECTION = "kubernetes.io/pvc-protection";
/** The node that has the claim's directory: its pods can be nowhere else. The scheduler goes by it. */
const SELECTED_NODE = "volume.kubernetes.io/selected-node";
/** What `kubectl describe` and other controllers know a claim by that has been given what it asks for. */
const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";

/** The names of the claims that the pod's volumes are; those of `ephemeral` volumes are named by the pod. */
export const claimNamesOf = ({ metadata, spec }: Pod): string[] =>
  (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return [persistentVolumeClaim.claimName];
    return ephemeral === undefined ? [] : [`${metadata.name ?? ""}-${name}`];
  });

/** The words of the index `claim`: the keys of the claims that the pod uses. */
export const claimWords = (pod: Pod): string[] =>
  claimNamesOf(pod).map((name) => `${pod.metadata.namespace ?? ""}/${name}`);

/** The volume of a claim: the directory that nobody else has. */
const volumeNameOf = ({ metadata }: PersistentVolumeClaim): string => `local-${metadata.uid ?? ""}`;

const nameOf = ({ metadata }: Pod): string => metadata.name ?? "";

/** Whether it keeps the claim from going: a pod without a node will not be started with a claim that is going. */
const holds = (pod: Pod): boolean => (pod.spec?.nodeName ?? "") !== "";

/** Why the claim cannot be a directory; undefined when it can. What asks for certain data must not be given an empty one. */
function whyNot(claim: PersistentVolumeClaim): string | undefined {
  const { volumeName, volumeMode, selector, dataSource, dataSourceRef } = claim.spec ?? {};
  if (volumeMode === "Block") {
    return "volumeMode is Block, and claims are directories here; it should be Filesystem";
  }
  if (dataSource !== undefined || dataSourceRef !== undefined) {
    const source = dataSourceRef ?? dataSource;
    return `it is to be filled from ${source?.kind ?? ""} ${source?.name ?? ""}, and claims begin empty here; leave dataSource out`;
  }
  if ((volumeName ?? "") !== "" && volumeName !== volumeNameOf(claim)) {
    return `it asks for the volume ${volumeName}, and there are no PersistentVolumes here; leave volumeName out to be given a directory`;
  }
  return selector === undefined
    ? undefined
    : "it selects among PersistentVolumes, and there are none here; leave selector out to be given a directory";
}

export interface ClaimDecision {
  /** The claim as it is to be, its status left as it is; undefined when it is so. */
  readonly object?: PersistentVolumeClaim;
  /** The status to be written after it; undefined when it is so. */
  readonly status?: PersistentVolumeClaim["status"];
  /** The finalizer is to be taken off, when the server too knows of no pod that uses the claim. */
  readonly isFree: boolean;
  /** Why it stays Pending. */
  readonly refused?: string;
}

/** What a claim needs. `users` are the pods that have it as a volume, in the order of their creation. */
export function decideClaim(claim: PersistentVolumeClaim, users: readonly Pod[]): ClaimDecision {
  const finalizers = claim.metadata.finalizers ?? [];
  const isProtected = finalizers.includes(PROTECTION);
  if (claim.metadata.deletionTimestamp !== undefined) return { isFree: isProtected && !users.some(holds) };
  const refused = whyNot(claim);
  const held = claim.metadata.annotations ?? {};
  const first = users.find((pod) => holds(pod) && !isFinished(pod));
  const node = held[SELECTED_NODE] ?? first?.spec?.nodeName;
  const annotations = {
    ...held,
    ...(refused === undefined ? { [BIND_COMPLETED]: "yes", [BOUND_BY_CONTROLLER]: "yes" } : {}),
    ...(refused === undefined && node !== undefined ? { [SELECTED_NODE]: node } : {}),
  };
  const isSame =
    isProtected &&
    Object.keys(annotations).length === Object.keys(held).length &&
    (refused !== undefined || claim.spec?.volumeName === volumeNameOf(claim));
  const object: PersistentVolumeClaim = {
    ...claim,
    metadata: { ...claim.metadata, annotations, finalizers: isProtected ? finalizers : [...finalizers, PROTECTION] },
    spec: refused === undefined ? { ...claim.spec, volumeName: volumeNameOf(claim) } : claim.spec,
  };
  const changed = isSame ? {} : { object };
  if (refused !== undefined) return { isFree: false, refused, ...changed };
  const { accessModes, resources } = claim.spec ?? {};
  const storage = resources?.requests?.["storage"];
  const isBound =
    claim.status?.phase === "Bound" &&
    claim.status.capacity?.["storage"] === storage &&
    JSON.stringify(claim.status.accessModes) === JSON.stringify(accessModes);
  const status = {
    ...claim.status,
    phase: "Bound",
    accessModes,
    ...(storage === undefined ? {} : { capacity: { ...claim.status?.capacity, storage } }),
  };
  return { isFree: false, ...changed, ...(isBound ? {} : { status }) };
}

/** Pods in the order of their creation. */
export const byAge = (pods: readonly Pod[]): Pod[] => {
  const rank = (pod: Pod): string => `${pod.metadata.creationTimestamp ?? ""}/${nameOf(pod)}`;
  return [...pods].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
};
