import type { PersistentVolumeClaim, Pod, StatefulSet, StatefulSetStatus } from "../../api/generated/types.ts";
import { isAvailable } from "../owned/available.ts";
import { isFinished, isTerminating } from "../pods/ready.ts";
import { claimsOf, hasOtherController, hasStaleOwner, retentionOf, withOwners } from "./claims.ts";
import { isInRange, ordinalOf, rangeOf } from "./ordinals.ts";
import type { Revision } from "./pod.ts";
import { identified, isIdentified, newPod, revisionOf } from "./pod.ts";
import { countPods, isRunningAndReady, statusOf } from "./status.ts";

export interface SetInput {
  readonly set: StatefulSet;
  /** The pods that the set owns and that have names of its giving. */
  readonly pods: readonly Pod[];
  /** By name, in the set's namespace. */
  readonly claim: (name: string) => PersistentVolumeClaim | undefined;
  /** What the rollout comes from, and what it goes to; the same when there is none. */
  readonly current: Revision;
  readonly update: Revision;
  readonly collisionCount: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type Step =
  | { readonly action: "createClaim"; readonly claim: PersistentVolumeClaim; readonly pod: string }
  /** A claim is about to go that the pod would be given: nothing may be made of it. */
  | { readonly action: "awaitClaim"; readonly claim: PersistentVolumeClaim; readonly pod: string }
  | { readonly action: "createPod" | "updatePod" | "deletePod"; readonly pod: Pod }
  /** Owners by the retention policy; `isContested` when somebody else keeps the claim, so that the policy does not count. */
  | { readonly action: "updateClaim"; readonly claim: PersistentVolumeClaim; readonly isContested: boolean };

export interface SetDecision {
  /** A list for each pod, each to be done in order. With OrderedReady the lists come one after another too. */
  readonly steps: readonly (readonly Step[])[];
  readonly status: StatefulSetStatus;
}

/** CTL-125: what a StatefulSet's pods and claims need next. Deciding again after it is done goes on from there. */
export function decideSet(input: SetInput): SetDecision {
  const { set, current, update, collisionCount, now } = input;
  const revisions = { current: current.name, update: update.name };
  const numbered = input.pods.flatMap((pod) => {
    const ordinal = ordinalOf(pod)?.ordinal;
    return ordinal === undefined ? [] : [{ pod, ordinal }];
  });
  const counts = countPods(
    set,
    numbered.map(({ pod }) => pod),
    revisions,
    now,
  );
  // A set that is going leaves its pods to the garbage collector.
  const { steps, outdated } =
    set.metadata.deletionTimestamp === undefined ? nextSteps(input, numbered) : { steps: [], outdated: 0 };
  return {
    steps,
    status: statusOf(set, { ...counts, current: counts.current - outdated }, revisions, collisionCount),
  };
}

interface Numbered {
  readonly pod: Pod;
  readonly ordinal: number;
}

interface Next {
  readonly steps: (readonly Step[])[];
  /** How many pods of the current revision are deleted for the update. */
  readonly outdated: number;
}

function nextSteps(input: SetInput, numbered: readonly Numbered[]): Next {
  const { set, update, now } = input;
  const inOrder = set.spec?.podManagementPolicy !== "Parallel";
  const { first, count } = rangeOf(set);
  const isUp = (pod: Pod): boolean =>
    isRunningAndReady(pod) && isAvailable(pod, set.spec?.minReadySeconds ?? 0, now) && !isTerminating(pod);
  const replicas = new Map(
    numbered.filter(({ ordinal }) => isInRange(set, ordinal)).map(({ pod, ordinal }) => [ordinal, pod]),
  );
  const condemned = numbered
    .filter(({ ordinal }) => !isInRange(set, ordinal))
    .sort((a, b) => b.ordinal - a.ordinal)
    .map(({ pod }) => pod);
  const steps: (readonly Step[])[] = [];
  const take = (next: readonly Step[]): void => {
    if (next.length > 0) steps.push(next);
  };

  for (let ordinal = first; ordinal < first + count; ordinal += 1) {
    const pod = replicas.get(ordinal);
    take(pod === undefined ? creation(input, ordinal) : upkeep(input, pod));
    // One after another: nothing is done for an ordinal before all below it are up.
    if (inOrder && (pod === undefined || isFinished(pod) || !isUp(pod))) return { steps, outdated: 0 };
  }
  for (const pod of condemned) take(ownersOf(input, pod));
  // The lowest that is not up may go although others wait for it: it may be the very reason that nothing moves.
  const broken = condemned.findLast((pod) => !isUp(pod));
  for (const pod of condemned) {
    if (!isTerminating(pod) && (!inOrder || isUp(pod) || pod === broken)) take([{ action: "deletePod", pod }]);
    if (inOrder) return { steps, outdated: 0 };
  }
  if (set.spec?.updateStrategy?.type === "OnDelete") return { steps, outdated: 0 };

  // The highest of the old ones goes, as long as all above it are new and up. The partition is one of places, not of ordinals.
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (let ordinal = first + count - 1; ordinal >= first + partition; ordinal -= 1) {
    const pod = replicas.get(ordinal);
    if (pod === undefined) break;
    if (revisionOf(pod) !== update.name && !isTerminating(pod)) {
      // One that has ended has been deleted above.
      if (!isFinished(pod)) take([{ action: "deletePod", pod }]);
      return { steps, outdated: revisionOf(pod) === input.current.name ? 1 : 0 };
    }
    if (!isUp(pod)) break;
  }
  return { steps, outdated: 0 };
}

/** Below the partition, and where a set without one has not come to yet, pods are made anew as they were. */
function revisionFor({ set, current, update }: SetInput, ordinal: number): Revision {
  const { rollingUpdate, type } = set.spec?.updateStrategy ?? {};
  const { first } = rangeOf(set);
  if (rollingUpdate !== undefined) return ordinal < first + (rollingUpdate.partition ?? 0) ? current : update;
  return type === "RollingUpdate" && ordinal < first + (set.status?.currentReplicas ?? 0) ? current : update;
}

function creation(input: SetInput, ordinal: number): Step[] {
  const { set, claim } = input;
  const pod = newPod(set, revisionFor(input, ordinal), ordinal);
  const claims = claimSteps(input, pod, ordinal);
  const waits = claims.some(({ action }) => action === "awaitClaim");
  // A claim that the pod of before took with it must be gone first, else the new pod would lose it.
  const isStale =
    retentionOf(set).deletesWhenScaled &&
    claimsOf(set, ordinal).some(({ metadata }) => {
      const held = claim(metadata.name ?? "");
      return held !== undefined && hasStaleOwner(held, pod);
    });
  if (isStale) return [];
  return waits ? claims : [...claims, { action: "createPod", pod }, ...ownersOf(input, pod)];
}

/** The claims that the ordinal's pod still lacks. */
function claimSteps({ set, claim }: SetInput, pod: Pod, ordinal: number): Step[] {
  return claimsOf(set, ordinal).flatMap((wanted): Step[] => {
    const held = claim(wanted.metadata.name ?? "");
    const name = pod.metadata.name ?? "";
    if (held === undefined)
      return [{ action: "createClaim", claim: withOwners(wanted, set, pod) ?? wanted, pod: name }];
    return held.metadata.deletionTimestamp === undefined ? [] : [{ action: "awaitClaim", claim: held, pod: name }];
  });
}

function ownersOf({ set, claim }: SetInput, pod: Pod): Step[] {
  return claimsOf(set, ordinalOf(pod)?.ordinal ?? 0).flatMap(({ metadata }): Step[] => {
    const held = claim(metadata.name ?? "");
    const owned = held === undefined ? undefined : withOwners(held, set, pod);
    if (owned === undefined) return [];
    return [{ action: "updateClaim", claim: owned, isContested: hasOtherController(owned, set, pod) }];
  });
}

function upkeep(input: SetInput, pod: Pod): Step[] {
  // Whatever its exit code: the pod of an ordinal is meant to run, and comes again under its name when this one is gone.
  if (isFinished(pod)) return isTerminating(pod) ? [] : [{ action: "deletePod", pod }];
  if (isTerminating(pod)) return [];
  const isPending = pod.status?.phase === "Pending";
  const claims = isPending ? claimSteps(input, pod, ordinalOf(pod)?.ordinal ?? 0) : [];
  const identity: Step[] = isIdentified(pod) ? [] : [{ action: "updatePod", pod: identified(pod) }];
  return [...claims, ...identity, ...ownersOf(input, pod)];
}
