import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { highestRevision, newestAnnotations, REVISION } from "./annotations.ts";
import { isRolling, progressDeadlineOf, replicasOf } from "./bounds.ts";
import { outdatedSets } from "./cleanup.ts";
import type { Conditions } from "./conditions.ts";
import { condition, conditionOf, withCondition } from "./conditions.ts";
import { pausedConditions, progressedStatus } from "./progress.ts";
import { newestSize, rollingStep } from "./rolling.ts";
import { isScaled, scaledSets } from "./scale.ts";
import type { Sets } from "./sets.ts";
import { isSized, newReplicaSet, resized, sizeOf, sortedSets } from "./sets.ts";
import type { SizeMemory } from "./sizes.ts";
import { deadlineLeft, isComplete, statusOf } from "./status.ts";

export interface RolloutFacts {
  readonly deployment: Deployment;
  /** Those that the Deployment manages and selects. */
  readonly sets: readonly ReplicaSet[];
  /** Whether pods of this ReplicaSet are still there that have not ended; asked for by `Recreate` only. */
  readonly hasPods: (set: ReplicaSet) => boolean;
  /** See `rememberSizes`. */
  readonly rangeOf: SizeMemory["rangeOf"];
  /** Milliseconds. */
  readonly now: number;
}

/** One step. When it changes ReplicaSets the next one is decided from what has come of that. */
export interface RolloutStep {
  /** The Deployment with the status and the revision that it should have after this step. */
  readonly deployment: Deployment;
  readonly create?: ReplicaSet;
  readonly update: readonly ReplicaSet[];
  readonly remove: readonly ReplicaSet[];
  /** Milliseconds after which to look again, however little happens. */
  readonly again?: number;
}

/** The newest ReplicaSet with what it must take over from the Deployment; undefined when it has it. */
function renewed(deployment: Deployment, { newest, old }: Sets): ReplicaSet | undefined {
  if (newest === undefined) return undefined;
  const annotations = newestAnnotations(deployment, newest, highestRevision(old) + 1);
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
  const held = newest.metadata.annotations ?? {};
  const isSame = Object.entries(annotations).every(([name, value]) => held[name] === value);
  if (isSame && (newest.spec?.minReadySeconds ?? 0) === minReadySeconds) return undefined;
  return {
    ...newest,
    metadata: { ...newest.metadata, annotations },
    spec: { ...newest.spec, selector: newest.spec?.selector ?? {}, minReadySeconds },
  };
}

const withConditions = (deployment: Deployment, conditions: Conditions): Deployment => ({
  ...deployment,
  status: { ...deployment.status, conditions: [...conditions] },
});

/** The Deployment with the revision of its newest ReplicaSet, and with that one noticed. */
function revised(deployment: Deployment, newest: ReplicaSet | undefined, now: number): Deployment {
  if (newest === undefined) return deployment;
  const revision = newest.metadata.annotations?.[REVISION];
  const annotations = {
    ...deployment.metadata.annotations,
    ...(revision === undefined ? {} : { [REVISION]: revision }),
  };
  const next = { ...deployment, metadata: { ...deployment.metadata, annotations } };
  const conditions = deployment.status?.conditions ?? [];
  if (progressDeadlineOf(deployment) === undefined || conditionOf(conditions, "Progressing") !== undefined) return next;
  const message = `Found new replica set ${JSON.stringify(newest.metadata.name ?? "")}`;
  return withConditions(
    next,
    withCondition(conditions, condition("Progressing", "True", "FoundNewReplicaSet", message, now)),
  );
}

/** A new ReplicaSet for a template that has none, as large as it may be beside the old ones. */
function created(deployment: Deployment, sets: Sets, now: number): RolloutStep {
  const set = newReplicaSet(deployment, highestRevision(sets.old) + 1, newestSize(deployment, sets));
  const annotations = { ...deployment.metadata.annotations, [REVISION]: set.metadata.annotations?.[REVISION] ?? "" };
  const next = { ...deployment, metadata: { ...deployment.metadata, annotations } };
  if (progressDeadlineOf(deployment) === undefined) return { deployment: next, create: set, update: [], remove: [] };
  const message = `Created new replica set ${JSON.stringify(set.metadata.name ?? "")}`;
  const said = condition("Progressing", "True", "NewReplicaSetCreated", message, now);
  const conditions = withCondition(deployment.status?.conditions ?? [], said);
  return { deployment: withConditions(next, conditions), create: set, update: [], remove: [] };
}

/** CTL-124: `Recreate`: no old pod may be left before the first new one is made. */
function recreateStep({ hasPods }: RolloutFacts, deployment: Deployment, sets: Sets): ReplicaSet[] | "create" {
  const { newest, old } = sets;
  const sized = old.filter(isSized);
  if (sized.length > 0) return sized.map((set) => resized(deployment, set, 0));
  const isLeft = old.some(
    (set) =>
      (set.status?.replicas ?? 0) > 0 ||
      // Its controller has not looked at its last size yet: it may be making pods right now.
      (set.metadata.generation ?? 0) > (set.status?.observedGeneration ?? 0) ||
      hasPods(set),
  );
  if (isLeft) return [];
  if (newest === undefined) return "create";
  return sizeOf(newest) === replicasOf(deployment) ? [] : [resized(deployment, newest, replicasOf(deployment))];
}

/** CTL-124: what to do next for a Deployment. */
export function decideRollout(facts: RolloutFacts): RolloutStep {
  const { now } = facts;
  const before = facts.deployment.status ?? {};
  const sets = sortedSets(facts.deployment, facts.sets, facts.rangeOf);
  const nothing = { update: [], remove: [] };
  if (facts.deployment.metadata.deletionTimestamp !== undefined) {
    return { deployment: { ...facts.deployment, status: statusOf(facts.deployment, sets, now) }, ...nothing };
  }
  const deployment = revised(
    withConditions(facts.deployment, pausedConditions(facts.deployment, now)),
    sets.newest,
    now,
  );
  const renewal = renewed(deployment, sets);
  if (renewal !== undefined) return { deployment, update: [renewal], remove: [] };

  const paused = deployment.spec?.paused === true;
  if (paused || isScaled(deployment, sets)) {
    const update = scaledSets(deployment, sets);
    const remove = paused ? outdatedSets(deployment, sets.old) : [];
    return { deployment: { ...deployment, status: statusOf(deployment, sets, now) }, update, remove };
  }

  const create = sets.newest === undefined;
  const update = isRolling(deployment)
    ? create
      ? "create"
      : rollingStep(deployment, sets)
    : recreateStep(facts, deployment, sets);
  if (update === "create") return created(deployment, sets, now);
  const status = progressedStatus(deployment, before, statusOf(deployment, sets, now), sets, now);
  const remove = update.length === 0 && isComplete(deployment, status) ? outdatedSets(deployment, sets.old) : [];
  const again = isComplete(deployment, status) ? undefined : deadlineLeft(deployment, status, now);
  return { deployment: { ...deployment, status }, update, remove, ...(again === undefined ? {} : { again }) };
}
