import type { Log } from "../../observe/log.ts";
import { checkKey, checkList, checkPrefix, checkRevision, checkWrite, closedError } from "../requests.ts";
import type { Entry, Store, StoreEvent } from "../store.ts";
import { connect } from "./connection.ts";
import type { MadeWrite } from "./connection.ts";
import { createFanout } from "../fanout.ts";
import type { Change, Columns, Row } from "./protocol.ts";

export interface SqliteStoreOptions {
  /** The database file; its directory must exist. */
  readonly path: string;
  readonly log: Log;
  /** How many changes are remembered at least, for lists and watches from older revisions; 10,000 when absent. */
  readonly historyChanges?: number;
  /** Bytes of replaced values that are remembered at most, however few changes that is; 64 MiB when absent. */
  readonly historyBytes?: number;
  /** How many of the newest events are held in memory, so that watches from recent revisions read nothing; 1,000 when absent. */
  readonly tailEvents?: number;
}

/** Characters of values in the tail at most; beyond, it is shorter than `tailEvents`. */
const tailLength = 8 * 1024 * 1024;

const entryOf = (key: string, [value, createRevision, modRevision]: Row): Entry => ({
  key,
  value,
  createRevision,
  modRevision,
});

const entriesOf = ({ keys, values, createRevisions, modRevisions }: Columns): Entry[] =>
  keys.map((key, at) => ({
    key,
    value: values[at] ?? "",
    createRevision: createRevisions[at] ?? 0,
    modRevision: modRevisions[at] ?? 0,
  }));

const eventOf = ({ revision, key, put, previous: row }: Change): StoreEvent[] => {
  const previous = row && entryOf(key, row);
  if (put !== undefined) return [{ type: "put", entry: entryOf(key, put), previous }];
  return previous === undefined ? [] : [{ type: "delete", key, revision, previous }];
};

/** The events of a write, from what was asked and what it replaced. */
const eventsOf = ({ question, answer }: MadeWrite): StoreEvent[] => {
  if ("failed" in answer) return [];
  const { revision } = answer;
  return question.operations.flatMap((operation, at) => {
    const { key } = operation;
    const previous = answer.previous[at];
    const put: Row | undefined =
      operation.type === "put" ? [operation.value, previous?.[1] ?? revision, revision] : undefined;
    return eventOf({ revision, key, put, previous });
  });
};

/**
 * The store in one SQLite file, in a thread of its own: a slow disk never stops the serving thread. Writes that arrive in
 * one turn share one transaction and one flush to the disk. The file is locked for as long as the store is open.
 * Throws an Error with one sentence when the file is in use, damaged, of a newer schema, or cannot be made.
 */
export const openSqliteStore = async (options: SqliteStoreOptions): Promise<Store> => {
  const { path, log } = options;
  const history = { changes: options.historyChanges ?? 10_000, bytes: options.historyBytes ?? 64 * 1024 * 1024 };
  const connection = await connect(path, { path, history });
  for (const note of connection.opened.notes) log.info({ path }, note);

  let closing: Promise<void> | undefined;
  const checkOpen = (): void => {
    if (closing !== undefined) throw closedError();
  };

  const fanout = createFanout(
    log,
    connection.opened,
    { events: options.tailEvents ?? 1000, length: tailLength },
    async (prefix, after, done) => {
      await connection.ask("changes", { prefix, after }, (changes) => done(changes.flatMap(eventOf)));
    },
  );
  connection.listen({
    committed: (writes, message) => fanout.commit(writes.flatMap(eventsOf), message),
    died: (error) => {
      // The thread may have gone before the answer to `close` was heard; then that is the end, and a good one.
      if (closing !== undefined) return;
      log.error({ path, err: error }, "the store stopped working");
      fanout.end(error);
    },
  });

  return {
    shared: false,

    get: async (key) => {
      checkOpen();
      checkKey(key);
      const { row, revision } = await connection.ask("get", { key });
      return { entry: row && entryOf(key, row), revision };
    },

    list: async (prefix, options = {}) => {
      checkOpen();
      checkList(prefix, options);
      const { limit = 0, after, revision = 0 } = options;
      const answer = await connection.ask("list", { prefix, limit, after, revision });
      const { remaining } = answer;
      return { entries: entriesOf(answer.columns), revision: answer.revision, more: remaining > 0, remaining };
    },

    write: async (conditions, operations) => {
      checkOpen();
      checkWrite(conditions, operations);
      const answer = await connection.ask("write", { conditions, operations });
      if ("revision" in answer) return { ok: true, revision: answer.revision };
      const failed = conditions[answer.failed];
      if (failed === undefined) throw new Error(`the store ${path} answered with a condition that was not asked`);
      return { ok: false, failed, current: answer.current && entryOf(failed.key, answer.current) };
    },

    watch: async (prefix, after, handler) => {
      checkOpen();
      checkPrefix(prefix);
      checkRevision("the revision to watch after", after);
      return fanout.watch(prefix, after, handler);
    },

    compact: async (revision) => {
      checkOpen();
      checkRevision("the revision to compact at", revision);
      await connection.ask("compact", { revision });
    },

    revision: async () => {
      checkOpen();
      return fanout.position().revision;
    },

    close: () => {
      closing ??= connection.close().then(() => fanout.end(undefined));
      return closing;
    },
  };
};
