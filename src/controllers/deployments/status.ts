import type { Deployment, DeploymentStatus, ReplicaSet } from "../../api/generated/types.ts";
import { maxUnavailableOf, progressDeadlineOf, replicasOf } from "./bounds.ts";
import { condition, conditionOf, withCondition } from "./conditions.ts";
import type { Sets } from "./sets.ts";
import { sizeOf, totalOf } from "./sets.ts";

/** A count that is 0 is left out, as the API server does; but for `terminatingReplicas` and `collisionCount`, which are pointers. */
const count = <Name extends string>(name: Name, value: number): { [name in Name]?: number } =>
  value === 0 ? {} : ({ [name]: value } as { [name in Name]: number });

/** The pods that are on their way out; undefined when a ReplicaSet does not say (KEP 3973). */
function terminatingOf(sets: readonly ReplicaSet[]): number | undefined {
  let total = 0;
  for (const { status } of sets) {
    if (status?.terminatingReplicas !== undefined) total += status.terminatingReplicas;
    else if (status?.observedGeneration) return undefined;
  }
  return total;
}

/** CTL-124: the counts, and whether there are as many available pods as there must be. */
export function statusOf(deployment: Deployment, { newest, all }: Sets, now: number): DeploymentStatus {
  const available = totalOf(all, ({ status }) => status?.availableReplicas ?? 0);
  const terminating = terminatingOf(all);
  const { collisionCount, conditions = [] } = deployment.status ?? {};
  const isEnough = available >= replicasOf(deployment) - maxUnavailableOf(deployment);
  const availability = isEnough
    ? condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
    : condition(
        "Available",
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
        now,
      );
  return {
    ...count("observedGeneration", deployment.metadata.generation ?? 0),
    ...count(
      "replicas",
      totalOf(all, ({ status }) => status?.replicas ?? 0),
    ),
    ...count("updatedReplicas", newest?.status?.replicas ?? 0),
    ...count(
      "readyReplicas",
      totalOf(all, ({ status }) => status?.readyReplicas ?? 0),
    ),
    ...count("availableReplicas", available),
    ...count("unavailableReplicas", Math.max(0, totalOf(all, sizeOf) - available)),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: [...withCondition(conditions, availability)],
  };
}

/** All pods are of the newest template, available, and as many as are wanted. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, observedGeneration = 0 } = status;
  const wanted = replicasOf(deployment);
  return (
    updatedReplicas === wanted &&
    replicas === wanted &&
    availableReplicas === wanted &&
    observedGeneration >= (deployment.metadata.generation ?? 0)
  );
}

/** There are more new, ready or available pods than before, or fewer old ones. */
export function isMoving(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const oldOf = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus): number => replicas - updatedReplicas;
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldOf(after) < oldOf(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** A timer cannot wait for longer than 24 days; whoever waits for longer looks again after one. */
const DAY = 24 * 60 * 60 * 1000;

/** Milliseconds until the lack of progress must be reported, 0 when that is now; undefined when it is not watched or was. */
export function deadlineLeft(deployment: Deployment, status: DeploymentStatus, now: number): number | undefined {
  const seconds = progressDeadlineOf(deployment);
  const held = conditionOf(status.conditions, "Progressing");
  if (seconds === undefined || held === undefined) return undefined;
  if (held.reason === "NewReplicaSetAvailable" || held.reason === "ProgressDeadlineExceeded") return undefined;
  const since = Date.parse(held.lastUpdateTime ?? "");
  // The time is cut to whole seconds; with one more, nothing is late before its time.
  return Number.isNaN(since) ? undefined : Math.min(DAY, Math.max(0, since + seconds * 1000 + 1000 - now));
}
