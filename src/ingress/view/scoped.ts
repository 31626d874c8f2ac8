import type { KubeObject } from "../../api/object.ts";
import { createCache, type CacheOptions } from "../../client/cache.ts";
import type { Cache, CacheChange } from "../../client/cached.ts";

/** Which objects of a resource are looked at: those of a namespace, or of all; or one alone. */
export interface Scope {
  readonly namespace?: string | undefined;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

/** Caches of one resource in several scopes that have nothing in common, as one. */
export interface ScopedCache<T extends KubeObject> {
  get(key: string): T | undefined;
  by(index: string, word: string): readonly T[];
  values(): Iterable<T>;
  onChange(listener: (change: CacheChange<T>) => void): void;
  synced(): Promise<void>;
  /** What of them was heard of longest ago; milliseconds since the epoch, undefined while one has not been listed. */
  readonly heardAt: number | undefined;
  stop(): void;
}

export function scopedCache<T extends KubeObject>(
  options: Omit<CacheOptions<T>, keyof Scope>,
  scopes: readonly Scope[],
): ScopedCache<T> {
  const caches: readonly Cache<T>[] = scopes.map(({ namespace, ...rest }) =>
    createCache<T>({ ...options, ...rest, ...(namespace === undefined ? {} : { namespace }) }),
  );
  return {
    get(key) {
      for (const cache of caches) {
        const found = cache.get(key);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    by: (index, word) =>
      caches.length === 1 ? caches[0]!.by(index, word) : caches.flatMap((one) => one.by(index, word)),
    *values() {
      for (const cache of caches) yield* cache.values();
    },
    onChange(listener) {
      for (const cache of caches) cache.onChange(listener);
    },
    async synced() {
      await Promise.all(caches.map((cache) => cache.synced()));
    },
    get heardAt() {
      let oldest = Number.POSITIVE_INFINITY;
      for (const { heardAt } of caches) {
        if (heardAt === undefined) return undefined;
        oldest = Math.min(oldest, heardAt);
      }
      return oldest;
    },
    stop() {
      for (const cache of caches) cache.stop();
    },
  };
}

/**
 * The scopes that are looked at: all that there is, or one namespace and, of others, what is named apart.
 *
 * @param apart `namespace/name`
 */
export function scopesOf(
  namespace: string | undefined,
  apart: readonly (string | undefined)[],
  select: (name: string) => Omit<Scope, "namespace">,
): Scope[] {
  if (namespace === undefined) return [{}];
  const others = new Set(apart.filter((key) => key !== undefined && !key.startsWith(`${namespace}/`)));
  const scopeOf = (key: string): Scope => {
    const slash = key.indexOf("/");
    return { namespace: key.slice(0, slash), ...select(key.slice(slash + 1)) };
  };
  return [{ namespace }, ...[...others].map((key) => scopeOf(key ?? ""))];
}
