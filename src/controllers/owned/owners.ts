import type { LabelSelector, Pod } from "../../api/generated/types.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import { sameJson } from "../../api/meta/values.ts";
import { keyOf } from "../../api/object.ts";
import { isApiError } from "../../api/status.ts";
import type { Cache, CacheChange } from "../../client/cached.ts";
import type { EventRecorder } from "../../client/events.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createOwnWrites } from "../../client/own-writes.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { createRests } from "../pods/rests.ts";
import { decideClaims } from "./claim.ts";
import { waitingOutConflicts } from "./conflicts.ts";
import { wordsOfSelectors } from "./index-words.ts";
import { ownedPodMatters } from "./matters.ts";
import type { OwnedPods } from "./pods.ts";
import { createOwnedPods } from "./pods.ts";
import { controllerUid, ownerKeyOf } from "./reference.ts";
import { matcherOf } from "./selector.ts";

interface Owner<Status> extends KubeObject {
  status?: Status | undefined;
}

/** One turn at an owner: what there is, and what can be done. Everything is read anew with each turn. */
export interface Turn<Status, T extends Owner<Status>> {
  readonly object: T;
  readonly pods: OwnedPods;
  readonly events: EventRecorder;
  readonly signal: AbortSignal;
  /** The object as last written by us, or as the cache has it. */
  readonly current: () => T;
  /** The pods that it manages and selects, our own writes among them. */
  readonly owned: () => Pod[];
  /** Writes the status unless it says just that already. Answers whether it was written. @throws on conflict, to be tried again */
  readonly store: (status: Status) => Promise<boolean>;
  /** Another turn after so many milliseconds; 0 for at once. */
  readonly again: (milliseconds: number) => void;
}

export interface OwnersOptions<Status, T extends Owner<Status>> {
  readonly resource: Resource;
  /** With the index `selector`; see `selectorWord`. */
  readonly cache: Cache<T>;
  /** Who tells: the name in events. */
  readonly component: string;
  readonly selectorOf: (object: T) => LabelSelector | undefined;
  /** Whether, of the pods it selects, it may own this one; all when left out. */
  readonly mayOwn?: (object: T, pod: Pod) => boolean;
  readonly work: (turn: Turn<Status, T>) => Promise<void>;
  /** The owner is gone. What it leaves is the garbage collector's, but for what only we know of. */
  readonly gone?: (object: T) => void;
}

/** Milliseconds of rest that a turn costs, a few being on credit, and the longest rest. Changes that come one by one never wait. */
const REST = 10;
const LONGEST_REST = 200;

export interface Owners extends Part {
  /** Another turn for the owner of this key. */
  add(key: string): void;
}

/** Keeps the pods of all objects of a kind: adopts and frees them, and gives an object its turn whenever something of it changed. */
export async function startOwners<Status, T extends Owner<Status>>(
  environment: ControllerEnvironment,
  options: OwnersOptions<Status, T>,
): Promise<Owners> {
  const { client, caches, clock, random } = environment;
  const { resource, cache, component, selectorOf, mayOwn = () => true } = options;
  const log = environment.log.child({ controller: resource.plural });
  await Promise.all([caches.pods.synced(), cache.synced()]);
  const pods = createOwnedPods({ client, pods: caches.pods, clock, random, resource });
  // Only ever looked up by key: the word does not matter.
  const objects = createOwnWrites<T>(cache, "", keyOf);
  const events = createEventRecorder({ client, component, clock, log });
  const rests = createRests(clock, LONGEST_REST);

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const object = objects.get(key);
    if (object === undefined) return;
    const { uid = "", namespace = "" } = object.metadata;
    const selector = selectorOf(object);
    const matches = matcherOf(selector);
    const candidates = selector === undefined ? [] : [...pods.of(uid), ...pods.orphans(namespace, selector)];
    const claims = decideClaims(
      object,
      matches,
      candidates.filter((pod) => mayOwn(object, pod)),
    );
    await pods.claim(object, claims, signal);
    const current = (): T => objects.get(key) ?? object;
    const owned = (): Pod[] => pods.of(uid).filter((pod) => matches(pod.metadata.labels) && mayOwn(object, pod));
    await options.work({
      object,
      pods,
      events,
      signal,
      current,
      owned,
      async store(status) {
        const held = current();
        if (sameJson(held.status ?? {}, status)) return false;
        try {
          const written = await objects.writing(key, async () => {
            const answered = await client.updateStatus<T>(resource, { ...held, status }, signal);
            objects.wrote(answered);
            return answered;
          });
          return written.metadata.resourceVersion !== held.metadata.resourceVersion;
        } catch (error) {
          objects.forget(held);
          if (isApiError(error, "NotFound")) return false;
          throw error;
        }
      },
      again: (milliseconds) => (milliseconds <= 0 ? queue.add(key) : queue.addAfter(key, milliseconds)),
    });
    // Pods that turn ready one after another are one change of the status, and one step of whoever reads it.
    rests.spend(key, REST + candidates.length / 10);
  };
  const queue = createWorkQueue({
    concurrency: 16,
    clock,
    random,
    log,
    work: waitingOutConflicts(work, (key, milliseconds) => queue.addAfter(key, milliseconds)),
  });
  const touch = (key: string): void => {
    const rest = rests.left(key);
    if (rest === 0) queue.add(key);
    else queue.addAfter(key, rest);
  };

  const touchPod = (change: CacheChange<Pod>): void => {
    if (change.type === "changed" && !ownedPodMatters(change.previous, change.object)) return;
    const states =
      change.type === "changed"
        ? [change.previous, change.object]
        : [change.type === "added" ? change.object : change.previous];
    for (const pod of states) {
      const key = ownerKeyOf(pod, resource);
      if (key !== undefined) touch(key);
    }
    // What nobody manages may be adopted by any that selects it.
    if (change.type === "removed" || controllerUid(change.object) !== undefined) return;
    const { labels } = change.object.metadata;
    for (const object of wordsOfSelectors(change.object).flatMap((word) => cache.by("selector", word))) {
      if (matcherOf(selectorOf(object))(labels)) touch(keyOf(object));
    }
  };
  for (const object of cache.values()) queue.add(keyOf(object));
  const stops = [
    caches.pods.onChange(touchPod),
    objects.onForeignChange((change) => {
      if (change.type === "removed") {
        pods.forget(change.previous.metadata.uid ?? "");
        options.gone?.(change.previous);
      }
      queue.add(keyOf(change.type === "removed" ? change.previous : change.object));
    }),
    () => pods.stop(),
  ];
  return {
    add: touch,
    async stop() {
      for (const stop of stops) stop();
      events.stop();
      await queue.stop();
    },
  };
}
