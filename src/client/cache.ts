import type { KubeObject, Resource, WatchEvent } from "../api/object.ts";
import { keyOf } from "../api/object.ts";
import { ApiError, isApiError } from "../api/status.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { BackoffBounds } from "./backoff.ts";
import { backoff } from "./backoff.ts";
import type { Cache, CacheChange } from "./cached.ts";
import type { Client } from "./client.ts";
import type { IndexFunction } from "./indexed.ts";
import { createIndexed } from "./indexed.ts";
import { listAll } from "./list-all.ts";

export interface CacheOptions<T extends KubeObject> {
  readonly client: Client;
  readonly resource: Resource;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /**
   * Called once with each object that came, before it is held or told to anybody: may take away what nobody here reads, by
   * writing undefined over it.
   */
  readonly prune?: (object: T) => void;
  /** Objects a page of a list; 500. */
  readonly pageSize?: number;
  /** Waits after failures; 50 ms to 5 s. */
  readonly bounds?: BackoffBounds;
}

/** Failures in a row after which what we hold is no longer trusted to be a place to watch from. */
const RELIST_AFTER = 3;

/** Starts listing and watching at once; see `Cache`. Nothing but `stop()` ends it. */
export function createCache<T extends KubeObject>(options: CacheOptions<T>): Cache<T> {
  const { client, resource, clock, random } = options;
  const log = options.log.child({ resource: resource.plural });
  const bounds = options.bounds ?? { least: 50, most: 5000 };
  const scope = {
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  };
  const stopping = new AbortController();
  const objects = createIndexed<T>(options.indexes);
  const listeners = new Set<(change: CacheChange<T>) => void>();
  const synced = Promise.withResolvers<void>();
  let hasSynced = false;
  let version = "";
  let failures = 0;
  let isOpen = false;
  let knownAt: number | undefined;

  /** An open watch is as current as its server was last heard on any connection: it would have told. */
  const heardAt = (): number | undefined => (isOpen ? Math.max(knownAt ?? 0, client.heardAt ?? 0) : knownAt);

  const tell = (change: CacheChange<T>): void => {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        log.error({ error }, "a listener of the cache failed");
      }
    }
  };

  /** Takes one object in and says what that changed; nothing when the very same is held already. */
  const take = (object: T): CacheChange<T>[] => {
    const key = keyOf(object);
    const previous = objects.get(key);
    if (previous !== undefined && previous.metadata.uid === object.metadata.uid) {
      if (previous.metadata.resourceVersion === object.metadata.resourceVersion) return [];
      objects.set(key, object);
      return [{ type: "changed", object, previous }];
    }
    objects.set(key, object);
    // Another uid under the same name: the old one was deleted, unseen by us.
    return previous === undefined
      ? [{ type: "added", object }]
      : [
          { type: "removed", previous },
          { type: "added", object },
        ];
  };

  const drop = (key: string): CacheChange<T>[] => {
    const previous = objects.get(key);
    if (previous === undefined) return [];
    objects.delete(key);
    return [{ type: "removed", previous }];
  };

  const relist = async (): Promise<void> => {
    const askedAt = clock.now();
    const list = await listAll<T>(
      client,
      resource,
      { ...scope, limit: options.pageSize ?? 500 },
      stopping.signal,
      options.prune,
    );
    if (stopping.signal.aborted) return;
    const present = new Set(list.items.map(keyOf));
    const gone = [...objects.entries()].map(([key]) => key).filter((key) => !present.has(key));
    const changes = [...gone.flatMap(drop), ...list.items.flatMap(take)];
    version = list.resourceVersion;
    knownAt = askedAt;
    hasSynced = true;
    // All is taken in before anybody is told, so that a listener which looks around sees no half of a list.
    for (const change of changes) tell(change);
    synced.resolve();
  };

  const takeEvent = (event: WatchEvent<T>): void => {
    const { metadata } = event.object;
    if (typeof metadata?.resourceVersion !== "string") {
      throw new Error(`a ${event.type} event of ${resource.plural} has no resourceVersion`);
    }
    let changes: CacheChange<T>[] = [];
    if (event.type === "ADDED" || event.type === "MODIFIED") {
      options.prune?.(event.object);
      changes = take(event.object);
    } else if (event.type === "DELETED") {
      const key = keyOf(event.object);
      // A deletion of an older namesake says nothing about the one that we hold.
      if (objects.get(key)?.metadata.uid === metadata.uid) changes = drop(key);
    }
    version = metadata.resourceVersion;
    knownAt = clock.now();
    failures = 0;
    for (const change of changes) tell(change);
  };

  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(milliseconds, finish);
      function finish(): void {
        cancel();
        stopping.signal.removeEventListener("abort", finish);
        resolve();
      }
      stopping.signal.addEventListener("abort", finish, { once: true });
    });

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const before = version;
      const openedAt = clock.now();
      try {
        if (version === "") await relist();
        const opened = (): void => {
          isOpen = true;
          knownAt = clock.now();
        };
        const watching = client.watch<T>(resource, { ...scope, resourceVersion: version }, stopping.signal, opened);
        for await (const event of watching) {
          if (stopping.signal.aborted) return;
          takeEvent(event);
        }
        // A server that ends each watch at once without a word must not be asked without end.
        if (version === before && clock.now() - openedAt < 1000) failures += 1;
        else failures = 0;
      } catch (error) {
        if (stopping.signal.aborted) return;
        failures += 1;
        const refused = error instanceof ApiError && (error.code < 500 || isApiError(error, "Timeout"));
        if (refused || failures >= RELIST_AFTER) version = "";
        const facts = { error: error instanceof Error ? error.message : String(error), failures };
        if (isApiError(error, "Expired", "Gone")) log.debug(facts, "the version to watch from is too old: list again");
        else log.warn(facts, "listing or watching failed; trying again");
      } finally {
        knownAt = heardAt();
        isOpen = false;
      }
      if (failures > 0 && !stopping.signal.aborted) await pause(backoff(bounds, failures, random));
    }
  };
  void run();

  return {
    get hasSynced() {
      return hasSynced;
    },
    synced: () => synced.promise,
    get: (key) => objects.get(key),
    values: () => objects.values(),
    get size() {
      return objects.size;
    },
    by: (index, word) => objects.by(index, word),
    onChange(listener) {
      // Wrapped, so that one function may listen twice.
      const own = (change: CacheChange<T>): void => listener(change);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    get resourceVersion() {
      return version;
    },
    get heardAt() {
      return heardAt();
    },
    stop: () => stopping.abort(new Error("the cache was stopped")),
  };
}
