import type { Kind } from "../../api/kind.ts";
import { prefixOf } from "../keys.ts";
import type { Item } from "./item.ts";
import { EventRing, type Change } from "./ring.ts";

/** Whoever hears of every change of a resource, batch by batch, in the order of revisions. */
export interface Listener {
  changes(changes: readonly Change[], revision: number): void;
  /** All was read anew (at the start, and when the store's watch broke): what changed in between is not told. */
  lost(): void;
}

/** How many changes a resource remembers for watches that start in the past. */
const REMEMBERED_CHANGES = 4096;

/** All objects of one kind in the order of their keys, and their newest changes. */
export class ResourceCache {
  readonly kind: Kind;
  readonly prefix: string;
  readonly ring: EventRing;
  readonly #items = new Map<string, Item>();
  /** Keys by their UTF-8 bytes; for the names Kubernetes allows that is the order of the strings. */
  #keys: string[] = [];
  readonly #listeners = new Set<Listener>();
  /** Newest revision at which an object of this kind changed. */
  #changed = 0;

  constructor(kind: Kind, remembered = REMEMBERED_CHANGES) {
    this.kind = kind;
    this.prefix = prefixOf(kind);
    this.ring = new EventRing(0, remembered);
  }

  get changed(): number {
    return this.#changed;
  }

  get size(): number {
    return this.#items.size;
  }

  get(key: string): Item | undefined {
    return this.#items.get(key);
  }

  /** The items under a prefix in order of keys, those after a key (exclusive) when one is given. */
  *range(prefix: string, after?: string): Generator<Item, undefined> {
    const keys = this.#keys;
    let index = after === undefined ? this.#position(prefix) : this.#position(after);
    if (after !== undefined && keys[index] === after) index++;
    for (; index < keys.length; index++) {
      const key = keys[index]!;
      if (!key.startsWith(prefix)) return;
      yield this.#items.get(key)!;
    }
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes in everything anew; who listened is told that the past is lost. */
  reset(items: readonly Item[], revision: number): void {
    this.#items.clear();
    for (const item of items) this.#items.set(item.key, item);
    this.#keys = [...this.#items.keys()].sort((a, b) => (a < b ? -1 : 1));
    this.#changed = revision;
    this.ring.reset(revision);
    for (const listener of this.#listeners) listener.lost();
  }

  /** Takes in the changes of whole writes. */
  apply(items: readonly { key: string; revision: number; next: Item | undefined }[], revision: number): void {
    const changes: Change[] = [];
    for (const { key, revision: at, next } of items) {
      const previous = this.#items.get(key);
      if (next === undefined && previous === undefined) continue;
      this.#set(key, next);
      const change: Change = { revision: at, next, previous };
      changes.push(change);
      this.ring.push(change);
      this.#changed = at;
    }
    for (const listener of this.#listeners) listener.changes(changes, revision);
    for (const change of changes) delete change.lines;
  }

  #set(key: string, next: Item | undefined): void {
    if (next === undefined) {
      this.#items.delete(key);
      this.#keys.splice(this.#position(key), 1);
      return;
    }
    if (!this.#items.has(key)) this.#keys.splice(this.#position(key), 0, key);
    this.#items.set(key, next);
  }

  /** Index of the first key that is not before this one. */
  #position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
