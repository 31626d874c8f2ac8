import type { KubeObject } from "../api/object.ts";
import { keyOf } from "../api/object.ts";
import type { Cache, CacheChange } from "./cached.ts";

/**
 * A cache with our own newest writes laid over it, until the cache has seen them. Who decides from it never makes a thing
 * twice because the watch is slow (CTL-051), and need not wait for the watch either.
 */
export interface OwnWrites<T extends KubeObject> {
  /** The server has answered with this object. */
  wrote(object: T): void;
  /** The server has deleted this object. */
  deleted(object: T): void;
  /** What was believed about this object is wrong, e.g. after a conflict: only the cache counts again. */
  forget(object: T): void;
  get(key: string): T | undefined;
  by(word: string): T[];
  /**
   * Runs writes to objects of this word. The watch may show one before its answer is here: until the writes have ended nobody is
   * told of changes under the word, and of our own not then either.
   */
  writing<R>(word: string, writes: () => Promise<R>): Promise<R>;
  /** As the cache's `onChange`, but for the changes that are our own writes coming back. */
  onForeignChange(listener: (change: CacheChange<T>) => void): () => void;
}

interface Write<T> {
  readonly word: string;
  readonly uid: string | undefined;
  readonly version: string | undefined;
  /** Undefined when it was deleted. */
  readonly object: T | undefined;
}

/** Versions are whole numbers that grow (promised by Kubernetes since 1.35, and true long before). */
const atLeast = (version: string, wanted: string | undefined): boolean =>
  /^\d+$/.test(version) && wanted !== undefined && /^\d+$/.test(wanted) && BigInt(version) >= BigInt(wanted);

/** `index` is one of the cache's, and `wordOf` the single word that it gives an object. */
export function createOwnWrites<T extends KubeObject>(
  cache: Cache<T>,
  index: string,
  wordOf: (object: T) => string,
): OwnWrites<T> {
  const writes = new Map<string, Write<T>>();
  const words = new Map<string, Set<string>>();

  const drop = (key: string): void => {
    const write = writes.get(key);
    if (write === undefined) return;
    writes.delete(key);
    const keys = words.get(write.word);
    if (keys?.delete(key) === true && keys.size === 0) words.delete(write.word);
  };
  const remember = (object: T, gone: boolean): void => {
    const key = keyOf(object);
    drop(key);
    const word = wordOf(object);
    const { uid, resourceVersion } = object.metadata;
    writes.set(key, { word, uid, version: resourceVersion, object: gone ? undefined : object });
    let keys = words.get(word);
    if (keys === undefined) words.set(word, (keys = new Set()));
    keys.add(key);
  };
  const isSeen = (key: string, write: Write<T>): boolean => {
    const cached = cache.get(key);
    if (write.object === undefined) return cached?.metadata.uid !== write.uid;
    return (
      (cached?.metadata.uid === write.uid && cached?.metadata.resourceVersion === write.version) ||
      atLeast(cache.resourceVersion, write.version)
    );
  };
  /** The write that still counts for this key. */
  const current = (key: string): Write<T> | undefined => {
    const write = writes.get(key);
    if (write === undefined || !isSeen(key, write)) return write;
    drop(key);
    return undefined;
  };

  /** How many writes are under way for a word, and whom to tell of what came meanwhile. */
  const underWay = new Map<string, { count: number; readonly held: (() => void)[] }>();

  const isOwn = (change: CacheChange<T>): boolean => {
    if (change.type === "removed") {
      const write = writes.get(keyOf(change.previous));
      return write !== undefined && write.object === undefined && write.uid === change.previous.metadata.uid;
    }
    const { uid, resourceVersion } = change.object.metadata;
    const write = writes.get(keyOf(change.object));
    // An older version of what we wrote is on its way to it; what we decided took it into account.
    return (
      write?.object !== undefined &&
      write.uid === uid &&
      (write.version === resourceVersion || atLeast(write.version ?? "", resourceVersion))
    );
  };

  return {
    wrote: (object) => remember(object, false),
    deleted: (object) => remember(object, true),
    forget: (object) => drop(keyOf(object)),
    get(key) {
      const write = current(key);
      return write === undefined ? cache.get(key) : write.object;
    },
    by(word) {
      const found = new Map(cache.by(index, word).map((object) => [keyOf(object), object]));
      // What we moved to another word, the cache may still have under this one.
      if (writes.size > 0) {
        for (const key of Array.from(found.keys())) {
          const write = current(key);
          if (write !== undefined && write.word !== word) found.delete(key);
        }
      }
      for (const key of Array.from(words.get(word) ?? [])) {
        const write = current(key);
        if (write === undefined) continue;
        if (write.object === undefined) found.delete(key);
        else found.set(key, write.object);
      }
      return [...found.values()];
    },
    async writing(word, write) {
      let writing = underWay.get(word);
      if (writing === undefined) underWay.set(word, (writing = { count: 0, held: [] }));
      writing.count += 1;
      try {
        return await write();
      } finally {
        writing.count -= 1;
        if (writing.count === 0) {
          underWay.delete(word);
          for (const tell of writing.held) tell();
        }
      }
    },
    onForeignChange(listener) {
      return cache.onChange((change) => {
        const object = change.type === "removed" ? change.previous : change.object;
        const tell = (): void => {
          const own = isOwn(change);
          current(keyOf(object));
          if (!own) listener(change);
        };
        const writing = underWay.get(wordOf(object));
        if (writing === undefined) tell();
        else writing.held.push(tell);
      });
    },
  };
}
