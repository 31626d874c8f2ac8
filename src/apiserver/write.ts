import { isDeepStrictEqual } from "node:util";
import type { Kind } from "../api/kind.ts";
import type { KubeObject } from "../api/object.ts";
import { isApiError } from "../api/status.ts";
import type { Condition, Entry, Operation } from "../store/store.ts";
import { NOTHING_BESIDE, released, type Beside } from "./admission/admission.ts";
import { itemOf, revisionedText, storedText, type Item } from "./cache/item.ts";
import type { Context } from "./context.ts";
import { objectKey } from "./keys.ts";

/** How often a write is tried anew because somebody else's write came between. */
export const MAXIMUM_ATTEMPTS = 20;

/** Where an object lies, from its URL. */
export interface At {
  readonly namespace: string | undefined;
  readonly name: string;
}

export const itemAt = (context: Context, kind: Kind, at: At): Item | undefined =>
  context.cache.of(kind).get(objectKey(kind, at));

/** The object as the store has it now; the cache may be a moment behind another server's write. */
export async function freshItem(context: Context, kind: Kind, at: At): Promise<Item | undefined> {
  const { entry } = await context.store.get(objectKey(kind, at));
  return entry === undefined ? undefined : itemOf(entry);
}

export type Stored =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly failedKey: string; readonly current: Entry | undefined };

/** Writes, and waits until reads see it. */
export async function store(
  context: Context,
  conditions: readonly Condition[],
  operations: readonly Operation[],
): Promise<Stored> {
  const result = await context.store.write(conditions, operations);
  if (!result.ok) return { ok: false, failedKey: result.failed.key, current: result.current };
  try {
    await context.cache.reached(result.revision);
  } catch (error) {
    // The write is done and durable; that the cache lags is no reason to call it failed.
    if (!isApiError(error, "Timeout")) throw error;
    context.log.warn({ revision: result.revision }, "the cache does not follow the store's writes");
  }
  return { ok: true, revision: result.revision };
}

/** An item for an object just stored, or, at revision 0, for one that a dry run did not store. */
export function itemFor(key: string, object: KubeObject, revision: number): Item {
  const stored = storedText(object);
  if (revision === 0) return { key, revision, object, text: JSON.stringify(object) };
  const text = revisionedText(stored, revision);
  return {
    key,
    revision,
    object: { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } },
    text,
  };
}

/** The item of an object just stored: most often the cache has it already, parsed and written. */
export function storedItem(context: Context, kind: Kind, key: string, object: KubeObject, revision: number): Item {
  const cached = context.cache.of(kind).get(key);
  return cached?.revision === revision ? cached : itemFor(key, object, revision);
}

const withoutRevision = (object: KubeObject): KubeObject => {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
};

/** True when writing `next` over `previous` would change nothing. Fields set to undefined count as absent. */
export const isSame = (next: KubeObject, previous: KubeObject): boolean =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(withoutRevision(next))), withoutRevision(previous));

/** Removes an object for good, with what it held and what else is to be written with that. */
export async function remove(
  context: Context,
  kind: Kind,
  item: Item,
  dryRun: boolean,
  isRetry: boolean,
  beside: Beside = NOTHING_BESIDE,
): Promise<Stored> {
  const claimed: Beside = await context.claims.claim({ kind, previous: item.object, next: undefined, dryRun });
  if (dryRun) return { ok: true, revision: item.revision };
  const all = [claimed, beside, await released(context, kind, item.object, isRetry)];
  const operations = new Map<string, Operation>([[item.key, { type: "delete", key: item.key }]]);
  for (const operation of all.flatMap((part) => part.operations)) {
    if (!operations.has(operation.key)) operations.set(operation.key, operation);
  }
  return store(
    context,
    [{ key: item.key, modRevision: item.revision }, ...all.flatMap((part) => part.conditions)],
    [...operations.values()],
  );
}
