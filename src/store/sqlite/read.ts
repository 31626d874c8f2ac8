import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { compareKeys, nextKey, prefixEnd } from "../keys.ts";
import { futureError } from "../requests.ts";
import { Compacted } from "../store.ts";
import type { Calls, Change, Columns, Row } from "./protocol.ts";
import type { State } from "./state.ts";

export interface Reader {
  get(state: State, question: Calls["get"]["question"]): Calls["get"]["answer"];
  list(state: State, question: Calls["list"]["question"]): Calls["list"]["answer"];
  changes(state: State, question: Calls["changes"]["question"]): Calls["changes"]["answer"];
}

/** SQLite orders every blob after every text: the bound of a range without an end. */
const noEnd = new Uint8Array(0);

const checkRemembered = (state: State, revision: number): void => {
  if (revision > state.revision) throw futureError(revision, state.revision);
  if (revision < state.compactRevision) throw new Compacted(revision, state.compactRevision);
};

type EntryTuple = readonly [key: string, value: string, createRevision: number, modRevision: number];

const columns = (statement: StatementSync, values: readonly SQLInputValue[]): Columns => {
  const keys: string[] = [];
  const texts: string[] = [];
  const createRevisions: number[] = [];
  const modRevisions: number[] = [];
  // Arrays in the order of the columns, as setReturnArrays promises.
  for (const row of statement.iterate(...values) as unknown as Iterable<EntryTuple>) {
    keys.push(row[0]);
    texts.push(row[1]);
    createRevisions.push(row[2]);
    modRevisions.push(row[3]);
  }
  return { keys, values: texts, createRevisions, modRevisions };
};

/** What each key changed after revision ?3 held at that revision: what the first such change replaced. */
const then = `
  SELECT key, value, create_revision, mod_revision, min(revision)
  FROM change WHERE revision > ?3 AND key >= ?1 AND key < ?2 GROUP BY key`;

const sql = {
  get: "SELECT value, create_revision, mod_revision FROM entry WHERE key = ?",
  listNow: `
    SELECT key, value, create_revision, mod_revision
    FROM entry WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3`,
  countNow: "SELECT count(*) FROM entry WHERE key >= ?1 AND key < ?2",
  listThen: `
    SELECT key, value, create_revision, mod_revision
    FROM entry WHERE key >= ?1 AND key < ?2 AND mod_revision <= ?3
    UNION ALL SELECT key, value, create_revision, mod_revision FROM (${then}) WHERE value IS NOT NULL
    ORDER BY key LIMIT ?4`,
  /** Entries of now, less those that changed since, plus what those were then. */
  countThen: `
    SELECT (SELECT count(*) FROM entry WHERE key >= ?1 AND key < ?2)
      - (SELECT count(*) FROM (${then}) JOIN entry USING (key))
      + (SELECT count(*) FROM (${then}) WHERE value IS NOT NULL)`,
  changes: `
    SELECT revision, key, deleted, value, create_revision, mod_revision
    FROM change WHERE revision > ?3 AND key >= ?1 AND key < ?2 ORDER BY revision DESC, id DESC`,
};

type ChangeTuple = readonly [
  revision: number,
  key: string,
  deleted: number,
  value: string | null,
  createRevision: number,
  modRevision: number,
];

export const prepareReader = (db: DatabaseSync): Reader => {
  const prepare = (text: string): StatementSync => {
    const statement = db.prepare(text);
    statement.setReturnArrays(true);
    return statement;
  };
  const getRow = prepare(sql.get);
  const listNow = prepare(sql.listNow);
  const countNow = prepare(sql.countNow);
  const listThen = prepare(sql.listThen);
  const countThen = prepare(sql.countThen);
  const changesAfter = prepare(sql.changes);

  const row = (key: string): Row | undefined => getRow.get(key) as unknown as Row | undefined;
  const count = (statement: StatementSync, values: readonly SQLInputValue[]): number =>
    (statement.get(...values) as unknown as readonly [number])[0];

  const list: Reader["list"] = (state, question) => {
    const { prefix, limit, after } = question;
    const revision = question.revision || state.revision;
    checkRemembered(state, revision);
    const from = after !== undefined && compareKeys(after, prefix) >= 0 ? nextKey(after) : prefix;
    const range = [from, prefixEnd(prefix) ?? noEnd] as const;
    const most = limit === 0 ? -1 : limit;
    const isNow = revision === state.revision;
    const found = isNow ? columns(listNow, [...range, most]) : columns(listThen, [...range, revision, most]);
    const shown = found.keys.length;
    if (limit === 0 || shown < limit) return { columns: found, revision, remaining: 0 };
    const all = isNow ? count(countNow, range) : count(countThen, [...range, revision]);
    return { columns: found, revision, remaining: all - shown };
  };

  /** Goes back through the past: what a change put is what the key's next change replaced, or the entry of now. */
  const changes: Reader["changes"] = (state, { prefix, after }) => {
    if (after < state.compactRevision) throw new Compacted(after, state.compactRevision);
    const later = new Map<string, Row | undefined>();
    const found: Change[] = [];
    const tuples = changesAfter.iterate(prefix, prefixEnd(prefix) ?? noEnd, after) as unknown as Iterable<ChangeTuple>;
    for (const [revision, key, deleted, value, createRevision, modRevision] of tuples) {
      const previous: Row | undefined = value === null ? undefined : [value, createRevision, modRevision];
      const put = deleted === 1 ? undefined : later.has(key) ? later.get(key) : row(key);
      later.set(key, previous);
      found.push({ revision, key, put, previous });
    }
    return found.reverse();
  };

  return {
    get: (state, { key }) => ({ row: row(key), revision: state.revision }),
    list,
    changes,
  };
};
