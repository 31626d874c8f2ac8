import type { DeploymentCondition, ReplicaSet } from "../../api/generated/types.ts";
import { timestamp } from "../../observe/clock.ts";

export type Conditions = readonly DeploymentCondition[];
export type ConditionType = "Available" | "Progressing" | "ReplicaFailure";

export const conditionOf = (conditions: Conditions | undefined, type: ConditionType): DeploymentCondition | undefined =>
  conditions?.find((condition) => condition.type === type);

export const withoutCondition = (conditions: Conditions, type: ConditionType): Conditions =>
  conditions.filter((condition) => condition.type !== type);

/** Puts a condition in. One that says the same already stays; its time of transition stays while its status does. */
export function withCondition(conditions: Conditions, next: DeploymentCondition): Conditions {
  const held = conditions.find(({ type }) => type === next.type);
  if (held?.status === next.status && held.reason === next.reason) return conditions;
  const lastTransitionTime = held?.status === next.status ? held.lastTransitionTime : next.lastTransitionTime;
  return [...conditions.filter(({ type }) => type !== next.type), { ...next, lastTransitionTime }];
}

export const condition = (
  type: ConditionType,
  status: "True" | "False" | "Unknown",
  reason: string,
  message: string,
  now: number,
): DeploymentCondition => ({
  type,
  status,
  lastUpdateTime: timestamp(now),
  lastTransitionTime: timestamp(now),
  reason,
  message,
});

/** What the ReplicaSets say about pods that could not be made or deleted; the newest one's word goes first. */
export function failureOf(newest: ReplicaSet | undefined, all: readonly ReplicaSet[]): DeploymentCondition | undefined {
  for (const set of newest === undefined ? all : [newest, ...all]) {
    const held = set.status?.conditions?.find(({ type }) => type === "ReplicaFailure");
    if (held !== undefined) return { ...held, lastUpdateTime: held.lastTransitionTime };
  }
  return undefined;
}
