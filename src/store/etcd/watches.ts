import type { Log } from "../../observe/log.ts";
import { createFanout, type Fanout } from "../fanout.ts";
import { Compacted } from "../store.ts";
import type { StoreEvent, Watch, WatchHandler } from "../store.ts";
import { keyOf, revisionOf } from "../tail.ts";
import { startFeed, type Feed } from "./feed.ts";
import { readHistory, type HistoryOptions } from "./history.ts";

export interface WatchesOptions extends HistoryOptions {
  readonly log: Log;
  /** Events held in memory for watches from recent revisions. */
  readonly tailEvents: number;
  readonly readRevision: () => Promise<number>;
}

/** Characters of values in the tail at most; beyond, it is shorter than `tailEvents`. */
const TAIL_LENGTH = 8 * 1024 * 1024;
/** Milliseconds between two looks at how far the feed has come, and between two attempts at a new one. */
const LOOK = 5;
const RETRY = 1000;

/** All watches of this process, told by one feed; and what is known of etcd's revisions. */
export interface Watches {
  /** Newest revision heard of. */
  newest(): number;
  /** An answer came from this revision. */
  hear(revision: number): void;
  /** Newest compaction heard of. */
  compacted(): number;
  /** Everything before this revision is forgotten. */
  forget(before: number): void;
  watch(prefix: string, after: number, handler: WatchHandler): Promise<Watch>;
  /** Resolves when the watches have been told of this revision, or after `patience` milliseconds. */
  reached(revision: number, patience: number): Promise<void>;
  /** Ends all watches. */
  end(): void;
}

/** Begins to follow etcd; resolves when that stands. Throws Unavailable. */
export async function startWatches(options: WatchesOptions): Promise<Watches> {
  const { clock, log, tailEvents, readRevision } = options;
  let newest = 0;
  let compacted = 0;
  let fanout: Fanout;
  let feed: Feed;
  let isEnded = false;

  const readPast = async (
    position: () => number,
    prefix: string,
    after: number,
    done: (events: readonly StoreEvent[]) => void,
  ): Promise<void> => {
    // Nothing happened at revision 1, where an empty etcd begins.
    const from = Math.max(after, 1);
    if (from >= position()) return done([]);
    const past: StoreEvent[] = [];
    await readHistory(options, from, ({ events, revision }) => {
      past.push(...events.filter((event) => keyOf(event).startsWith(prefix)));
      const newestTold = position();
      if (revision < newestTold) return false;
      // What is newer is told by the feed.
      done(past.filter((event) => revisionOf(event) <= newestTold));
      return true;
    });
  };

  const openFanout = (revision: number): Fanout => {
    const limits = { events: tailEvents, length: TAIL_LENGTH };
    const made: Fanout = createFanout(log, { revision, compactRevision: compacted }, limits, (prefix, after, done) =>
      readPast(() => made.position().revision, prefix, after, done),
    );
    return made;
  };

  const followFromNow = async (): Promise<void> => {
    const after = await readRevision();
    if (isEnded) return;
    newest = after;
    const told = openFanout(after);
    fanout = told;
    feed = startFeed({
      ...options,
      after,
      take: ({ events, revision }) => told.commit(events, { revision, compactRevision: compacted }),
      lost: (error) => {
        log.warn({ error: error.message }, "the watch of etcd cannot go on; all watches end");
        told.end(error);
        retry();
      },
    });
    // A watch that is taken before the first write is told at once; one that comes later first waits for etcd to read its past.
    await feed.taken;
  };
  const retry = (): void => {
    if (!isEnded) followFromNow().catch(() => void clock.after(RETRY, retry));
  };
  await followFromNow();

  return {
    newest: () => newest,
    hear: (revision) => {
      if (revision > newest) newest = revision;
      feed.expect(revision);
    },
    compacted: () => compacted,
    forget: (before) => {
      if (before <= compacted) return;
      compacted = before;
      fanout.commit([], { revision: fanout.position().revision, compactRevision: compacted });
    },
    watch: async (prefix, after, handler) => fanout.watch(prefix, after, handler),
    reached: async (revision, patience) => {
      const until = clock.now() + patience;
      while (fanout.position().revision < Math.min(revision, newest) && clock.now() < until) {
        await new Promise<void>((resolve) => void clock.after(LOOK, resolve));
      }
    },
    end: () => {
      isEnded = true;
      feed.close();
      fanout.end(undefined);
    },
  };
}

/** The compaction that a read of this revision met: etcd tells its revision only to watches. */
export async function compactionAfter(options: HistoryOptions, revision: number): Promise<Compacted> {
  try {
    await readHistory(options, Math.max(revision - 1, 1), () => true);
  } catch (error) {
    if (error instanceof Compacted) return new Compacted(revision, error.compactRevision);
  }
  return new Compacted(revision, revision + 1);
}
