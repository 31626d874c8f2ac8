import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { applicationId } from "./schema.ts";
import type { Schemas } from "./schema.ts";

/** Why a file is not taken; the message is a sentence for the person who started us. */
export class Refused extends Error {
  override readonly name = "Refused";
}

const pragma = (db: DatabaseSync, name: string): number => {
  const value = db.prepare(`PRAGMA ${name}`).get()?.[name];
  return typeof value === "number" ? value : 0;
};

const sync = (path: string): void => {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

/** A copy that is whole or not there: written beside, made durable, then given its name. */
const copyAside = (db: DatabaseSync, copy: string): void => {
  const unfinished = `${copy}.unfinished`;
  rmSync(unfinished, { force: true });
  db.prepare("VACUUM INTO ?").run(unfinished);
  sync(unfinished);
  renameSync(unfinished, copy);
  sync(dirname(copy));
};

const transaction = (db: DatabaseSync, work: () => void): void => {
  db.exec("BEGIN IMMEDIATE");
  try {
    work();
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
};

/**
 * Judges the file's schema, before anything is written: `empty` for a new file, `current`, or the number of an older one.
 * Throws {@link Refused} for a newer schema and for another program's database.
 */
export const judgeSchema = (db: DatabaseSync, path: string, schemas: Schemas): "empty" | "current" | number => {
  const schema = pragma(db, "user_version");
  const owner = pragma(db, "application_id");
  const tables = db.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.["tables"];
  if (owner === 0 && schema === 0 && tables === 0) return "empty";
  if (owner !== applicationId) {
    throw new Refused(`${path} is an SQLite database of another program, not a Fairlead store; choose another file`);
  }
  if (schema === schemas.newest) return "current";
  if (schema > schemas.newest) {
    throw new Refused(
      `the store ${path} has schema ${schema}, and this Fairlead knows schemas up to ${schemas.newest}; ` +
        `use the newer Fairlead that wrote it`,
    );
  }
  return schema;
};

/** Makes the newest schema in an empty file. */
export const createSchema = (db: DatabaseSync, schemas: Schemas): void =>
  transaction(db, () => {
    db.exec(schemas.create);
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemas.newest}`);
  });

/**
 * Brings an older file to the newest schema in one transaction, after copying it aside to `PATH.schema-N`.
 * Returns a sentence for the log. Throws {@link Refused} when no migration leads from its schema.
 */
export const migrate = (db: DatabaseSync, path: string, from: number, schemas: Schemas): string => {
  const steps = Array.from({ length: schemas.newest - from }, (_, step) => schemas.migrations[from + step]);
  if (steps.includes(undefined)) {
    throw new Refused(
      `the store ${path} has schema ${from}, and this Fairlead has schema ${schemas.newest} and no migration from ${from}`,
    );
  }
  const copy = `${path}.schema-${from}`;
  copyAside(db, copy);
  transaction(db, () => {
    for (const step of steps) step?.(db);
    db.exec(`PRAGMA user_version = ${schemas.newest}`);
  });
  return `brought the store ${path} from schema ${from} to ${schemas.newest}; the file as it was is ${copy}`;
};
