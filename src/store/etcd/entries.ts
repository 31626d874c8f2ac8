import { Compacted } from "../store.ts";
import type { Entry, StoreEvent } from "../store.ts";
import type { KeyValue, WatchEvent } from "./calls.ts";

export const entryOf = ({ key = "", value = "", create_revision = 0, mod_revision = 0 }: KeyValue): Entry => ({
  key,
  value,
  createRevision: create_revision,
  modRevision: mod_revision,
});

/** The changes of whole writes. */
export interface Changes {
  readonly events: readonly StoreEvent[];
  /** Revision of the last of them. */
  readonly revision: number;
}

function eventOf({ type, kv = {}, prev_kv }: WatchEvent, after: number): StoreEvent {
  const entry = entryOf(kv);
  const previous = prev_kv && entryOf(prev_kv);
  // What was replaced is read when the event is sent, and may have been compacted away since.
  const isLost = previous === undefined && (type === "DELETE" || (kv.version ?? 1) > 1);
  if (isLost) throw new Compacted(after, entry.modRevision);
  if (type !== "DELETE") return { type: "put", entry, previous };
  return { type: "delete", key: entry.key, revision: entry.modRevision, previous: previous! };
}

/**
 * Events of a watch over all keys, as ours. Every write has a revision of its own, so a watch of everything sees each number from
 * `after` on: one that is left out was lost on the way or, when the very first is (`isFirst`), to a compaction.
 *
 * @throws Error when a revision is missing, {@link Compacted} when it, or what an event replaced, is forgotten
 */
export function changesOf(raw: readonly WatchEvent[], after: number, isFirst: boolean): Changes {
  let revision = after;
  const events = raw.map((one) => {
    const event = eventOf(one, after);
    const at = one.kv?.mod_revision ?? 0;
    const isNext = at === revision + 1 || (at === revision && revision > after);
    if (!isNext && isFirst && revision === after && at > after) throw new Compacted(after, at);
    if (!isNext) throw new Error(`after revision ${revision} of etcd came ${at}: what is between was lost`);
    revision = at;
    return event;
  });
  return { events, revision };
}
