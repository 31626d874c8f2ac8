import type { Pod } from "../../api/generated/types.ts";
import type { Resource } from "../../api/object.ts";
import { keyOf } from "../../api/object.ts";
import { isApiError } from "../../api/status.ts";
import type { Cache } from "../../client/cached.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createOwnWrites } from "../../client/own-writes.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { isActive, isLeaving, nextAvailability } from "../owned/available.ts";
import { decideClaims } from "../owned/claim.ts";
import { wordsOfSelectors } from "../owned/index-words.ts";
import { createOwnedPods } from "../owned/pods.ts";
import { controllerUid } from "../owned/reference.ts";
import { matcherOf } from "../owned/selector.ts";
import { createRests } from "../pods/rests.ts";
import { applyReplicas } from "./act.ts";
import { decideReplicas } from "./decide.ts";
import type { Replicated } from "./replicated.ts";
import { wantedOf } from "./replicated.ts";
import { nextStatus } from "./status.ts";
import { touchedOwners } from "./touches.ts";

export interface ReplicasOptions<T extends Replicated> {
  readonly resource: Resource;
  /** With the indexes `selector` (see `selectorWord`) and `owner` (see `ownerWords`). */
  readonly cache: Cache<T>;
  /** Who tells: the name in events. */
  readonly component: string;
}

/** CTL-124, CTL-126: keeps for every object of the kind as many pods as it asks for. */
export async function startReplicas<T extends Replicated>(
  environment: ControllerEnvironment,
  { resource, cache, component }: ReplicasOptions<T>,
): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: resource.plural });
  await Promise.all([caches.pods.synced(), cache.synced()]);
  const pods = createOwnedPods({ client, pods: caches.pods, clock, random, resource });
  const objects = createOwnWrites<T>(cache, "owner", (object) => controllerUid(object) ?? "");
  const events = createEventRecorder({ client, component, clock, log });
  const rests = createRests(clock);

  /** The pods of all that the controller of this object manages, itself among them. */
  const related = (object: T): Pod[] => {
    const uid = controllerUid(object);
    const siblings = uid === undefined ? [object] : cache.by("owner", uid);
    return siblings.flatMap(({ metadata }) => pods.of(metadata.uid ?? ""));
  };

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const object = objects.get(key);
    // What a deleted owner leaves, the garbage collector takes or sets free.
    if (object === undefined) return;
    const { uid = "", namespace = "", deletionTimestamp } = object.metadata;
    const { selector, replicas, minReadySeconds } = wantedOf(object);
    const matches = matcherOf(selector);
    const candidates = [...pods.of(uid), ...pods.orphans(namespace, selector)];
    await pods.claim(object, decideClaims(object, matches, candidates.filter(isActive)), signal);
    const owned = () => decideClaims(object, matches, pods.of(uid)).owned;

    const changes = decideReplicas(owned().filter(isActive), replicas, () => related(object), clock.now());
    const failed =
      deletionTimestamp === undefined
        ? await applyReplicas(pods, events, resource, object, changes, signal)
        : undefined;

    const now = clock.now();
    const present = owned();
    const active = present.filter(isActive);
    rests.begin(key, active.length / 10);
    const leaving = present.filter(isLeaving).length;
    const status = nextStatus(object, { active, leaving, failure: failed?.condition, now });
    if (status !== undefined) {
      try {
        objects.wrote(await client.updateStatus<T>(resource, { ...object, status }, signal));
      } catch (error) {
        // Somebody else wrote in between; what was decided here is decided anew.
        objects.forget(object);
        if (!isApiError(error, "NotFound")) throw error;
      }
    }
    if (failed !== undefined) throw failed.error;
    if (changes.create + changes.remove.length > 0 && active.length !== replicas) queue.add(key);
    const next = nextAvailability(active, minReadySeconds, now);
    if (next !== undefined) queue.addAfter(key, next);
  };
  const queue = createWorkQueue({ concurrency: 16, clock, random, log, work });

  /** The owners that may adopt this pod. */
  const selecting = (pod: Pod): string[] =>
    wordsOfSelectors(pod)
      .flatMap((word) => cache.by("selector", word))
      .filter((object) => matcherOf(wantedOf(object).selector)(pod.metadata.labels))
      .map(keyOf);
  for (const object of cache.values()) queue.add(keyOf(object));
  const stops = [
    caches.pods.onChange((change) => {
      for (const key of touchedOwners(change, resource, selecting)) {
        const rest = rests.left(key);
        if (rest === 0) queue.add(key);
        else queue.addAfter(key, rest);
      }
    }),
    objects.onForeignChange((change) => {
      if (change.type === "removed") pods.forget(change.previous.metadata.uid ?? "");
      queue.add(keyOf(change.type === "removed" ? change.previous : change.object));
    }),
    pods.stop,
  ];
  return {
    async stop() {
      for (const stop of stops) stop();
      events.stop();
      await queue.stop();
    },
  };
}
