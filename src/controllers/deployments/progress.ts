import type { Deployment, DeploymentStatus } from "../../api/generated/types.ts";
import { progressDeadlineOf } from "./bounds.ts";
import type { Conditions } from "./conditions.ts";
import { condition, conditionOf, failureOf, withCondition, withoutCondition } from "./conditions.ts";
import type { Sets } from "./sets.ts";
import { deadlineLeft, isComplete, isMoving } from "./status.ts";

/** What pausing and going on does to `Progressing`: the time a Deployment was paused does not count against its deadline. */
export function pausedConditions(deployment: Deployment, now: number): Conditions {
  const conditions = deployment.status?.conditions ?? [];
  const reason = conditionOf(conditions, "Progressing")?.reason;
  const paused = deployment.spec?.paused === true;
  if (progressDeadlineOf(deployment) === undefined || reason === "ProgressDeadlineExceeded") return conditions;
  if (paused === (reason === "DeploymentPaused")) return conditions;
  return withCondition(
    conditions,
    paused
      ? condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", now)
      : condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", now),
  );
}

/** CTL-124: `status` with what is to be said of the rollout's progress, `before` being what the Deployment said last. */
export function progressedStatus(
  deployment: Deployment,
  before: DeploymentStatus,
  status: DeploymentStatus,
  { newest, all }: Sets,
  now: number,
): DeploymentStatus {
  let conditions: Conditions = status.conditions ?? [];
  const held = conditionOf(conditions, "Progressing");
  const who =
    newest === undefined
      ? `Deployment ${JSON.stringify(deployment.metadata.name ?? "")}`
      : `ReplicaSet ${JSON.stringify(newest.metadata.name ?? "")}`;
  const wasComplete =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && held?.reason === "NewReplicaSetAvailable";
  if (progressDeadlineOf(deployment) === undefined) conditions = withoutCondition(conditions, "Progressing");
  else if (!wasComplete) {
    if (isComplete(deployment, status)) {
      const message = `${who} has successfully progressed.`;
      conditions = withCondition(conditions, condition("Progressing", "True", "NewReplicaSetAvailable", message, now));
    } else if (isMoving(before, status)) {
      const next = condition("Progressing", "True", "ReplicaSetUpdated", `${who} is progressing.`, now);
      // Every sign of life counts anew, also when reason and status were the same before.
      const lastTransitionTime = held?.status === "True" ? held.lastTransitionTime : next.lastTransitionTime;
      conditions = [...withoutCondition(conditions, "Progressing"), { ...next, lastTransitionTime }];
    } else if (deadlineLeft(deployment, status, now) === 0) {
      const message = `${who} has timed out progressing.`;
      conditions = withCondition(
        conditions,
        condition("Progressing", "False", "ProgressDeadlineExceeded", message, now),
      );
    }
  }
  const failure = failureOf(newest, all);
  conditions =
    failure === undefined ? withoutCondition(conditions, "ReplicaFailure") : withCondition(conditions, failure);
  return { ...status, conditions: [...conditions] };
}
