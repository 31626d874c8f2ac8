import type { DatabaseSync } from "node:sqlite";
import type { Condition } from "../store.ts";
import type { History } from "./history.ts";
import type { Calls, Row, WriteAnswer } from "./protocol.ts";
import type { State } from "./state.ts";

interface Stored {
  readonly id: number;
  readonly row: Row;
}

export interface Writer {
  /** Makes one write within the open transaction, or none of it. */
  write(state: State, question: Calls["write"]["question"]): WriteAnswer;
  /** Ends the transaction's work before its COMMIT: trims the past and records the state. */
  finish(state: State): void;
}

const holds = (condition: Condition, current: Row | undefined): boolean =>
  "absent" in condition ? current === undefined : current?.[2] === condition.modRevision;

export const prepareWriter = (db: DatabaseSync, history: History): Writer => {
  const find = db.prepare("SELECT id, value, create_revision, mod_revision FROM entry WHERE key = ?");
  find.setReturnArrays(true);
  const insert = db.prepare("INSERT INTO entry (key, create_revision, mod_revision, value) VALUES (?, ?, ?, ?)");
  const update = db.prepare("UPDATE entry SET mod_revision = ?, value = ? WHERE id = ?");
  const remove = db.prepare("DELETE FROM entry WHERE id = ?");
  const remember = db.prepare("INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const record = db.prepare("UPDATE state SET revision = ?, compact_revision = ?");

  const read = (key: string): Stored | undefined => {
    // An array in the order of the columns, as setReturnArrays promises.
    const found = find.get(key) as unknown as [number, string, number, number] | undefined;
    return found && { id: found[0], row: [found[1], found[2], found[3]] };
  };

  const write: Writer["write"] = (state, { conditions, operations }) => {
    const seen = new Map<string, Stored | undefined>();
    const current = (key: string): Stored | undefined => {
      if (!seen.has(key)) seen.set(key, read(key));
      return seen.get(key);
    };
    const failed = conditions.findIndex((condition) => !holds(condition, current(condition.key)?.row));
    const unmet = conditions[failed];
    if (unmet !== undefined) return { failed, current: current(unmet.key)?.row };

    const revision = state.revision + 1;
    const previous = operations.map((operation) => {
      const { key } = operation;
      const stored = current(key);
      const deleted = operation.type === "delete";
      if (deleted && stored === undefined) return undefined;
      state.revision = revision;
      if (operation.type === "delete") remove.run(stored?.id ?? null);
      else if (stored === undefined) insert.run(key, revision, revision, operation.value);
      else update.run(revision, operation.value, stored.id);
      const [value, createRevision, modRevision] = stored?.row ?? [null, null, null];
      state.lastTotal += value?.length ?? 0;
      state.lastChange += 1;
      const { lastChange, lastTotal } = state;
      remember.run(lastChange, revision, key, deleted ? 1 : 0, lastTotal, createRevision, modRevision, value);
      return stored?.row;
    });
    return { revision: state.revision, previous };
  };

  return {
    write,
    finish: (state) => {
      history.trim(state);
      record.run(state.revision, state.compactRevision);
    },
  };
};
