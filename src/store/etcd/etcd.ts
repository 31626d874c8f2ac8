import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { compareKeys, nextKey, prefixEnd } from "../keys.ts";
import { checkKey, checkList, checkPrefix, checkRevision, checkWrite, closedError, futureError } from "../requests.ts";
import { Compacted, TooLarge, Unavailable } from "../store.ts";
import type { Store, WriteResult } from "../store.ts";
import { ALL, loadCalls, NOTHING, type RangeAnswer, type RangeRequest } from "./calls.ts";
import { startCompaction } from "./compaction.ts";
import { entryOf } from "./entries.ts";
import { Refusal } from "./failure.ts";
import { createMember, type EtcdTls } from "./member.ts";
import { createMembers, type User } from "./members.ts";
import { compactionAfter, startWatches, type Watches } from "./watches.ts";
import { createWriter } from "./write.ts";

export interface EtcdStoreOptions {
  /** `HOST:PORT` of each member, or of some. */
  readonly endpoints: readonly string[];
  /** Absent: without TLS. */
  readonly tls?: EtcdTls;
  /** A user of etcd's, who may read and write all keys. */
  readonly user?: User;
  readonly log: Log;
  readonly clock: Clock;
  /** Milliseconds a request may take before the store counts as away; 4,000 when absent. A write may take three times that. */
  readonly timeoutMs?: number;
  /** Milliseconds between compactions; 5 minutes when absent, 0 leaves them to somebody else. */
  readonly compactEveryMs?: number;
  /** How many of the newest events are held in memory, so that watches from recent revisions read nothing; 1,000 when absent. */
  readonly tailEvents?: number;
}

const TIMEOUT_MS = 4000;
const COMPACT_EVERY_MS = 5 * 60_000;
/** Milliseconds that `close` waits for the events of acknowledged writes. */
const CLOSE_PATIENCE = 2000;

/**
 * The store in etcd (3.4 or newer), which should be Fairlead's own: it follows all keys, and forgets history for everybody.
 * Revisions are etcd's. Reads and writes go to one member while it answers, then to the next; watches go on by themselves
 * over lost connections and changes of leader.
 *
 * @throws Unavailable when no endpoint answers, or etcd refuses us, in its words
 */
