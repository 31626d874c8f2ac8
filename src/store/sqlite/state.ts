import type { DatabaseSync } from "node:sqlite";

/** Where the database stands. Kept in memory between transactions, and read again after one that was rolled back. */
export interface State {
  revision: number;
  compactRevision: number;
  /** Remembered changes have the ids `firstChange` … `lastChange`, without holes; `lastChange < firstChange` when there is none. */
  firstChange: number;
  lastChange: number;
  /** Replaced bytes counted up to the first and the last remembered change. */
  firstTotal: number;
  lastTotal: number;
}

const numbers = (db: DatabaseSync, sql: string): readonly number[] | undefined => {
  const statement = db.prepare(sql);
  const row = statement.get();
  return row && Object.values(row).map(Number);
};

export const readState = (db: DatabaseSync): State => {
  const [revision, compactRevision] = numbers(db, "SELECT revision, compact_revision FROM state") ?? [];
  if (revision === undefined || compactRevision === undefined) throw new Error("the store has lost its state row");
  const [firstChange = 1, firstTotal = 0] = numbers(db, "SELECT id, total FROM change ORDER BY id LIMIT 1") ?? [];
  const [lastChange = 0, lastTotal = 0] = numbers(db, "SELECT id, total FROM change ORDER BY id DESC LIMIT 1") ?? [];
  return { revision, compactRevision, firstChange, lastChange, firstTotal, lastTotal };
};
