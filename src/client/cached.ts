import type { KubeObject } from "../api/object.ts";

/** A change the cache has already taken in when its listener hears of it. */
export type CacheChange<T> =
  | { readonly type: "added"; readonly object: T }
  | { readonly type: "changed"; readonly object: T; readonly previous: T }
  | { readonly type: "removed"; readonly previous: T };

/**
 * All objects of one resource (within a selector), kept current by list and watch through every failure.
 * Objects are shared: nobody may change one.
 */
export interface Cache<T extends KubeObject> {
  /** True once the first list has been taken in whole; never false again. */
  readonly hasSynced: boolean;
  /** Resolves when `hasSynced`. */
  synced(): Promise<void>;
  /** By `namespace/name` (or `name`). */
  get(key: string): T | undefined;
  values(): IterableIterator<T>;
  readonly size: number;
  /** The objects an index function gave this word to; see `indexes` in the options. */
  by(index: string, word: string): readonly T[];
  /** Called synchronously, in order, for every change after the call; a relist is told as the differences it brought. Returns the way to stop. */
  onChange(listener: (change: CacheChange<T>) => void): () => void;
  /** Version of the newest event taken in. */
  readonly resourceVersion: string;
  /**
   * When what it holds was last known to be all there is: a list was asked for, or the server was heard while the watch was open.
   * Milliseconds since the epoch; undefined before the first list.
   */
  readonly heardAt: number | undefined;
  /** Ends the watch. */
  stop(): void;
}
