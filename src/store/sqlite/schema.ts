import type { DatabaseSync } from "node:sqlite";

/** Marks a file as ours in SQLite's header ("FLST"). */
export const applicationId = 0x464c5354;

/**
 * Schema 1.
 * `entry`: what each key holds now. Ordinary rowid tables: with 1 kB values, WITHOUT ROWID is several times slower.
 * `change`: the bounded past. A row keeps what its change REPLACED (all NULL for a create); what it PUT is what the key's
 * next change replaced, or the entry itself, so that no value is in the file twice. `total` counts replaced bytes since the
 * table was last empty. Values come last, so that the other columns can be read without following overflow pages.
 * `state`: the newest revision, and the one before which nothing can be read.
 */
const create = `
  CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    create_revision INTEGER NOT NULL,
    mod_revision INTEGER NOT NULL,
    value TEXT NOT NULL
  ) STRICT;
  CREATE TABLE change (
    id INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    key TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    total INTEGER NOT NULL,
    create_revision INTEGER,
    mod_revision INTEGER,
    value TEXT
  ) STRICT;
  CREATE INDEX change_revision ON change (revision);
  CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL,
    compact_revision INTEGER NOT NULL
  ) STRICT;
  INSERT INTO state VALUES (1, 1, 0);
`;

/** What brings a file from one schema to the next; it runs inside a transaction. */
type Migration = (db: DatabaseSync) => void;

/** All schemas there are: `create` makes the newest one in an empty file, `migrations[n]` brings schema n to n + 1. */
export interface Schemas {
  readonly newest: number;
  readonly create: string;
  readonly migrations: Readonly<Record<number, Migration>>;
}

export const schemas: Schemas = { newest: 1, create, migrations: {} };
