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
 *
 * A table of its own, by hash: making a string of each name, to look it up by, would cost more than all the rest of an
 * answer; and a Map through which entries come and go leaves tables behind that keep those that went from being collected.
 */
export function createStore(capacity: number, mostBytes: number, evicted: () => void): Store {
  const heads = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, capacity * 2))));
  const mask = heads.length - 1;
  /** Places in `slots`, counted from 1, so that 0 is the end of a chain. */
  const next = new Int32Array(Math.max(0, capacity));
  const slots: (Entry | undefined)[] = [];
  const free: number[] = [];
  let hand = 0;
  let bytes = 0;

  const find = (key: number): number => {
    let place = heads[key & mask]!;
    while (place !== 0 && slots[place - 1]!.key !== key) place = next[place - 1]!;
    return place;
  };

  const remove = (entry: Entry): void => {
    const place = find(entry.key);
    if (place === 0 || slots[place - 1] !== entry) return;
    const bucket = entry.key & mask;
    let before = heads[bucket]!;
    if (before === place) heads[bucket] = next[place - 1]!;
    else {
      while (next[before - 1] !== place) before = next[before - 1]!;
      next[before - 1] = next[place - 1]!;
    }
    slots[place - 1] = undefined;
    free.push(place);
    bytes -= sizeOf(entry);
  };

  /** Goes round until somebody has to go; those that are spared are passed at most once. */
  const evictOne = (): void => {
    for (let passed = 0; passed < 2 * slots.length; passed += 1) {
      const entry = slots[hand];
      hand = (hand + 1) % slots.length;
      if (entry === undefined) continue;
      if (entry.isWanted) entry.isWanted = false;
      else {
        remove(entry);
        evicted();
        return;
      }
    }
  };

  const count = (): number => slots.length - free.length;
  const isFull = (size: number): boolean => count() >= capacity || bytes + size > mostBytes;

  return {
    get(key, variant, packet, end) {
      const place = find(key);
      if (place === 0) return undefined;
      const entry = slots[place - 1]!;
      if (entry.variant !== variant || entry.response.end !== end) return undefined;
      return isSameQuestion(entry.response.bytes, packet, end) ? entry : undefined;
    },
    set(entry) {
      const known = find(entry.key);
      if (known !== 0) remove(slots[known - 1]!);
      const size = sizeOf(entry);
      if (capacity < 1 || size > mostBytes / 8) return;
      while (isFull(size)) evictOne();
      const place = free.pop() ?? slots.push(undefined);
      const bucket = entry.key & mask;
      slots[place - 1] = entry;
      next[place - 1] = heads[bucket]!;
      heads[bucket] = place;
      bytes += size;
    },
    delete: remove,
    get size() {
      return count();
    },
    get bytes() {
      return bytes;
    },
  };
}
