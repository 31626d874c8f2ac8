import { keyOf, type KubeObject, type Resource } from "../../api/object.ts";
import { isApiError } from "../../api/status.ts";
import { backoff } from "../../client/backoff.ts";
import type { Client } from "../../client/client.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { Needs } from "../plan/needs.ts";
import { scopedCache, type Scope, type ScopedCache } from "./scoped.ts";

export interface ReferredOptions<T extends KubeObject> {
  readonly client: Client;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly resource: Resource;
  readonly scopes: readonly Scope[];
  /** Takes its content away, which is what needs memory. */
  readonly empty: (object: T) => void;
  /** Its content is held though nobody refers to it. */
  readonly keeps: (object: T) => boolean;
  /** What cannot be done without them, for the log: ends the sentence "… may not be read; …". */
  readonly without: string;
  /** An object that somebody refers to has changed, or can be had now. */
  readonly changed: (key: string) => void;
}

/** Objects of which only those that somebody refers to are held whole. */
export interface Referred<T extends KubeObject> {
  get(key: string): T | undefined;
  /**
   * All that one refers to from now on. Watching begins with the first that anybody refers to. Undefined: all of them are in hand, or known
   * not to be there; else resolves when that is so, or they could not be had.
   */
  refer(who: string, keys: ReadonlySet<string>): Promise<void> | undefined;
  stop(): Promise<void>;
}

/** Milliseconds after which it is tried again what was forbidden. */
const FORBIDDEN_AGAIN = 60_000;
const BOUNDS = { least: 50, most: 5_000 };

export function referred<T extends KubeObject>(options: ReferredOptions<T>): Referred<T> {
  const { client, clock, random, resource, scopes, empty, keeps, changed } = options;
  const log = options.log.child({ resource: resource.plural });
  const references = new Needs();
  /** Objects whose content was taken away. */
  const emptied = new WeakSet<T>();
  /** The same ones whole, asked for one by one. */
  const fetched = new Map<string, T>();
  const waits = new Map<string, PromiseWithResolvers<void>>();
  const stopping = new AbortController();
  let cache: ScopedCache<T> | undefined;
  let listing: Promise<void> | undefined;
  let isListed = false;
  let wake = (): void => {};

  const isReferred = (key: string): boolean => references.needers(key).size > 0;

  const watch = (): ScopedCache<T> => {
    const watching = scopedCache<T>(
      {
        client,
        clock,
        random,
        log: options.log,
        resource,
        prune(object) {
          object.metadata.managedFields = undefined;
          if (keeps(object) || isReferred(keyOf(object))) return;
          empty(object);
          emptied.add(object);
        },
      },
      scopes,
    );
    watching.onChange((change) => {
      const object = change.type === "removed" ? change.previous : change.object;
      const key = keyOf(object);
      fetched.delete(key);
      if (!isReferred(key)) return;
      if (change.type !== "removed" && emptied.has(object)) queue.add(key);
      else changed(key);
    });
    return watching;
  };

  /** Resolves when they are listed, or are known to be forbidden. */
  const list = async (): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted;) {
      try {
        const { namespace } = scopes[0] ?? {};
        const only = { limit: 1, ...(namespace === undefined ? {} : { namespace }) };
        await client.list(resource, only, stopping.signal);
        cache = watch();
        await cache.synced();
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        const why = error instanceof Error ? error.message : String(error);
        if (isApiError(error, "Forbidden")) {
          if (!isListed) log.warn({ error: why }, `${resource.plural} may not be read; ${options.without}`);
          clock.after(FORBIDDEN_AGAIN, () => void list().then(tellAll));
          return;
        }
        failures += 1;
        log.warn({ error: why, failures }, "asking for them failed; trying again");
        const over = Promise.withResolvers<void>();
        const cancel = clock.after(backoff(BOUNDS, failures, random), over.resolve);
        wake = over.resolve;
        await over.promise;
        cancel();
      }
    }
  };
  const tellAll = (): void => {
    if (cache !== undefined) for (const object of cache.values()) if (isReferred(keyOf(object))) changed(keyOf(object));
  };

  const queue = createWorkQueue({
    concurrency: 8,
    clock,
    random,
    log,
    async work(key, signal) {
      try {
        const held = cache?.get(key);
        if (held === undefined || !emptied.has(held) || !isReferred(key)) return;
        const { namespace, name = "" } = held.metadata;
        const object = await client.get<T>(resource, { namespace, name }, signal);
        object.metadata.managedFields = undefined;
        // What came meanwhile is newer, and whole.
        if (cache?.get(key) !== held) return;
        fetched.set(key, object);
        changed(key);
      } catch (error) {
        if (!isApiError(error, "NotFound")) throw error;
      } finally {
        waits.get(key)?.resolve();
        waits.delete(key);
      }
    },
  });

  const refer = (who: string, keys: ReadonlySet<string>): Promise<void> | undefined => {
    references.set(who, keys);
    if (keys.size === 0) return undefined;
    listing ??= list().then(() => {
      isListed = true;
    });
    return isListed ? have(keys) : listing.then(() => have(keys));
  };

  const find = (key: string): T | undefined => {
    // Who asks without having said so refers to it from now on.
    if (!isReferred(key)) void refer(`asked for ${key}`, new Set([key]))?.then(() => changed(key));
    const held = cache?.get(key);
    if (held === undefined || !emptied.has(held)) return held;
    const whole = fetched.get(key);
    if (whole === undefined) queue.add(key);
    return whole;
  };

  /** Undefined when all are in hand. */
  const have = (keys: ReadonlySet<string>): Promise<void> | undefined => {
    const missing = [...keys].filter((key) => {
      const held = cache?.get(key);
      return held !== undefined && emptied.has(held) && !fetched.has(key);
    });
    if (missing.length === 0) return undefined;
    const each = missing.map((key) => {
      const wait = waits.get(key) ?? Promise.withResolvers<void>();
      waits.set(key, wait);
      queue.add(key);
      return wait.promise;
    });
    return Promise.all(each).then(() => {});
  };

  return {
    get: find,
    refer,
    async stop() {
      stopping.abort(new Error("what is referred to is not looked at any more"));
      wake();
      cache?.stop();
      for (const wait of waits.values()) wait.resolve();
      await queue.stop();
    },
  };
}
