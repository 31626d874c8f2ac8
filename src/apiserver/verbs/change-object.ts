import type { Kind } from "../../api/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { ApiError, invalidObject } from "../../api/status.ts";
import { timestamp } from "../../observe/clock.ts";
import { admitted, mutated, type Beside } from "../admission/admission.ts";
import { inTurn } from "../admission/resource-quota/in-turn.ts";
import { itemOf, storedText, type Item } from "../cache/item.ts";
import type { Context } from "../context.ts";
import { CHANGED_MEANWHILE, conflict, notFound } from "../errors.ts";
import { trackUpdate } from "../managed/track-update.ts";
import { withManagedFieldsOf, withTimesOf } from "../managed/times.ts";
import { freshItem, isSame, itemAt, itemFor, MAXIMUM_ATTEMPTS, remove, store, storedItem, type At } from "../write.ts";
import type { Writer } from "../writer.ts";

/** Which rules a change is made by: the kind's for the main resource, its for `/status`, or none (the server's own changes). */
export type ChangeBy = "main" | "status" | "server";

export interface ChangeOptions extends Writer {
  readonly by: ChangeBy;
  /** By what other path than the object's own a change by the rules of the main resource comes. */
  readonly subresource?: "scale";
}

/** Throws Conflict when the writer meant another version, or another object of that name. */
function checkMeant(kind: Kind, next: KubeObject, current: Item): void {
  const { uid } = next.metadata;
  const name = current.object.metadata.name ?? "";
  if (uid !== undefined && uid !== "" && uid !== current.object.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.object.metadata.uid}`;
    throw conflict(kind, name, why);
  }
  if (!meansRevision(next, current)) throw conflict(kind, name, CHANGED_MEANWHILE);
}

/** False when the writer named another version than the one that is there; `0` is any. @throws ApiError without a reason for no version */
function meansRevision({ metadata: { resourceVersion } }: KubeObject, current: Item): boolean {
  if (resourceVersion === undefined || resourceVersion === "") return true;
  if (!/^\d+$/.test(resourceVersion)) {
    throw new ApiError("Unknown", `strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`);
  }
  return resourceVersion === String(current.revision) || Number(resourceVersion) === 0;
}

/** True when nothing holds a deleted object any more: no finalizer, and no time to end well left (SVC-191). */
function mayGo(object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
  if (deletionTimestamp === undefined || (finalizers ?? []).length > 0 || (deletionGracePeriodSeconds ?? 0) > 0)
    return false;
  if (object.kind !== "Namespace") return true;
  return ((object as { spec?: { finalizers?: string[] } }).spec?.finalizers ?? []).length === 0;
}

interface Prepared {
  readonly object: KubeObject;
  readonly beside: readonly Beside[];
}

/** The object to store, by the kind's rules, in the order of SVC-110. @throws ApiError Invalid */
async function prepare(
  context: Context,
  kind: Kind,
  decoded: KubeObject,
  previous: KubeObject,
  options: ChangeOptions,
  isRetry: boolean,
): Promise<Prepared> {
  const { by, dryRun } = options;
  if (by === "server") return { object: decoded, beside: [] };
  const { namespace, name = "" } = previous.metadata;
  const subresource = by === "status" ? "status" : options.subresource;
  const request = { ...options, operation: "update" as const, kind, subresource, namespace, name, previous, isRetry };
  const now = timestamp(context.clock.now());
  const filled = kind.defaults(decoded);
  const tracked =
    options.fieldManager === undefined
      ? filled
      : trackUpdate(kind, previous, filled, { manager: options.fieldManager, subresource: subresource ?? "", now });
  const next = await mutated(context, { ...request, next: tracked });
  const claimed = by === "main" ? await context.claims.claim({ kind, previous, next, dryRun, isRetry }) : undefined;
  const prepared =
    by === "main"
      ? kind.prepareForUpdate(claimed?.object ?? next, previous, { now })
      : (kind.prepareForStatusUpdate?.(next, previous) ?? previous);
  const object = withManagedFieldsOf(prepared, next);
  const faults = by === "main" ? kind.validate(object, previous) : (kind.validateStatus?.(object, previous) ?? []);
  if (faults.length > 0) throw invalidObject(kind.group, kind.kind, object.metadata.name ?? "", faults);
  const warnings = by === "main" ? kind.warnings?.(object, previous) : kind.statusWarnings?.(object, previous);
  for (const warning of warnings ?? []) options.warn(warning);
  const beside = await admitted(context, { ...request, next: object });
  return { object, beside: claimed === undefined ? [beside] : [claimed, beside] };
}

/**
 * Changes one object: `change` is given what is there and answers with what shall be. When another writer comes between, it is asked
 * again with the newer object, unless it names the version it means. An object whose last hold is gone goes with the change.
 */
export const changeObject = (
  context: Context,
  kind: Kind,
  at: At,
  options: ChangeOptions,
  change: (current: Item) => KubeObject | Promise<KubeObject>,
): Promise<Item> =>
  inTurn(context, kind, at.namespace, { isUpdate: true }, () => changeNow(context, kind, at, options, change));

async function changeNow(
  context: Context,
  kind: Kind,
  at: At,
  options: ChangeOptions,
  change: (current: Item) => KubeObject | Promise<KubeObject>,
): Promise<Item> {
  let current = itemAt(context, kind, at) ?? (await freshItem(context, kind, at));
  let isFresh = false;
  for (let attempt = 0; attempt < MAXIMUM_ATTEMPTS; attempt++) {
    if (current === undefined) throw notFound(kind, at.name);
    const next = await change(current);
    if (!isFresh && !meansRevision(next, current)) {
      current = await freshItem(context, kind, at);
      isFresh = true;
      continue;
    }
    checkMeant(kind, next, current);
    const { object: prepared, beside } = await prepare(context, kind, next, current.object, options, isFresh);
    const object = withTimesOf(prepared, current.object);
    const operations = beside.flatMap((part) => part.operations);
    if (mayGo(object)) {
      const gone = await remove(context, kind, current, options.dryRun, isFresh);
      if (gone.ok) return itemFor(current.key, object, gone.revision);
      current = gone.failedKey === current.key ? gone.current && itemOf(gone.current) : current;
      isFresh = true;
      continue;
    }
    if (isSame(object, current.object) && operations.length === 0) return current;
    if (options.dryRun) return itemFor(current.key, object, current.revision);
    const result = await store(
      context,
      [{ key: current.key, modRevision: current.revision }, ...beside.flatMap((part) => part.conditions)],
      [{ type: "put", key: current.key, value: storedText(object) }, ...operations],
    );
    if (result.ok) return storedItem(context, kind, current.key, object, result.revision);
    if (result.failedKey === current.key) current = result.current === undefined ? undefined : itemOf(result.current);
    isFresh = true;
  }
  throw conflict(kind, at.name, CHANGED_MEANWHILE);
}

/** @throws ApiError BadRequest for an object without a name, which is to replace the one that the URL names */
export function checkNamed({ metadata }: KubeObject, at: At): void {
  if (metadata.name !== undefined && metadata.name !== "") return;
  throw new ApiError(
    "BadRequest",
    `the name of the object (${at.name} based on URL) was undeterminable: name must be provided`,
  );
}

/** Refuses an object whose name or namespace is not the URL's (SVC-101); fills in what it leaves out. */
export function placedAt(
  kind: Kind,
  object: KubeObject,
  at: { namespace: string | undefined; name?: string },
): KubeObject {
  const { name, namespace } = object.metadata;
  if (kind.namespaced && namespace && namespace !== at.namespace) {
    throw new ApiError(
      "BadRequest",
      `the namespace of the provided object does not match the namespace sent on the request`,
    );
  }
  if (at.name !== undefined && name && name !== at.name) {
    throw new ApiError(
      "BadRequest",
      `the name of the object (${name}) does not match the name on the URL (${at.name})`,
    );
  }
  const metadata = { ...object.metadata };
  if (kind.namespaced && at.namespace !== undefined) metadata.namespace = at.namespace;
  if (!kind.namespaced) delete metadata.namespace;
  if (at.name !== undefined) metadata.name = at.name;
  return { ...object, metadata };
}
