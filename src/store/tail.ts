import type { StoreEvent } from "./store.ts";

/** The revision of the write that an event belongs to. */
export const revisionOf = (event: StoreEvent): number =>
  event.type === "put" ? event.entry.modRevision : event.revision;

/** The key that an event changed. */
export const keyOf = (event: StoreEvent): string => (event.type === "put" ? event.entry.key : event.key);

const sizeOf = (event: StoreEvent): number =>
  (event.previous?.value.length ?? 0) + (event.type === "put" ? event.entry.value.length : 0);

/** The newest events, in memory: a watch that starts from a recent revision needs no read. */
export interface Tail {
  push(events: readonly StoreEvent[]): void;
  /** All events after the revision, or `undefined` when the tail does not reach back that far. */
  since(after: number): readonly StoreEvent[] | undefined;
}

/** Keeps at least `most` events, unless their values are longer than `length` characters; `revision` is the newest so far. */
export const createTail = (revision: number, most: number, length: number): Tail => {
  let events: StoreEvent[] = [];
  let size = 0;
  /** Every event after this revision is in `events`. */
  let begins = revision;

  const cut = (): void => {
    let first = Math.max(0, events.length - most);
    let kept = 0;
    for (let at = events.length - 1; at >= first; at--) {
      const event = events[at];
      kept += event === undefined ? 0 : sizeOf(event);
      if (kept > length) first = at + 1;
    }
    const lost = events[first - 1];
    if (lost !== undefined) begins = revisionOf(lost);
    // Events of the same write go together.
    while (events[first] !== undefined && revisionOf(events[first] as StoreEvent) === begins) first += 1;
    events = events.slice(first);
    size = events.reduce((sum, event) => sum + sizeOf(event), 0);
  };

  return {
    push: (added) => {
      for (const event of added) {
        events.push(event);
        size += sizeOf(event);
      }
      if (events.length > 2 * most || size > 2 * length) cut();
    },
    since: (after) => {
      if (after < begins) return undefined;
      const first = events.findLastIndex((event) => revisionOf(event) <= after) + 1;
      return events.slice(first);
    },
  };
};
