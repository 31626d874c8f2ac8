import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import { maxSurgeOf, replicasOf } from "./bounds.ts";

/** Which rollout an object is of; counted from 1. */
export const REVISION = "deployment.kubernetes.io/revision";
/** The revisions that a ReplicaSet was before it was returned to, separated by commas. */
const HISTORY = "deployment.kubernetes.io/revision-history";
/** The Deployment's `replicas` when the ReplicaSet was last sized: when they differ, somebody scaled. */
const DESIRED = "deployment.kubernetes.io/desired-replicas";
/** The same with `maxSurge`: what shares are reckoned from when several ReplicaSets are scaled. */
const MAXIMUM = "deployment.kubernetes.io/max-replicas";

/** What a ReplicaSet does not take over from its Deployment's annotations. */
const OWN = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  REVISION,
  HISTORY,
  DESIRED,
  MAXIMUM,
]);

/** Characters of history that are kept. */
const HISTORY_LENGTH = 2000;

const annotationsOf = ({ metadata }: KubeObject): Record<string, string> => metadata.annotations ?? {};

/** 0 when there is none, undefined when it is no whole number. */
export function revisionOf(object: KubeObject): number | undefined {
  const said = annotationsOf(object)[REVISION];
  if (said === undefined || said === "") return 0;
  return /^-?\d+$/.test(said) ? Number(said) : undefined;
}

/** The highest revision among these; what cannot be read does not count. */
export const highestRevision = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((highest, set) => Math.max(highest, revisionOf(set) ?? 0), 0);

function countOf(set: ReplicaSet, name: string): number | undefined {
  const said = annotationsOf(set)[name] ?? "";
  const count = /^\d+$/.test(said) ? Number(said) : Number.NaN;
  return count < 2 ** 31 ? count : undefined;
}

export const desiredReplicasOf = (set: ReplicaSet): number | undefined => countOf(set, DESIRED);
export const maxReplicasOf = (set: ReplicaSet): number | undefined => countOf(set, MAXIMUM);

/** What a ReplicaSet that is being sized says about the Deployment's size. */
export const sizeAnnotations = (deployment: Deployment): Record<string, string> => ({
  [DESIRED]: String(replicasOf(deployment)),
  [MAXIMUM]: String(replicasOf(deployment) + maxSurgeOf(deployment)),
});

/** The history with one more revision, without the oldest ones for which there is no room. */
function lengthened(history: string, revision: string): string {
  const revisions = history === "" ? [] : history.split(",");
  while (revisions.length > 0 && [...revisions, revision].join(",").length > HISTORY_LENGTH) revisions.shift();
  return [...revisions, revision].join(",");
}

/**
 * The annotations of the Deployment's newest ReplicaSet: those of the Deployment, and `revision` when that is higher than its
 * own. A ReplicaSet that is returned to keeps its former revisions in its history.
 */
export function newestAnnotations(deployment: Deployment, set: ReplicaSet, revision: number): Record<string, string> {
  const annotations = { ...annotationsOf(set) };
  for (const [name, value] of Object.entries(annotationsOf(deployment))) {
    if (!OWN.has(name)) annotations[name] = value;
  }
  const own = revisionOf(set);
  if (own === undefined || own >= revision) return annotations;
  const former = annotations[REVISION];
  if (former !== undefined) annotations[HISTORY] = lengthened(annotations[HISTORY] ?? "", former);
  annotations[REVISION] = String(revision);
  return annotations;
}
