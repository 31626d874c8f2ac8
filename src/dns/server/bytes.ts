import type { Search } from "../names/record.ts";
import { LOWER, type Query } from "../wire/query.ts";
import type { Encoded, WireAnswer } from "../wire/writer.ts";
import type { Block } from "./block.ts";

/** A question's answer, ready to send. */
export interface Ready {
  /** What the bytes were made of; absent where nobody needs that again. */
  readonly from?: { readonly answer: WireAnswer; readonly labels: readonly string[] };
  readonly block: Block;
  /** Who answered, by CoreDNS's name for it. */
  readonly plugin: string;
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
  // Nearly every word has one answer: a set for each would weigh as much as the answer.
  const dependents = new Map<string, Entry | Set<Entry>>();

  const forget = (entry: Entry): void => {
    entries.delete(entry.hash);
    for (const word of entry.depends) {
      const held = dependents.get(word);
      if (held === entry) dependents.delete(word);
      else if (held instanceof Set && held.delete(entry) && held.size === 0) dependents.delete(word);
    }
  };

  /** Many at a time: a Map keeps the places of what was deleted, and each walk from its start passes them all. */
  const makeRoom = (): void => {
    let left = Math.ceil(limit / 16);
    for (const oldest of entries.values()) {
      if (left === 0) break;
      left -= 1;
      forget(oldest);
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
      if (entries.size >= limit) makeRoom();
      // Memory of their own: bytes from the pool that answers are sent from would hold the whole pool, for each entry another.
      const bytes = Buffer.allocUnsafeSlow(ready.whole.bytes.length);
      bytes.set(ready.whole.bytes);
      const whole = { ...ready.whole, bytes };
      const entry: Entry = { ...ready, whole, hash: query.hash, end: query.end, depends };
      entries.set(query.hash, entry);
      for (const word of depends) {
        const held = dependents.get(word);
        if (held === undefined) dependents.set(word, entry);
        else if (held instanceof Set) held.add(entry);
        else dependents.set(word, new Set([held, entry]));
      }
    },
    drop(changed) {
      for (const word of changed) {
        const held = dependents.get(word);
        if (held instanceof Set) for (const entry of held) forget(entry);
        else if (held !== undefined) forget(held);
      }
    },
    get size() {
      return entries.size;
    },
  };
}
