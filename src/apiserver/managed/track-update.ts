import type { ManagedFieldsEntry } from "../../api/generated/types.ts";
import type { Kind } from "../../api/kind.ts";
import { apiVersionOf, type KubeObject } from "../../api/object.ts";
import { difference, union, type FieldSet } from "./field-set.ts";
import {
  capped,
  decodeManagers,
  encodeManagers,
  managerKey,
  type Managed,
  type ManagerId,
  type Managers,
} from "./managers.ts";
import { bare, compareOwned } from "./owned.ts";
import { resetFields } from "./reset-fields.ts";
import { reconciled } from "./remove.ts";
import { shapeOf, type StructShape } from "./shape.ts";

export interface Tracking {
  /** Name of the writer, from `fieldManager` or its user agent. */
  readonly manager: string;
  /** `""` for the object itself. */
  readonly subresource: string;
  /** RFC 3339, seconds. */
  readonly now: string;
}

/** True for a list that asks for a fresh start: `[]`, or `[{}]`. */
const isReset = (entries: readonly ManagedFieldsEntry[] | undefined): boolean =>
  entries !== undefined && (entries.length === 0 || (entries.length === 1 && Object.keys(entries[0]!).length === 0));

function decodeOrNone(entries: readonly ManagedFieldsEntry[] | undefined): Map<string, Managed> {
  try {
    return decodeManagers(entries);
  } catch {
    return new Map();
  }
}

/** The managers a write starts from: those it names itself, unless it names none, or none that can be read. */
function startingManagers(
  shape: StructShape,
  next: KubeObject,
  previous: KubeObject | undefined,
  subresource: string,
): Map<string, Managed> {
  if (subresource === "") {
    if (isReset(next.metadata.managedFields)) return new Map();
    const said = decodeOrNone(next.metadata.managedFields);
    for (const [key, managed] of said) said.set(key, { ...managed, fields: reconciled(shape, managed.fields) });
    if (said.size > 0) return said;
  }
  return decodeOrNone(previous?.metadata.managedFields);
}

/** Entries without some fields; those with nothing left, and those of versions that are not served, go. */
export function without(managers: Managers, apiVersion: string, fields: FieldSet): Map<string, Managed> {
  const left = new Map<string, Managed>();
  for (const [key, managed] of managers) {
    if (managed.apiVersion !== apiVersion) continue;
    const kept = difference(managed.fields, fields);
    if (kept.size > 0) left.set(key, kept === managed.fields ? managed : { ...managed, fields: kept });
  }
  return left;
}

export function withManagers(object: KubeObject, managers: Managers): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  const managedFields = encodeManagers(managers);
  return { ...object, metadata: managedFields === undefined ? metadata : { ...metadata, managedFields } };
}

/** The managers after an update: the writer owns what it added or changed, and nobody what it removed. */
export function updateManagers(
  kind: Pick<Kind, "group" | "version" | "type" | "subresources">,
  managers: Managers,
  old: object,
  next: KubeObject,
  { manager, subresource, now }: Tracking,
): Managers {
  const apiVersion = apiVersionOf(kind);
  const { added, modified, removed } = compareOwned(shapeOf(kind.type), old, next, resetFields(kind, subresource));
  const taken = union(added, modified);
  const left = without(managers, apiVersion, union(taken, removed));
  if (taken.size > 0) {
    const id: ManagerId = {
      manager: manager === "" ? "unknown" : manager,
      operation: "Update",
      apiVersion,
      subresource,
    };
    const key = managerKey(id);
    left.set(key, { ...id, fields: union(taken, left.get(key)?.fields ?? new Map()), time: now });
  }
  return capped(left);
}

/**
 * The object with `metadata.managedFields` as they are after a create (no `previous`), PUT, PATCH or write through a subresource. Who
 * removed the list of managers gets none until the object is applied; a list that cannot be read does not count.
 */
export function trackUpdate(
  kind: Pick<Kind, "group" | "version" | "type" | "subresources">,
  previous: KubeObject | undefined,
  next: KubeObject,
  tracking: Tracking,
): KubeObject {
  const managers = startingManagers(shapeOf(kind.type), next, previous, tracking.subresource);
  if (managers.size === 0 && previous !== undefined) return withManagers(next, managers);
  const stripped = bare(next);
  return withManagers(
    stripped,
    updateManagers(kind, managers, previous === undefined ? {} : bare(previous), stripped, tracking),
  );
}
