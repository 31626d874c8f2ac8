import type { Condition, Entry, Operation, StoreEvent, WriteResult } from "../store.ts";
import { NOTHING } from "./calls.ts";
import type { Compare, RequestOp, TxnAnswer, TxnRequest } from "./calls.ts";
import { entryOf } from "./entries.ts";

const compareOf = (condition: Condition): Compare => {
  const { key } = condition;
  if ("absent" in condition) return { key, target: "CREATE", result: "EQUAL", create_revision: 0 };
  // A key that is not there counts as written at revision 0, which no entry ever was: a condition that cannot hold.
  if (condition.modRevision < 1) return { key, target: "CREATE", result: "LESS", create_revision: 0 };
  return { key, target: "MOD", result: "EQUAL", mod_revision: condition.modRevision };
};

const requestOf = (operation: Operation): RequestOp =>
  operation.type === "put"
    ? { request_put: { key: operation.key, value: operation.value } }
    : { request_delete_range: { key: operation.key } };

/** Each key once, in the order of the conditions. */
const keysOf = (conditions: readonly Condition[]): string[] => [...new Set(conditions.map(({ key }) => key))];

/** Reads of what the conditions are about, all at one revision. */
const readsOf = (conditions: readonly Condition[]): RequestOp[] =>
  keysOf(conditions).map((key) => ({ request_range: { key } }));

/** One write: its operations when all conditions hold, else a read of what is there instead. */
export const transactionOf = (conditions: readonly Condition[], operations: readonly Operation[]): TxnRequest => ({
  compare: conditions.map(compareOf),
  success: operations.map(requestOf),
  failure: readsOf(conditions),
});

/** A read of what the conditions are about. Never empty: etcd answers a transaction without a read from whatever a member has. */
export const readOf = (conditions: readonly Condition[]): TxnRequest => ({
  compare: [],
  success: conditions.length > 0 ? readsOf(conditions) : [{ request_range: NOTHING }],
  failure: [],
});

/** What the reads of a transaction found, by key. */
function foundIn(answer: TxnAnswer): ReadonlyMap<string, Entry> {
  const entries = (answer.responses ?? []).flatMap(({ response_range }) => response_range?.kvs ?? []).map(entryOf);
  return new Map(entries.map((entry) => [entry.key, entry]));
}

const holds = (condition: Condition, current: Entry | undefined): boolean =>
  "absent" in condition ? current === undefined : current?.modRevision === condition.modRevision;

/** The first condition that does not hold by what was read; undefined when all do. */
export function failedIn(conditions: readonly Condition[], answer: TxnAnswer): WriteResult | undefined {
  const found = foundIn(answer);
  const failed = conditions.find((condition) => !holds(condition, found.get(condition.key)));
  return failed && { ok: false, failed, current: found.get(failed.key) };
}

/** What became of a write, from etcd's answer to its transaction. */
export function resultOf(conditions: readonly Condition[], answer: TxnAnswer): WriteResult {
  if (answer.succeeded === true) return { ok: true, revision: answer.header?.revision ?? 0 };
  const failed = failedIn(conditions, answer);
  if (failed === undefined) throw new Error("etcd refused a write whose conditions all hold by its own answer");
  return failed;
}

/** True when these events, all of one revision, are exactly what the operations would have made. */
export function isMadeBy(operations: readonly Operation[], events: readonly StoreEvent[]): boolean {
  const made = new Map(events.map((event) => [event.type === "put" ? event.entry.key : event.key, event]));
  const isAsAsked = (operation: Operation): boolean => {
    const event = made.get(operation.key);
    // A delete of nothing leaves no event.
    if (operation.type === "delete") return event === undefined || event.type === "delete";
    return event?.type === "put" && event.entry.value === operation.value;
  };
  const asked = new Set(operations.map(({ key }) => key));
  return events.length > 0 && [...made.keys()].every((key) => asked.has(key)) && operations.every(isAsAsked);
}

/** True when a condition can never hold again by what was read: a key's revision does not come back. */
export function cannotHappen(conditions: readonly Condition[], answer: TxnAnswer): boolean {
  const found = foundIn(answer);
  return conditions.some((condition) => "modRevision" in condition && !holds(condition, found.get(condition.key)));
}

/**
 * True when a write that happened makes its own repetition fail, so that sending it twice cannot do it twice: it changes a key that
 * it wants to find at a certain revision. (A key it wants to find absent may have been deleted again in between.)
 */
export function isOnlyOnce(conditions: readonly Condition[], operations: readonly Operation[]): boolean {
  const changed = new Set(operations.map(({ key }) => key));
  return conditions.some((condition) => "modRevision" in condition && changed.has(condition.key));
}
