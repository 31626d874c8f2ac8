import type { Item } from "./item.ts";

/** One change of one object: `next` undefined is a removal, `previous` undefined a creation. */
export interface Change {
  readonly revision: number;
  readonly next: Item | undefined;
  readonly previous: Item | undefined;
  /** `previous` at this revision: what a watcher is told of an object that is gone, or no longer matches. Made when first asked. */
  removed?: Item;
  /** Lines already written for watchers of whole objects, by event type; dropped once everybody listening has had them. */
  lines?: Map<string, Buffer>;
}

/** The newest changes of a resource, so that a watch may start in the past. Bounded: the oldest are forgotten. */
export class EventRing {
  #changes: Change[] = [];
  /** Changes up to and with this revision are forgotten. */
  #since: number;
  readonly #capacity: number;

  constructor(since: number, capacity: number) {
    this.#since = since;
    this.#capacity = capacity;
  }

  get since(): number {
    return this.#since;
  }

  push(change: Change): void {
    this.#changes.push(change);
    // Half is dropped at a time, so that pushing stays cheap.
    if (this.#changes.length > this.#capacity * 2) {
      const dropped = this.#changes.splice(0, this.#changes.length - this.#capacity);
      this.#since = dropped.at(-1)!.revision;
      // One write may have several changes: a revision is kept whole or not at all.
      while (this.#changes[0]?.revision === this.#since) this.#changes.shift();
    }
  }

  /** Every change after the revision, or undefined when some of them are forgotten. */
  after(revision: number): readonly Change[] | undefined {
    if (revision < this.#since) return undefined;
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#changes[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#changes.slice(low);
  }

  reset(since: number): void {
    this.#changes = [];
    this.#since = since;
  }
}
