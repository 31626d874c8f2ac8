import type { Answer, Search } from "../names/record.ts";
import { LOWER, type Query } from "../wire/query.ts";
import type { Encoded } from "../wire/writer.ts";
import type { Block } from "./block.ts";

/** A question's answer, ready to send. */
export interface Ready {
  readonly answer: Answer;
  readonly labels: readonly string[];
  readonly block: Block;
  readonly search?: Search;
  /** As bytes, however many, with the question's name in lower case. */
  readonly whole: Encoded;
}

/**
 * Answers as bytes, by question. Each remembers what it was computed from, so that a change drops exactly the answers
 * it makes untrue. Holds at most `limit`; beyond it the oldest go, so that made-up names cannot fill memory.
 */
export interface ByteCache {
  get(packet: Buffer, query: Query): Ready | undefined;
  set(query: Query, ready: Ready, depends: readonly string[]): void;
  /** Forgets every answer that depends on one of these. */
  drop(changed: Iterable<string>): void;
  readonly size: number;
}

interface Entry extends Ready {
  readonly hash: number;
  readonly end: number;
  readonly depends: readonly string[];
}

/** True when the entry answers this very question, in whatever spelling: equal hashes alone prove nothing. */
function isFor(entry: Entry, packet: Buffer, end: number): boolean {
  if (entry.end !== end) return false;
  const { bytes } = entry.whole;
  const nameEnd = end - 4;
  for (let at = 12; at < nameEnd; at += 1) if (bytes[at] !== LOWER[packet[at]!]) return false;
  return bytes[nameEnd] === packet[nameEnd] && bytes[nameEnd + 1] === packet[nameEnd + 1];
}

export function createByteCache(limit: number): ByteCache {
  // By hash: making a string of each name, to look it up by, would cost more than all the rest of an answer.
  const entries = new Map<number, Entry>();
  const dependents = new Map<string, Set<Entry>>();

  const forget = (entry: Entry): void => {
    entries.delete(entry.hash);
    for (const word of entry.depends) {
      const set = dependents.get(word);
      set?.delete(entry);
      if (set?.size === 0) dependents.delete(word);
    }
  };

  return {
    get(packet, query) {
      const entry = entries.get(query.hash);
      return entry !== undefined && isFor(entry, packet, query.end) ? entry : undefined;
    },
    set(query, ready, depends) {
      const known = entries.get(query.hash);
      if (known !== undefined) forget(known);
      for (const oldest of entries.values()) {
        if (entries.size < limit) break;
        forget(oldest);
      }
      const entry: Entry = { ...ready, hash: query.hash, end: query.end, depends };
      entries.set(query.hash, entry);
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
      return entries.size;
    },
  };
}
