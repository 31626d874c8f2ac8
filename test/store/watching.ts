import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Store, StoreEvent, Watch } from "../../src/store/store.ts";

/** A watch that keeps all it was told. */
export interface Recorded {
  readonly watch: Watch;
  /** Every call of the handler, as it came. */
  readonly calls: { readonly events: readonly StoreEvent[]; readonly revision: number }[];
  /** How the watch ended; empty while it runs. */
  readonly ends: (Error | undefined)[];
  events(): StoreEvent[];
  /** Waits until the watch has covered this revision. */
  reached(revision: number): Promise<void>;
}

export const revisionOf = (event: StoreEvent): number =>
  event.type === "put" ? event.entry.modRevision : event.revision;
export const keyOf = (event: StoreEvent): string => (event.type === "put" ? event.entry.key : event.key);

/** Waits for an effect; fails with the message after ten seconds. */
export const eventually = async (message: string, holds: () => boolean): Promise<void> => {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, message);
    await delay(1);
  }
};

export const record = async (store: Store, prefix: string, after: number): Promise<Recorded> => {
  const calls: Recorded["calls"] = [];
  const ends: Recorded["ends"] = [];
  const watch = await store.watch(prefix, after, {
    events: (events, revision) => void calls.push({ events, revision }),
    ended: (error) => void ends.push(error),
  });
  return {
    watch,
    calls,
    ends,
    events: () => calls.flatMap((call) => call.events),
    reached: (revision) =>
      eventually(`the watch of "${prefix}" never covered revision ${revision}`, () => {
        assert.deepEqual(ends, [], "the watch ended");
        return (calls.at(-1)?.revision ?? after) >= revision;
      }),
  };
};

/** What every watch promises, whatever was written: order, whole writes, the prefix, and a revision that only grows. */
export const checkPromises = ({ calls }: Recorded, prefix: string, after: number): void => {
  let covered = after;
  for (const { events, revision } of calls) {
    assert.ok(revision > covered, `revision ${revision} after ${covered}`);
    let last = covered + 1;
    for (const event of events) {
      assert.ok(keyOf(event).startsWith(prefix), `${keyOf(event)} under ${prefix}`);
      const at = revisionOf(event);
      assert.ok(at >= last && at <= revision, `an event of revision ${at}, after ${last}, in a call for ${revision}`);
      last = at;
    }
    covered = revision;
  }
};
