import type { DatabaseSync } from "node:sqlite";
import type { State } from "./state.ts";

/** Trimming a few changes more than needed at a time costs less than trimming in every transaction. */
const slack = 128;

export interface History {
  /** Forgets every change up to and including this revision's. */
  compact(state: State, revision: number): void;
  /** Forgets the oldest writes, each whole, when there are more changes or replaced bytes than the limits. */
  trim(state: State): void;
}

export const prepareHistory = (
  db: DatabaseSync,
  limits: { readonly changes: number; readonly bytes: number },
): History => {
  const forget = db.prepare("DELETE FROM change WHERE revision <= ?");
  const first = db.prepare("SELECT id, total FROM change ORDER BY id LIMIT 1");
  const revisionOf = db.prepare("SELECT revision FROM change WHERE id = ?");
  const firstAbove = db.prepare("SELECT id FROM change WHERE total > ? ORDER BY id LIMIT 1");

  const compact = (state: State, revision: number): void => {
    if (revision <= state.compactRevision) return;
    state.compactRevision = revision;
    forget.run(revision);
    const row = first.get();
    state.firstChange = row === undefined ? state.lastChange + 1 : Number(row["id"]);
    state.firstTotal = row === undefined ? state.lastTotal : Number(row["total"]);
  };

  const trim = (state: State): void => {
    const tooMany = state.lastChange - state.firstChange + 1 > limits.changes + slack;
    const tooLarge = state.lastTotal - state.firstTotal > limits.bytes;
    if (!tooMany && !tooLarge) return;
    let last = tooMany ? state.lastChange - limits.changes : 0;
    if (tooLarge) {
      const keep = firstAbove.get(state.lastTotal - limits.bytes + limits.bytes / 8)?.["id"];
      last = Math.max(last, keep === undefined ? state.lastChange : Number(keep) - 1);
    }
    const revision = revisionOf.get(last)?.["revision"];
    if (revision !== undefined) compact(state, Number(revision));
  };

  return { compact, trim };
};
