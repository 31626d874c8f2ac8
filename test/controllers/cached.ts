import type { KubeObject } from "../../src/api/object.ts";
import { keyOf } from "../../src/api/object.ts";
import type { Cache, CacheChange } from "../../src/client/cached.ts";
import type { IndexFunction } from "../../src/client/indexed.ts";
import { createIndexed } from "../../src/client/indexed.ts";

/** A cache that holds what it is told to, and tells its listeners as the real one does. */
export interface HandFed<T extends KubeObject> extends Cache<T> {
  put(object: T): void;
  remove(key: string): void;
}

export function handFed<T extends KubeObject>(indexes: Record<string, IndexFunction<T>> = {}): HandFed<T> {
  const objects = createIndexed<T>(indexes);
  const listeners = new Set<(change: CacheChange<T>) => void>();
  const tell = (change: CacheChange<T>): void => {
    for (const listener of listeners) listener(change);
  };
  return {
    hasSynced: true,
    synced: () => Promise.resolve(),
    get: (key) => objects.get(key),
    values: () => objects.values(),
    get size() {
      return objects.size;
    },
    by: (index, word) => objects.by(index, word),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    resourceVersion: "0",
    heardAt: undefined,
    stop: () => {},
    put(object) {
      const previous = objects.get(keyOf(object));
      objects.set(keyOf(object), object);
      tell(previous === undefined ? { type: "added", object } : { type: "changed", object, previous });
    },
    remove(key) {
      const previous = objects.get(key);
      objects.delete(key);
      if (previous !== undefined) tell({ type: "removed", previous });
    },
  };
}
