import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { Compacted, OutcomeUnknown, Unavailable } from "../store.ts";
import type { Condition, Operation, WriteResult } from "../store.ts";
import { revisionOf } from "../tail.ts";
import type { Calls } from "./calls.ts";
import { Lost } from "./failure.ts";
import { readHistory } from "./history.ts";
import type { Members } from "./members.ts";
import { cannotHappen, failedIn, isMadeBy, isOnlyOnce, readOf, resultOf, transactionOf } from "./transaction.ts";

/** Milliseconds between two looks for a write that may still be on its way. */
const LOOK_AGAIN = 150;

export interface WriterOptions {
  readonly members: Members;
  readonly calls: Calls;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeoutMs: number;
  /** Newest revision heard of. */
  readonly newest: () => number;
}

export type Write = (conditions: readonly Condition[], operations: readonly Operation[]) => Promise<WriteResult>;

/**
 * Writes as transactions, each sent once. When no answer comes, etcd's own history says whether the write happened; only one that cannot
 * happen twice is sent again. Throws {@link OutcomeUnknown} when neither can be told in time.
 */
export function createWriter({ members, calls, clock, log, timeoutMs, newest }: WriterOptions): Write {
  /** The revision at which these operations were made, all in one write, after one revision and up to another. */
  const madeIn = async (operations: readonly Operation[], after: number, upTo: number): Promise<number | undefined> => {
    if (after >= upTo) return undefined;
    let found: number | undefined;
    await readHistory({ members, calls, clock, timeoutMs }, after, ({ events, revision }) => {
      const writes = Map.groupBy(events, revisionOf);
      for (const [at, write] of writes) {
        if (at <= upTo && isMadeBy(operations, write)) found = at;
      }
      return found !== undefined || revision >= upTo;
    });
    return found;
  };

  /** What became of a write that was not answered; "nothing" when it did not happen, and would not by itself when sent again. */
  const settle = async (
    conditions: readonly Condition[],
    operations: readonly Operation[],
    before: number,
  ): Promise<WriteResult | "nothing" | undefined> => {
    const until = clock.now() + timeoutMs;
    for (let after = before; ;) {
      const answer = await members.ask(calls.txn, readOf(conditions));
      const upTo = answer.header?.revision ?? 0;
      const revision = await madeIn(operations, after, upTo);
      if (revision !== undefined) return { ok: true, revision };
      if (cannotHappen(conditions, answer)) return failedIn(conditions, answer);
      if (isOnlyOnce(conditions, operations)) return "nothing";
      if (clock.now() >= until) return undefined;
      after = upTo;
      await new Promise<void>((resolve) => void clock.after(LOOK_AGAIN, resolve));
    }
  };

  const unknown = (operations: readonly Operation[], why: string): OutcomeUnknown => {
    const [first, ...others] = operations;
    const rest = others.length === 0 ? "" : ` and ${others.length} more`;
    return new OutcomeUnknown(
      `writing ${first?.key ?? "nothing"}${rest} to etcd at ${members.names}: ${why}; whether it was written cannot be told`,
    );
  };

  return async (conditions, operations) => {
    const request = transactionOf(conditions, operations);
    const before = Math.max(newest(), 1);
    let why: string | undefined;
    const until = clock.now() + 2 * timeoutMs;
    for (;;) {
      try {
        const answer = await members.send(calls.txn, request);
        const result = resultOf(conditions, answer);
        // What refuses a repetition may be the write itself, which came through after all.
        const revision =
          result.ok || why === undefined ? undefined : await madeIn(operations, before, answer.header?.revision ?? 0);
        return revision === undefined ? result : { ok: true, revision };
      } catch (error) {
        if (error instanceof Lost) why = error.message;
        // Not sent, or refused; but an earlier time it was sent.
        else if (why === undefined) throw error;
      }
      log.debug({ keys: operations.map(({ key }) => key), why }, "etcd did not answer a write; looking for it");
      let settled: Awaited<ReturnType<typeof settle>>;
      try {
        settled = await settle(conditions, operations, before);
      } catch (error) {
        if (error instanceof Unavailable || error instanceof Compacted) throw unknown(operations, why);
        throw error;
      }
      if (settled === undefined || (settled === "nothing" && clock.now() >= until)) throw unknown(operations, why);
      if (settled !== "nothing") return settled;
    }
  };
}
