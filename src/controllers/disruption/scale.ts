import type { OwnerReference, Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { Caches } from "../caches.ts";
import { controllerOf } from "../owned/reference.ts";
import type { Scale } from "./decide.ts";

type Sources = Pick<Caches, "deployments" | "replicaSets" | "replicationControllers" | "statefulSets">;

interface Owner {
  readonly uid: string;
  readonly replicas: number;
}

/** The owner that says how many pods there are to be: a Deployment where its ReplicaSet has one. */
function ownerOf(sources: Sources, namespace: string, reference: OwnerReference): Owner | undefined {
  const key = `${namespace}/${reference.name}`;
  const ofKind = {
    ReplicationController: () => sources.replicationControllers.get(key),
    ReplicaSet: () => sources.replicaSets.get(key),
    StatefulSet: () => sources.statefulSets.get(key),
    Deployment: () => sources.deployments.get(key),
  }[reference.kind];
  const owner = ofKind?.();
  if (owner === undefined || owner.metadata.uid !== reference.uid) return undefined;
  const above = owner.kind === "ReplicaSet" ? controllerOf(owner) : undefined;
  if (above?.kind === "Deployment") return ownerOf(sources, namespace, above);
  return { uid: reference.uid, replicas: owner.spec?.replicas ?? 1 };
}

const SCALED = ["ReplicationController", "ReplicaSet", "StatefulSet", "Deployment"];

/** The sum of what the pods' owners ask for; pods that nobody manages count for nothing. */
export function scaleOf(sources: Sources, pods: readonly Pod[]): Scale {
  const owners = new Map<string, number>();
  for (const pod of pods) {
    const reference = controllerOf(pod);
    if (reference === undefined) continue;
    const owner = ownerOf(sources, pod.metadata.namespace ?? "", reference);
    if (owner !== undefined) owners.set(owner.uid, owner.replicas);
    else if (SCALED.includes(reference.kind))
      return { unknown: `found no controllers for pod "${pod.metadata.name ?? ""}"` };
    else {
      const why = `${reference.kind} ${reference.name}, which manages pod ${keyOf(pod)}, does not implement the scale subresource`;
      return { unknown: why };
    }
  }
  return { count: [...owners.values()].reduce((sum, replicas) => sum + replicas, 0) };
}