export const openEtcdStore = async (options: EtcdStoreOptions): Promise<Store> => {
  const { endpoints, log, clock, timeoutMs = TIMEOUT_MS, compactEveryMs = COMPACT_EVERY_MS } = options;
  if (endpoints.length === 0) throw new RangeError("opening a store in etcd: no endpoint is given");
  const calls = loadCalls();
  const members = createMembers({
    members: endpoints.map((endpoint) => createMember(endpoint, options.tls, calls)),
    calls,
    user: options.user,
    timeoutMs,
    clock,
    log,
  });

  /** etcd's refusals as the store's errors. */
  const told = (doing: string, error: unknown): unknown => {
    if (!(error instanceof Refusal)) return error;
    const sentence = `${doing} etcd at ${members.names}: ${error.message}`;
    return error.isTooLarge ? new TooLarge(sentence, { cause: error }) : new Unavailable(sentence, { cause: error });
  };
  let watches: Watches | undefined;
  const range = async (request: RangeRequest): Promise<RangeAnswer & { readonly revision: number }> => {
    const answer = await members.ask(calls.range, request);
    const revision = answer.header?.revision ?? 0;
    watches?.hear(revision);
    return { ...answer, revision };
  };
  const readRevision = async (): Promise<number> => {
    try {
      return (await range(NOTHING)).revision;
    } catch (error) {
      throw told("reading", error);
    }
  };

  const shared = { members, calls, clock, log, timeoutMs };
  let followed: Watches;
  try {
    followed = await startWatches({ ...shared, tailEvents: options.tailEvents ?? 1000, readRevision });
  } catch (error) {
    members.close();
    throw error;
  }
  watches = followed;
  const writeOut = createWriter({ ...shared, newest: () => followed.newest() });
  const stopCompaction =
    compactEveryMs === 0
      ? undefined
      : startCompaction({ ...shared, everyMs: compactEveryMs, compacted: (at) => followed.forget(at) });
  const writes = new Set<Promise<WriteResult>>();

  let closing: Promise<void> | undefined;
  const checkOpen = (): void => {
    if (closing !== undefined) throw closedError();
  };
  const close = async (): Promise<void> => {
    stopCompaction?.();
    await Promise.allSettled(writes);
    await followed.reached(followed.newest(), CLOSE_PATIENCE);
    followed.end();
    members.close();
  };
  /** Why a list at this revision was refused. */
  const whyNoList = async (revision: number, error: unknown): Promise<unknown> => {
    if (!(error instanceof Refusal)) return error;
    if (error.isFuture) return futureError(revision, await readRevision());
    if (!error.isCompacted) return told("listing", error);
    // Another server may have compacted further; this much is known without asking.
    if (revision < followed.compacted()) return new Compacted(revision, followed.compacted());
    const why = await compactionAfter(shared, revision);
    followed.forget(why.compactRevision);
    return why;
  };

  return {
    shared: true,

    get: async (key) => {
      checkOpen();
      checkKey(key);
      try {
        const { kvs = [], revision } = await range({ key });
        return { entry: kvs[0] && entryOf(kvs[0]), revision };
      } catch (error) {
        throw told("reading", error);
      }
    },

    list: async (prefix, asked = {}) => {
      checkOpen();
      checkList(prefix, asked);
      const { limit = 0, after, revision = 0 } = asked;
      const first = after === undefined ? prefix || ALL : nextKey(after);
      const key = compareKeys(first, prefix) < 0 ? prefix : first;
      try {
        const answer = await range({ key, range_end: prefixEnd(prefix) ?? ALL, limit, revision });
        const entries = (answer.kvs ?? []).map(entryOf);
        const remaining = (answer.count ?? 0) - entries.length;
        return { entries, revision: revision || answer.revision, more: remaining > 0, remaining };
      } catch (error) {
        throw await whyNoList(revision, error);
      }
    },

    write: async (conditions, operations) => {
      checkOpen();
      checkWrite(conditions, operations);
      // etcd answers a transaction without content from whatever a member has.
      if (conditions.length === 0 && operations.length === 0) return { ok: true, revision: await readRevision() };
      const writing = writeOut(conditions, operations);
      writes.add(writing);
      try {
        const result = await writing;
        if (result.ok) followed.hear(result.revision);
        return result;
      } catch (error) {
        throw told(`writing ${operations[0]?.key ?? "nothing"} to`, error);
      } finally {
        writes.delete(writing);
      }
    },

    watch: async (prefix, after, handler) => {
      checkOpen();
      checkPrefix(prefix);
      checkRevision("the revision to watch after", after);
      try {
        return await followed.watch(prefix, after, handler);
      } catch (error) {
        if (error instanceof Compacted) followed.forget(error.compactRevision);
        throw error;
      }
    },

    compact: async (revision) => {
      checkOpen();
      checkRevision("the revision to compact at", revision);
      if (revision <= followed.compacted()) return;
      try {
        // What the feed has not told yet would be forgotten before it could.
        if (revision > followed.newest()) await readRevision();
        await followed.reached(revision, timeoutMs);
        await members.ask(calls.compact, { revision });
        followed.forget(revision);
      } catch (error) {
        if (error instanceof Refusal && error.isFuture) throw futureError(revision, await readRevision());
        // It was compacted further by somebody else.
        if (!(error instanceof Refusal && error.isCompacted)) throw told("compacting", error);
      }
    },

    revision: async () => {
      checkOpen();
      return readRevision();
    },

    close: () => {
      closing ??= close();
      return closing;
    },
  };
};
