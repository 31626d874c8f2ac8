import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openDatabase } from "./database.ts";
import type { Schemas } from "./schema.ts";

const first: Schemas = { newest: 1, create: "CREATE TABLE word (text TEXT)", migrations: {} };
const third: Schemas = {
  newest: 3,
  create: "CREATE TABLE word (text TEXT, length INTEGER, first TEXT)",
  migrations: {
    1: (db) => db.exec("ALTER TABLE word ADD COLUMN length INTEGER; UPDATE word SET length = length(text)"),
    2: (db) => db.exec("ALTER TABLE word ADD COLUMN first TEXT; UPDATE word SET first = substr(text, 1, 1)"),
  },
};

const inDirectory = (title: string, body: (path: string, directory: string) => void): void => {
  void test(title, () => {
    const directory = mkdtempSync(join(tmpdir(), "fairlead-schema-"));
    try {
      const path = join(directory, "store.db");
      const { db } = openDatabase(path, first);
      db.exec("INSERT INTO word VALUES ('anchor')");
      db.close();
      body(path, directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
};

const words = (db: DatabaseSync): object[] =>
  db
    .prepare("SELECT * FROM word")
    .all()
    .map((row) => ({ ...row }));

inDirectory("an older schema is copied aside and brought through every step to the newest", (path) => {
  const { db, notes } = openDatabase(path, third);
  assert.deepEqual(words(db), [{ text: "anchor", length: 6, first: "a" }]);
  db.close();
  assert.deepEqual(notes, [`brought the store ${path} from schema 1 to 3; the file as it was is ${path}.schema-1`]);
  const copy = openDatabase(`${path}.schema-1`, first);
  assert.deepEqual(words(copy.db), [{ text: "anchor" }]);
  copy.db.close();
  const again = openDatabase(path, third);
  assert.deepEqual(again.notes, []);
  again.db.close();
});

inDirectory("a migration that fails leaves the file at its schema, and can be tried again", (path) => {
  const failing: Schemas = {
    ...third,
    migrations: {
      ...third.migrations,
      2: () => {
        throw new Error("out of ink");
      },
    },
  };
  assert.throws(() => openDatabase(path, failing), { message: `cannot open the store ${path}: out of ink` });
  const before = openDatabase(path, first);
  assert.deepEqual(words(before.db), [{ text: "anchor" }]);
  before.db.close();
  const { db } = openDatabase(path, third);
  assert.deepEqual(words(db), [{ text: "anchor", length: 6, first: "a" }]);
  db.close();
});

inDirectory(
  "a schema that no migration leads from is refused, naming both, and nothing is copied",
  (path, directory) => {
    const gap: Schemas = { ...third, migrations: { 2: () => {} } };
    assert.throws(() => openDatabase(path, gap), {
      message: `the store ${path} has schema 1, and this Fairlead has schema 3 and no migration from 1`,
    });
    assert.deepEqual(readdirSync(directory), ["store.db"]);
  },
);

inDirectory("a newer schema is refused, naming both", (path) => {
  openDatabase(path, third).db.close();
  assert.throws(() => openDatabase(path, first), /has schema 3, and this Fairlead knows schemas up to 1/);
  assert.ok(existsSync(path));
});
