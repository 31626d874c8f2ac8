import { compareKeys } from "../keys.ts";
import { checkKey, checkList, checkPrefix, checkRevision, checkWrite, closedError, futureError } from "../requests.ts";
import { Compacted } from "../store.ts";
import type { Condition, Entry, Store, StoreEvent, WatchHandler } from "../store.ts";

interface Watching {
  readonly prefix: string;
  readonly handler: WatchHandler;
  /** Newest revision that the handler was told of. */
  told: number;
}

const keyOf = (event: StoreEvent): string => (event.type === "put" ? event.entry.key : event.key);
const revisionOf = (event: StoreEvent): number => (event.type === "put" ? event.entry.modRevision : event.revision);

const holds = (condition: Condition, current: Entry | undefined): boolean =>
  "absent" in condition ? current === undefined : current?.modRevision === condition.modRevision;

/**
 * The contract in its plainest form: everything in this process, nothing durable, the full history kept until `compact`.
 * It is what the durable stores are compared with, and a store for tests.
 */
export const memoryStore = (): Store => {
  const entries = new Map<string, Entry>();
  let history: StoreEvent[] = [];
  let newest = 1;
  let compacted = 0;
  let closed = false;
  let telling = false;
  const watches = new Set<Watching>();

  const checkOpen = (): void => {
    if (closed) throw closedError();
  };

  /** What was there at `revision`: what is there now, with every later change taken back, newest first. */
  const entriesAt = (revision: number): Entry[] => {
    const then = new Map(entries);
    for (const event of history.toReversed()) {
      if (revisionOf(event) <= revision) break;
      if (event.previous === undefined) then.delete(keyOf(event));
      else then.set(keyOf(event), event.previous);
    }
    return [...then.values()].sort((a, b) => compareKeys(a.key, b.key));
  };

  const tell = (watching: Watching): void => {
    if (watching.told >= newest) return;
    // A watch from a recent revision needs only the end of the history: from the last event that it was told of.
    const first = history.findLastIndex((event) => revisionOf(event) <= watching.told) + 1;
    const events = history.slice(first).filter((event) => keyOf(event).startsWith(watching.prefix));
    watching.told = newest;
    try {
      watching.handler.events(events, newest);
    } catch (error) {
      // Whoever cannot take its events has lost them: it alone is told so, the writer and the other watches go on.
      if (watches.delete(watching)) watching.handler.ended(error instanceof Error ? error : new Error(String(error)));
    }
  };

  /** A handler may write in its turn; that write waits until every watch has been told of this one. */
  const tellAll = (): void => {
    if (telling) return;
    telling = true;
    try {
      while ([...watches].some((watching) => watching.told < newest)) for (const watching of watches) tell(watching);
    } finally {
      telling = false;
    }
  };

  return {
    shared: false,

    get: async (key) => {
      checkOpen();
      checkKey(key);
      return { entry: entries.get(key), revision: newest };
    },

    list: async (prefix, options = {}) => {
      checkOpen();
      checkList(prefix, options);
      const revision = options.revision || newest;
      if (revision > newest) throw futureError(revision, newest);
      if (revision < compacted) throw new Compacted(revision, compacted);
      const { after } = options;
      const found = entriesAt(revision).filter(
        ({ key }) => key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0),
      );
      const shown = options.limit ? found.slice(0, options.limit) : found;
      const remaining = found.length - shown.length;
      return { entries: shown, revision, more: remaining > 0, remaining };
    },

    write: async (conditions, operations) => {
      checkOpen();
      checkWrite(conditions, operations);
      const failed = conditions.find((condition) => !holds(condition, entries.get(condition.key)));
      if (failed !== undefined) return { ok: false, failed, current: entries.get(failed.key) };
      const revision = newest + 1;
      for (const operation of operations) {
        const { key } = operation;
        const previous = entries.get(key);
        if (operation.type === "put") {
          const createRevision = previous?.createRevision ?? revision;
          const entry: Entry = { key, value: operation.value, createRevision, modRevision: revision };
          entries.set(key, entry);
          history.push({ type: "put", entry, previous });
        } else if (previous !== undefined) {
          entries.delete(key);
          history.push({ type: "delete", key, revision, previous });
        }
      }
      const last = history.at(-1);
      if (last === undefined || revisionOf(last) < revision) return { ok: true, revision: newest };
      newest = revision;
      tellAll();
      return { ok: true, revision };
    },

    watch: async (prefix, after, handler) => {
      checkOpen();
      checkPrefix(prefix);
      checkRevision("the revision to watch after", after);
      if (after < compacted) throw new Compacted(after, compacted);
      const watching: Watching = { prefix, handler, told: after };
      watches.add(watching);
      tellAll();
      return { close: () => void watches.delete(watching) };
    },

    compact: async (revision) => {
      checkOpen();
      checkRevision("the revision to compact at", revision);
      if (revision > newest) throw futureError(revision, newest);
      compacted = Math.max(compacted, revision);
      history = history.filter((event) => revisionOf(event) > compacted);
    },

    revision: async () => {
      checkOpen();
      return newest;
    },

    close: async () => {
      closed = true;
      const ended = [...watches];
      watches.clear();
      for (const { handler } of ended) handler.ended(undefined);
    },
  };
};
