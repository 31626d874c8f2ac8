import { closeSync, fsyncSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createSchema, judgeSchema, migrate, Refused } from "./migrate.ts";
import type { Schemas } from "./schema.ts";

/** Primary result codes of SQLite (sqlite.org/rescode.html) that we act on. */
export const sqliteCodes = {
  busy: 5,
  readonly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
};

/** The primary result code of an error from SQLite, 0 for any other error. */
export const sqliteCode = (error: unknown): number =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : 0;

const systemCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** Makes an empty file that only its owner may read, and its name durable. Returns false when there is one already. */
const createFile = (path: string): boolean => {
  const directory = dirname(path);
  try {
    closeSync(openSync(path, "wx", 0o600));
    const fd = openSync(directory, "r");
    fsyncSync(fd);
    closeSync(fd);
    return true;
  } catch (error) {
    switch (systemCode(error)) {
      case "EEXIST":
        return false;
      case "ENOENT":
      case "ENOTDIR":
        throw new Refused(`cannot make the store ${path}: there is no directory ${directory}`);
      case "EACCES":
      case "EPERM":
      case "EROFS":
        throw new Refused(`cannot make the store ${path}: the directory ${directory} is not writable`);
      default:
        throw new Refused(`cannot make the store ${path}: ${String(error)}`);
    }
  }
};

/** Why the file cannot be used, as one sentence for the person who started us. */
export const refusal = (path: string, error: unknown): Refused => {
  if (error instanceof Refused) return error;
  const said = error instanceof Error ? error.message : String(error);
  switch (sqliteCode(error)) {
    case sqliteCodes.busy:
      return new Refused(`the store ${path} is in use by another process; stop that one, or choose another file`);
    case sqliteCodes.notADatabase:
    case sqliteCodes.corrupt:
      return new Refused(
        `the store ${path} is damaged (${said}); put a copy in its place, or move it away to start with an empty one`,
      );
    case sqliteCodes.readonly:
    case sqliteCodes.cannotOpen:
      return new Refused(`the store ${path} cannot be read and written by this user (${said})`);
    default:
      return new Refused(`cannot open the store ${path}: ${said}`);
  }
};

/**
 * Exclusive locking keeps every other process out for as long as this one lives, and lets SQLite keep the index of the
 * write-ahead log in memory. The lock dies with the process, so nothing is stale after a kill.
 * With one connection every automatic checkpoint (at 1,000 pages, 8 MB) is complete, and the log starts over from its
 * beginning; the size limit returns what one huge transaction made it grow by.
 */
const tune = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 1000;
  PRAGMA journal_size_limit = 16777216;
  PRAGMA cache_size = -8192;
  PRAGMA temp_store = MEMORY;
`;

export interface OpenedDatabase {
  readonly db: DatabaseSync;
  /** Sentences for the log. */
  readonly notes: readonly string[];
}

/** Opens, locks, judges and, where needed, creates or migrates the file. Throws {@link Refused} with the reason. */
export const openDatabase = (path: string, schemas: Schemas): OpenedDatabase => {
  let made = false;
  let db: DatabaseSync | undefined;
  const notes: string[] = [];
  try {
    made = createFile(path);
    db = new DatabaseSync(path, { timeout: 0 });
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = 8192");
    const found = judgeSchema(db, path, schemas);
    db.exec(tune);
    if (found === "empty") createSchema(db, schemas);
    else if (found !== "current") notes.push(migrate(db, path, found, schemas));
    return { db, notes };
  } catch (error) {
    db?.close();
    if (made) for (const left of [path, `${path}-wal`]) rmSync(left, { force: true });
    throw refusal(path, error);
  }
};
