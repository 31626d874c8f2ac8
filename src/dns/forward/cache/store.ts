import type { Response } from "../response.ts";
import { isSameQuestion } from "../question.ts";

/** An answer that is kept. Times are in milliseconds. */
export interface Entry {
  readonly key: number;
  readonly variant: number;
  readonly response: Response;
  readonly isFailure: boolean;
  readonly stored: number;
  readonly expires: number;
  /** How often it was asked for, without a long pause between, and when last. */
  hits: number;
  lastHit: number;
  /** Asked for since it was last spared. */
  isWanted: boolean;
  isRefreshing: boolean;
}

/** Answers by question, at most so many, and so many bytes of them. */
export interface Store {
  get(key: number, variant: number, packet: Buffer, end: number): Entry | undefined;
  set(entry: Entry): void;
  delete(entry: Entry): void;
  readonly size: number;
  readonly bytes: number;
}

/** What an entry takes beside its answer's bytes, roughly: objects, and a place in the map. */
const OVERHEAD = 512;
const sizeOf = ({ response }: Entry): number => response.bytes.length + 8 * response.ttls.length + OVERHEAD;

/**
 * Beyond its limits the oldest entry goes; but one that was asked for since it came, or since it was last spared, is spared
 * and counts as new. An answer so large that it would drive out a good part of the others is not kept at all.
 */
export function createStore(capacity: number, mostBytes: number, evicted: () => void): Store {
  // By hash: making a string of each name, to look it up by, would cost more than all the rest of an answer.
  const entries = new Map<number, Entry>();
  let bytes = 0;

  const remove = (entry: Entry): void => {
    if (entries.get(entry.key) !== entry) return;
    entries.delete(entry.key);
    bytes -= sizeOf(entry);
  };

  const makeRoom = (size: number): void => {
    for (const entry of entries.values()) {
      if (entries.size < capacity && bytes + size <= mostBytes) return;
      entries.delete(entry.key);
      if (entry.isWanted) {
        entry.isWanted = false;
        entries.set(entry.key, entry);
      } else {
        bytes -= sizeOf(entry);
        evicted();
      }
    }
  };

  return {
    get(key, variant, packet, end) {
      const entry = entries.get(key);
      if (entry === undefined || entry.variant !== variant || entry.response.end !== end) return undefined;
      return isSameQuestion(entry.response.bytes, packet, end) ? entry : undefined;
    },
    set(entry) {
      const known = entries.get(entry.key);
      if (known !== undefined) remove(known);
      const size = sizeOf(entry);
      if (capacity < 1 || size > mostBytes / 8) return;
      makeRoom(size);
      entries.set(entry.key, entry);
      bytes += size;
    },
    delete: remove,
    get size() {
      return entries.size;
    },
    get bytes() {
      return bytes;
    },
  };
}
