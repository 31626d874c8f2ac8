import type { Pod, ReplicaSetStatus } from "../../api/generated/types.ts";
import type { Resource } from "../../api/object.ts";
import type { Cache } from "../../client/cached.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { isActive, isLeaving, nextAvailability } from "../owned/available.ts";
import { startOwners } from "../owned/owners.ts";
import type { OwnedPods } from "../owned/pods.ts";
import { controllerUid } from "../owned/reference.ts";
import { applyReplicas } from "./act.ts";
import { decideReplicas } from "./decide.ts";
import type { Replicated } from "./replicated.ts";
import { wantedOf } from "./replicated.ts";
import { nextStatus } from "./status.ts";

export interface ReplicasOptions<T extends Replicated> {
  readonly resource: Resource;
  /** With the indexes `selector` (see `selectorWord`) and `owner` (see `ownerWords`). */
  readonly cache: Cache<T>;
  /** Who tells: the name in events. */
  readonly component: string;
}

/** CTL-124, CTL-126: keeps for every object of the kind as many pods as it asks for. */
export function startReplicas<T extends Replicated>(
  environment: ControllerEnvironment,
  { resource, cache, component }: ReplicasOptions<T>,
): Promise<Part> {
  const { clock } = environment;

  /** The pods of all that the controller of this object manages, itself among them. */
  const related = (object: T, pods: OwnedPods): Pod[] => {
    const uid = controllerUid(object);
    const siblings = uid === undefined ? [object] : cache.by("owner", uid);
    return siblings.flatMap(({ metadata }) => pods.of(metadata.uid ?? ""));
  };

  return startOwners<ReplicaSetStatus, T>(environment, {
    resource,
    cache,
    component,
    selectorOf: (object) => wantedOf(object).selector,
    // What has ended already is nobody's gain.
    mayOwn: ({ metadata }, pod) => controllerUid(pod) === metadata.uid || isActive(pod),
    async work({ object, pods, events, signal, owned, store, again }) {
      const { replicas, minReadySeconds } = wantedOf(object);
      const before = owned().filter(isActive);
      const changes = decideReplicas(before, replicas, () => related(object, pods), clock.now());
      const failed =
        object.metadata.deletionTimestamp === undefined
          ? await applyReplicas(pods, events, resource, object, changes, signal)
          : undefined;

      const now = clock.now();
      const present = owned();
      const active = present.filter(isActive);
      const leaving = present.filter(isLeaving).length;
      const status = nextStatus(object, { active, leaving, failure: failed?.condition, now });
      if (status !== undefined) await store(status);
      if (failed !== undefined) throw failed.error;
      // More were to be made or deleted than is done in one go.
      if (active.length !== before.length && active.length !== replicas) again(0);
      const next = nextAvailability(active, minReadySeconds, now);
      if (next !== undefined) again(next);
    },
  });
}
