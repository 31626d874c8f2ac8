import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { timestamp } from "../../observe/clock.ts";
import { admitted, join, type Beside } from "../admission/admission.ts";
import { inTurn } from "../admission/resource-quota/in-turn.ts";
import { itemOf, storedText, type Item } from "../cache/item.ts";
import type { Context } from "../context.ts";
import { CHANGED_MEANWHILE, conflict, notFound } from "../errors.ts";
import { freshItem, itemAt, itemFor, MAXIMUM_ATTEMPTS, remove, store, type At } from "../write.ts";
import type { Writer } from "../writer.ts";
import type { DeleteOptions } from "./delete-options.ts";

export interface Deleted {
  /** The object as it was, or as it is now while something still holds it. */
  readonly item: Item;
  readonly isGone: boolean;
}

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

/** The finalizers by which the garbage collector learns what is to become of the object's dependents. */
function finalizersFor(kind: Kind, object: KubeObject, options: DeleteOptions): string[] {
  const existing = object.metadata.finalizers ?? [];
  const isSaid = options.propagationPolicy !== undefined || options.orphanDependents !== undefined;
  // Who says nothing keeps what the object itself says already.
  if (!isSaid && kind.orphansDependents === true && !existing.includes(FOREGROUND)) {
    return existing.includes(ORPHAN) ? existing : [...existing, ORPHAN];
  }
  const kept = existing.filter(
    (finalizer) => options.propagationPolicy === undefined || (finalizer !== ORPHAN && finalizer !== FOREGROUND),
  );
  if (options.propagationPolicy === "Orphan") kept.push(ORPHAN);
  if (options.propagationPolicy === "Foreground") kept.push(FOREGROUND);
  return kept;
}

const namespaceIsHeld = (object: KubeObject): boolean =>
  object.kind === "Namespace" && ((object as { spec?: { finalizers?: string[] } }).spec?.finalizers ?? []).length > 0;

/**
 * The object marked as deleted, or undefined when it may go at once. A second deletion may only shorten the time the first one gave.
 */
function markedAsDeleted(
  kind: Kind,
  object: KubeObject,
  options: DeleteOptions,
  nowMs: number,
): KubeObject | undefined {
  const finalizers = finalizersFor(kind, object, options);
  const { deletionTimestamp, deletionGracePeriodSeconds, generation } = object.metadata;
  let grace = Math.max(0, kind.graceSeconds?.(object, options.gracePeriodSeconds) ?? 0);
  if (grace === 0 && finalizers.length === 0 && !namespaceIsHeld(object)) return undefined;
  let until = timestamp(nowMs + grace * 1000);
  if (deletionTimestamp !== undefined) {
    const given = deletionGracePeriodSeconds ?? 0;
    // The start of the first deletion stays; only a shorter time that was asked for counts.
    const shortens = grace < given && (options.gracePeriodSeconds !== undefined || kind.graceSeconds === undefined);
    grace = shortens ? grace : given;
    until = shortens ? timestamp(Date.parse(deletionTimestamp) - (given - grace) * 1000) : deletionTimestamp;
  }
  const { finalizers: _, ...metadata } = object.metadata;
  const marked: KubeObject = {
    ...object,
    metadata: {
      ...metadata,
      ...(finalizers.length === 0 ? {} : { finalizers }),
      deletionTimestamp: until,
      deletionGracePeriodSeconds: grace,
      ...(generation === undefined || deletionTimestamp !== undefined ? {} : { generation: generation + 1 }),
    },
  };
  if (object.kind !== "Namespace") return marked;
  const { deletionGracePeriodSeconds: _none, ...namespaceMetadata } = marked.metadata;
  const status = { ...(object as { status?: object }).status, phase: "Terminating" };
  return { ...marked, metadata: namespaceMetadata, status } as KubeObject;
}

function checkPreconditions(kind: Kind, item: Item, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const name = item.object.metadata.name ?? "";
  // Upstream names the kind here, where other conflicts name the plural.
  const named = { group: kind.group, plural: kind.kind };
  const differs = (what: string, said: string, found: string): string =>
    `the ${what} in the precondition (${said}) does not match the ${what} in record (${found}).`;
  if (uid !== undefined && uid !== item.object.metadata.uid) {
    const why = differs("UID", uid, item.object.metadata.uid ?? "");
    throw conflict(named, name, `${why} The object might have been deleted and then recreated`);
  }
  if (resourceVersion !== undefined && resourceVersion !== String(item.revision)) {
    const why = differs("ResourceVersion", resourceVersion, String(item.revision));
    throw conflict(named, name, `${why} The object might have been modified`);
  }
}

/** The object as it is to be deleted, and what must be true and be written beside. */
export interface Readied {
  readonly object: KubeObject;
  readonly beside: Beside;
}

/** Who deletes, and whether by way of the eviction of a pod. */
type Deleter = Pick<Writer, "identity" | "warn"> & {
  readonly subresource?: "eviction";
  /** Judges and changes what is about to be deleted; asked again, `isRetry`, when another writer came between. @throws ApiError */
  readonly ready?: (current: Item, isRetry: boolean) => Promise<Readied>;
};

/** Deletes an object: for good, or by marking it when finalizers or a grace period hold it. */
export const deleteObject = (
  context: Context,
  kind: Kind,
  at: At,
  options: DeleteOptions,
  writer: Deleter,
): Promise<Deleted> =>
  inTurn(context, kind, at.namespace, { isUpdate: false }, () => deleteNow(context, kind, at, options, writer));

async function deleteNow(
  context: Context,
  kind: Kind,
  at: At,
  options: DeleteOptions,
  writer: Deleter,
): Promise<Deleted> {
  let current = itemAt(context, kind, at) ?? (await freshItem(context, kind, at));
  for (let attempt = 0; attempt < MAXIMUM_ATTEMPTS; attempt++) {
    if (current === undefined) throw notFound(kind, at.name);
    checkPreconditions(kind, current, options);
    const readied = await writer.ready?.(current, attempt > 0);
    const admittance = await admitted(context, {
      ...writer,
      ...at,
      operation: "delete",
      kind,
      subresource: writer.subresource,
      next: undefined,
      previous: current.object,
      dryRun: options.dryRun,
      isRetry: attempt > 0,
    });
    const beside = readied === undefined ? admittance : join([admittance, readied.beside]);
    const marked = markedAsDeleted(kind, readied?.object ?? current.object, options, context.clock.now());
    if (marked === undefined) {
      const gone = await remove(context, kind, current, options.dryRun, attempt > 0, beside);
      if (gone.ok) return { item: current, isGone: true };
      if (gone.failedKey === current.key) current = gone.current === undefined ? undefined : itemOf(gone.current);
      continue;
    }
    const text = storedText(marked);
    if (text === storedText(current.object)) return { item: current, isGone: false };
    if (options.dryRun) return { item: itemFor(current.key, marked, current.revision), isGone: false };
    const result = await store(
      context,
      [{ key: current.key, modRevision: current.revision }, ...beside.conditions],
      [{ type: "put", key: current.key, value: text }, ...beside.operations],
    );
    if (result.ok) return { item: itemFor(current.key, marked, result.revision), isGone: false };
    if (result.failedKey === current.key) current = result.current === undefined ? undefined : itemOf(result.current);
  }
  throw conflict(kind, at.name, CHANGED_MEANWHILE);
}
