import type { Log } from "../observe/log.ts";
import { Compacted } from "./store.ts";
import type { StoreEvent, Watch, WatchHandler } from "./store.ts";
import { createTail, keyOf, revisionOf } from "./tail.ts";

interface Watching {
  readonly prefix: string;
  readonly handler: WatchHandler;
  /** Newest revision the handler was told of. */
  told: number;
  /** Reading its past from the database; what is committed meanwhile is in that reading, or comes after it. */
  catchingUp: boolean;
}

/** Where the store stands, as far as its commits have been told of. */
export interface Position {
  readonly revision: number;
  readonly compactRevision: number;
}

/** Tells watches of commits, on the serving thread: a watch costs the database nothing but its past, where that is old. */
export interface Fanout {
  position(): Position;
  /** Takes the events of a commit (whole writes, in order) to every watch. */
  commit(events: readonly StoreEvent[], position: Position): void;
  watch(prefix: string, after: number, handler: WatchHandler): Promise<Watch>;
  /** Ends all watches. */
  end(error: Error | undefined): void;
}

/**
 * `readPast` reads every event under a prefix after a revision. It must answer in turn with `commit`: with all that was
 * told of before the answer, and nothing that was not.
 */
export const createFanout = (
  log: Log,
  start: Position,
  tailLimits: { readonly events: number; readonly length: number },
  readPast: (prefix: string, after: number, done: (events: readonly StoreEvent[]) => void) => Promise<void>,
): Fanout => {
  let position = start;
  const watches = new Set<Watching>();
  const tail = createTail(start.revision, tailLimits.events, tailLimits.length);

  const endOne = (watching: Watching, error: Error | undefined): void => {
    if (!watches.delete(watching)) return;
    try {
      watching.handler.ended(error);
    } catch (thrown) {
      log.error({ err: thrown, prefix: watching.prefix }, "the handler of a watch failed when it was told of the end");
    }
  };

  const tell = (watching: Watching, events: readonly StoreEvent[]): void => {
    watching.told = position.revision;
    try {
      watching.handler.events(events, position.revision);
    } catch (thrown) {
      // It has lost these events, so it must not get later ones; the other watches go on.
      log.error({ err: thrown, prefix: watching.prefix }, "the handler of a watch failed, so the watch is ended");
      endOne(watching, thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  };

  const under = (prefix: string, after: number, events: readonly StoreEvent[]): readonly StoreEvent[] =>
    events.filter((event) => revisionOf(event) > after && keyOf(event).startsWith(prefix));

  const commit: Fanout["commit"] = (events, next) => {
    const before = position.revision;
    position = next;
    if (next.revision === before) return;
    tail.push(events);
    // Many watches share few prefixes: each is filtered once.
    const filtered = new Map<string, readonly StoreEvent[]>();
    for (const watching of watches) {
      const { prefix, told } = watching;
      if (watching.catchingUp || told >= next.revision) continue;
      if (told > before) {
        tell(watching, under(prefix, told, events));
        continue;
      }
      let matching = filtered.get(prefix);
      if (matching === undefined) filtered.set(prefix, (matching = under(prefix, 0, events)));
      tell(watching, matching);
    }
  };

  const watch: Fanout["watch"] = async (prefix, after, handler) => {
    if (after < position.compactRevision) throw new Compacted(after, position.compactRevision);
    const watching: Watching = { prefix, handler, told: after, catchingUp: false };
    const close = (): void => void watches.delete(watching);
    watches.add(watching);
    if (after >= position.revision) return { close };
    const recent = tail.since(after);
    if (recent !== undefined) {
      tell(watching, under(prefix, after, recent));
      return { close };
    }
    watching.catchingUp = true;
    try {
      await readPast(prefix, after, (events) => {
        watching.catchingUp = false;
        if (watches.has(watching)) tell(watching, events);
      });
    } catch (error) {
      // `ended` is for watches that were given out; this one never was.
      watches.delete(watching);
      throw error;
    }
    return { close };
  };

  return {
    position: () => position,
    commit,
    watch,
    end: (error) => {
      for (const watching of watches) if (!watching.catchingUp) endOne(watching, error);
    },
  };
};
