import type { LabelSelector, PodTemplateSpec, ReplicaSet, ReplicationController } from "../../api/generated/types.ts";

/** A ReplicaSet, or the older ReplicationController: the same logic, but for the form of the selector (CTL-126). */
export type Replicated = ReplicaSet | ReplicationController;

/** What either kind asks for. */
export interface Wanted {
  readonly selector: LabelSelector;
  readonly replicas: number;
  readonly minReadySeconds: number;
  readonly template: PodTemplateSpec;
}

export function wantedOf(object: Replicated): Wanted {
  const { replicas = 1, minReadySeconds = 0, template = {} } = object.spec ?? {};
  const selector =
    object.kind === "ReplicaSet" ? (object.spec?.selector ?? {}) : { matchLabels: object.spec?.selector ?? {} };
  return { selector, replicas, minReadySeconds, template };
}
