import type { Condition, ListOptions, Operation } from "./store.ts";

const checkText = (what: string, text: string): void => {
  if (!text.isWellFormed()) {
    throw new TypeError(
      `${what} ${JSON.stringify(text.slice(0, 100))} has half a surrogate pair, which has no UTF-8 form`,
    );
  }
};

/** Throws TypeError when the key is empty or has no UTF-8 form. */
export const checkKey = (key: string): void => {
  if (key === "") throw new TypeError("a key in the store is a path, not empty");
  checkText("the key", key);
};

/** Throws TypeError when the prefix has no UTF-8 form; the empty prefix is every key. */
export const checkPrefix = (prefix: string): void => checkText("the prefix", prefix);

/** Throws RangeError unless it is a whole number, 0 or more. `what` names it in the message. */
export const checkRevision = (what: string, revision: number): void => {
  if (!Number.isSafeInteger(revision) || revision < 0) {
    throw new RangeError(`${what} is ${revision}, and should be a whole number, 0 or more`);
  }
};

/** Throws TypeError or RangeError for options that no store could serve. */
export const checkList = (prefix: string, options: ListOptions): void => {
  checkPrefix(prefix);
  checkRevision("the limit of a list", options.limit ?? 0);
  checkRevision("the revision of a list", options.revision ?? 0);
  if (options.after !== undefined) checkText("the key to continue after", options.after);
};

/** Throws TypeError for a write that no store could make, above all two operations on one key. */
export const checkWrite = (conditions: readonly Condition[], operations: readonly Operation[]): void => {
  for (const condition of conditions) checkKey(condition.key);
  const seen = new Set<string>();
  for (const operation of operations) {
    checkKey(operation.key);
    if (operation.type === "put") checkText("the value", operation.value);
    if (seen.has(operation.key)) {
      throw new TypeError(`a write has two operations on ${operation.key}, and should have at most one`);
    }
    seen.add(operation.key);
  }
};

/** What every method answers once the store is closed. */
export const closedError = (): Error => new Error("the store is closed");

/** Reading at `revision`, which no write has reached. */
export const futureError = (revision: number, newest: number): RangeError =>
  new RangeError(`reading at revision ${revision}: the newest revision is ${newest}`);
