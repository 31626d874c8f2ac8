import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { replicaSets, deployments } from "../../api/resources.ts";
import { referenceTo } from "../owned/reference.ts";
import { newestAnnotations, sizeAnnotations } from "./annotations.ts";
import type { SizeMemory } from "./sizes.ts";
import { HASH_LABEL, templateHash, templateText } from "./template.ts";

export const sizeOf = (set: ReplicaSet): number => set.spec?.replicas ?? 1;
export const isSized = (set: ReplicaSet): boolean => sizeOf(set) > 0;

export const totalOf = (sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number): number =>
  sets.reduce((total, set) => total + count(set), 0);

/** Oldest first; those of one second by name. */
export function byAge(left: ReplicaSet, right: ReplicaSet): number {
  const [a, b] = [left, right].map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? "") || 0);
  return a !== b ? a! - b! : (left.metadata.name ?? "") < (right.metadata.name ?? "") ? -1 : 1;
}

/** A Deployment's ReplicaSets, each list oldest first. */
export interface Sets {
  /** The one with the Deployment's template. */
  readonly newest: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  readonly all: readonly ReplicaSet[];
  /** Pods of a ReplicaSet that serve, of those that are meant to stay whatever size its controller has seen last. */
  readonly availableOf: (set: ReplicaSet) => number;
  /** Pods of a ReplicaSet that are there or may come, whatever size its controller has seen last. */
  readonly occupiedBy: (set: ReplicaSet) => number;
}

export function sortedSets(deployment: Deployment, sets: readonly ReplicaSet[], rangeOf: SizeMemory["rangeOf"]): Sets {
  const all = [...sets].sort(byAge);
  const wanted = templateText(deployment.spec?.template ?? {});
  // Of several with the same template (which others made) the oldest counts, so that it is always the same one.
  const newest = all.find((set) => templateText(set.spec?.template ?? {}) === wanted);
  return {
    newest,
    old: all.filter((set) => set !== newest),
    all,
    // Right after a ReplicaSet was made smaller its status still counts the pods that go, and nobody may count on those.
    availableOf: (set) => Math.min(rangeOf(set).least, set.status?.availableReplicas ?? 0),
    occupiedBy: (set) => rangeOf(set).most,
  };
}

/** The ReplicaSet with other metadata or another size; what it was made from stays as it is. */
export const resized = (deployment: Deployment, set: ReplicaSet, replicas: number): ReplicaSet => ({
  ...set,
  metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, ...sizeAnnotations(deployment) } },
  spec: { ...set.spec, selector: set.spec?.selector ?? {}, replicas },
});

/** Longest name of an object. */
const LONGEST = 253;

/** CTL-124: the ReplicaSet of the Deployment's template. Its name depends on the template, so that it is never made twice. */
export function newReplicaSet(deployment: Deployment, revision: number, replicas: number): ReplicaSet {
  const { template, selector, minReadySeconds } = deployment.spec ?? { template: {}, selector: {} };
  const hash = templateHash(template, deployment.status?.collisionCount ?? 0);
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
  const made: ReplicaSet = {
    apiVersion: "apps/v1",
    kind: replicaSets.kind as "ReplicaSet",
    metadata: {
      namespace: deployment.metadata.namespace,
      name: `${(deployment.metadata.name ?? "").slice(0, LONGEST - 1 - hash.length)}-${hash}`,
      labels,
      ownerReferences: [referenceTo(deployment, deployments)],
    },
    spec: {
      replicas,
      ...(minReadySeconds ? { minReadySeconds } : {}),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  const annotations = { ...newestAnnotations(deployment, made, revision), ...sizeAnnotations(deployment) };
  return { ...made, metadata: { ...made.metadata, annotations } };
}
