/** What words an object is to be found under. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** Objects by key, and by the words that index functions give them. */
export interface Indexed<T> {
  get(key: string): T | undefined;
  set(key: string, object: T): void;
  delete(key: string): void;
  by(index: string, word: string): readonly T[];
  values(): IterableIterator<T>;
  entries(): IterableIterator<[string, T]>;
  readonly size: number;
}

export function createIndexed<T>(functions: Readonly<Record<string, IndexFunction<T>>> = {}): Indexed<T> {
  const objects = new Map<string, T>();
  const indexes = new Map<string, { words: IndexFunction<T>; found: Map<string, Map<string, T>> }>();
  for (const [name, words] of Object.entries(functions)) indexes.set(name, { words, found: new Map() });

  const forget = (key: string): void => {
    const previous = objects.get(key);
    if (previous === undefined) return;
    for (const { words, found } of indexes.values()) {
      for (const word of words(previous)) {
        const bucket = found.get(word);
        if (bucket?.delete(key) === true && bucket.size === 0) found.delete(word);
      }
    }
  };
  return {
    get: (key) => objects.get(key),
    set(key, object) {
      forget(key);
      objects.set(key, object);
      for (const { words, found } of indexes.values()) {
        for (const word of words(object)) {
          let bucket = found.get(word);
          if (bucket === undefined) found.set(word, (bucket = new Map()));
          bucket.set(key, object);
        }
      }
    },
    delete(key) {
      forget(key);
      objects.delete(key);
    },
    by(index, word) {
      const held = indexes.get(index);
      if (held === undefined) {
        throw new RangeError(`no index is called ${index}; there are: ${[...indexes.keys()].join(", ") || "none"}`);
      }
      const bucket = held.found.get(word);
      return bucket === undefined ? [] : [...bucket.values()];
    },
    values: () => objects.values(),
    entries: () => objects.entries(),
    get size() {
      return objects.size;
    },
  };
}
