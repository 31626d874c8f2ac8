import type { Answer } from "../names/record.ts";
import type { Encoded } from "../wire/writer.ts";

/** A question's answer, ready to send. */
export interface Ready {
  readonly answer: Answer;
  readonly labels: readonly string[];
  /** As bytes, however many. */
  readonly whole: Encoded;
}

/**
 * Answers as bytes, by question. Each remembers what it was computed from, so that a change drops exactly the answers
 * it makes untrue. Holds at most `limit`; beyond it the oldest go, so that made-up names cannot fill memory.
 */
export interface ByteCache {
  get(name: string, type: number): Ready | undefined;
  set(name: string, type: number, ready: Ready, depends: readonly string[]): void;
  /** Forgets every answer that depends on one of these. */
  drop(changed: Iterable<string>): void;
  readonly size: number;
}

interface Entry extends Ready {
  readonly name: string;
  readonly type: number;
  readonly depends: readonly string[];
}

export function createByteCache(limit: number): ByteCache {
  const byType = new Map<number, Map<string, Entry>>();
  const dependents = new Map<string, Set<Entry>>();
  const inOrder = new Set<Entry>();

  const forget = (entry: Entry): void => {
    inOrder.delete(entry);
    const names = byType.get(entry.type);
    names?.delete(entry.name);
    if (names?.size === 0) byType.delete(entry.type);
    for (const word of entry.depends) {
      const set = dependents.get(word);
      set?.delete(entry);
      if (set?.size === 0) dependents.delete(word);
    }
  };

  return {
    get: (name, type) => byType.get(type)?.get(name),
    set(name, type, ready, depends) {
      const known = byType.get(type)?.get(name);
      if (known !== undefined) forget(known);
      for (const oldest of inOrder) {
        if (inOrder.size < limit) break;
        forget(oldest);
      }
      const entry: Entry = { ...ready, name, type, depends };
      const names = byType.get(type) ?? new Map<string, Entry>();
      byType.set(type, names);
      names.set(name, entry);
      inOrder.add(entry);
      for (const word of depends) {
        const set = dependents.get(word) ?? new Set<Entry>();
        dependents.set(word, set);
        set.add(entry);
      }
    },
    drop(changed) {
      for (const word of changed) for (const entry of dependents.get(word) ?? []) forget(entry);
    },
    get size() {
      return inOrder.size;
    },
  };
}
