import type { Pod, ReplicaSetCondition, ReplicaSetStatus } from "../../api/generated/types.ts";
import { sameJson } from "../../api/meta/values.ts";
import { timestamp } from "../../observe/clock.ts";
import { isAvailable } from "../owned/available.ts";
import { matcherOf } from "../owned/selector.ts";
import { isReady } from "../pods/ready.ts";
import type { Replicated } from "./replicated.ts";
import { wantedOf } from "./replicated.ts";

const FAILURE = "ReplicaFailure";

export interface StatusFacts {
  readonly active: readonly Pod[];
  readonly leaving: number;
  /** Why pods could not be made or deleted. */
  readonly failure: { readonly reason: "FailedCreate" | "FailedDelete"; readonly message: string } | undefined;
  /** Milliseconds. */
  readonly now: number;
}

/** A failure that goes on keeps its first message and time, so that it is not written again and again. */
function conditionsOf(object: Replicated, { failure, now }: StatusFacts): ReplicaSetCondition[] {
  const held = object.status?.conditions ?? [];
  if (failure === undefined) return held.filter(({ type }) => type !== FAILURE);
  if (held.some(({ type }) => type === FAILURE)) return [...held];
  return [...held, { type: FAILURE, status: "True", lastTransitionTime: timestamp(now), ...failure }];
}

/** A status as it is compared and written: a count that is 0 and may be left out is left out. */
function normal(status: ReplicaSetStatus, kind: Replicated["kind"]): ReplicaSetStatus {
  const { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas, terminatingReplicas } = status;
  return {
    replicas,
    ...(fullyLabeledReplicas ? { fullyLabeledReplicas } : {}),
    ...(readyReplicas ? { readyReplicas } : {}),
    ...(availableReplicas ? { availableReplicas } : {}),
    // Since 1.35, of ReplicaSets only (KEP 3973); 0 is written.
    ...(kind === "ReplicaSet" && terminatingReplicas !== undefined ? { terminatingReplicas } : {}),
    ...(status.observedGeneration ? { observedGeneration: status.observedGeneration } : {}),
    ...(status.conditions?.length ? { conditions: status.conditions } : {}),
  };
}

/** CTL-124, CTL-129: the status the object should have; undefined when it has it. */
export function nextStatus(object: Replicated, facts: StatusFacts): ReplicaSetStatus | undefined {
  const { template, minReadySeconds } = wantedOf(object);
  const labeled = matcherOf({ matchLabels: template.metadata?.labels ?? {} });
  let fullyLabeledReplicas = 0;
  let readyReplicas = 0;
  let availableReplicas = 0;
  for (const pod of facts.active) {
    if (labeled(pod.metadata.labels)) fullyLabeledReplicas += 1;
    if (isReady(pod)) readyReplicas += 1;
    if (isAvailable(pod, minReadySeconds, facts.now)) availableReplicas += 1;
  }
  const next = normal(
    {
      replicas: facts.active.length,
      fullyLabeledReplicas,
      readyReplicas,
      availableReplicas,
      terminatingReplicas: facts.leaving,
      observedGeneration: object.metadata.generation,
      conditions: conditionsOf(object, facts),
    },
    object.kind,
  );
  const held = normal({ replicas: 0, ...object.status }, object.kind);
  return object.status !== undefined && sameJson(next, held) ? undefined : next;
}
