import { test } from "node:test";
import type { Operation, Store } from "../../../src/store/store.ts";
import type { OpenedStore, OpenStore } from "../contract.ts";

/** A test on a fresh, empty store, which is closed afterwards. */
export const example = (
  engine: string,
  open: OpenStore,
  title: string,
  body: (store: Store, opened: OpenedStore) => Promise<void>,
): void => {
  void test(`${engine}: ${title}`, { timeout: 60_000 }, async () => {
    const opened = await open();
    try {
      await body(opened.store, opened);
    } finally {
      await opened.close();
    }
  });
};

export const put = (key: string, value: string): Operation => ({ type: "put", key, value });
export const remove = (key: string): Operation => ({ type: "delete", key });

/** Writes without conditions; returns the revision. */
export const write = async (store: Store, ...operations: Operation[]): Promise<number> => {
  const result = await store.write([], operations);
  if (!result.ok) throw new Error("a write without conditions was refused");
  return result.revision;
};
