import type { Kind } from "../../api/kind.ts";
import { apiVersionOf, type KubeObject } from "../../api/object.ts";
import { compare } from "./compare.ts";
import { extract } from "./extract.ts";
import { difference, EMPTY, intersection, outside, union, type FieldSet } from "./field-set.ts";
import { decodeManagers, managerKey, type Managed, type ManagerId, type Managers } from "./managers.ts";
import { merge } from "./merge.ts";
import { bare, compareOwned, ownable } from "./owned.ts";
import { remove, withNamedFields } from "./remove.ts";
import { resetFields } from "./reset-fields.ts";
import { shapeOf, type StructShape } from "./shape.ts";
import { updateManagers, without, type Tracking } from "./track-update.ts";

type AppliedKind = Pick<Kind, "group" | "version" | "type" | "subresources">;

/** Who owned the fields of an object before managers were written down. */
const BEFORE = "before-first-apply";

/** A field that another manager has with another value. */
export interface Conflict extends ManagerId {
  readonly fields: FieldSet;
}

export type Applied =
  | { readonly isConflict: true; readonly conflicts: readonly Conflict[] }
  | {
      readonly isConflict: false;
      /** The whole object to store, without its managers. */
      readonly object: Record<string, unknown>;
      readonly managers: Managers;
    };

/** Every field that some manager has. */
const owned = (managers: Managers): FieldSet =>
  [...managers.values()].reduce<FieldSet>((all, { fields }) => union(all, fields), EMPTY);

/**
 * The merged object without what its applier named the last time and names no more, except what others own, and what lies around that.
 */
function prune(
  shape: StructShape,
  merged: Record<string, unknown>,
  managers: Managers,
  last: FieldSet,
): Record<string, unknown> {
  if (last.size === 0) return merged;
  const named = (set: FieldSet): FieldSet => withNamedFields(shape, set);
  const all = named(extract(shape, merged));
  const lastNamed = named(last);
  const left = remove(shape, merged, lastNamed);
  const kept = union(named(extract(shape, left)), named(owned(managers)));
  const withOwned = remove(shape, merged, difference(all, kept));
  // What only hung below something that went, and that the applier never named, comes back.
  return remove(shape, merged, intersection(difference(all, named(extract(shape, withOwned))), lastNamed));
}

/** True when applying changed nothing: the same values in the same order. */
function isUnchanged(shape: StructShape, live: object, next: object): boolean {
  const { added, modified, removed } = compare(shape, live, next);
  return added.size === 0 && modified.size === 0 && removed.size === 0 && sameOrder(live, next);
}

/** Compares the order of lists where the fields are known to be the same; what is absent on one side is empty on the other. */
function sameOrder(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => sameOrder(item, other[index]));
  }
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return one === other || one === undefined || other === undefined;
  }
  const [left, right] = [one as Record<string, unknown>, other as Record<string, unknown>];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => sameOrder(left[key], right[key]));
}

/**
 * Server-side apply: the live object with what `applied` names, who then owns it, and without what the same manager named before and nobody
 * else owns. `live` is undefined for an object that is to be created. The applied object must fit its type (see `misfitWords`).
 *
 * @throws SyntaxError when the live object's managers cannot be read
 */
export function apply(
  kind: AppliedKind,
  live: KubeObject | undefined,
  applied: object,
  tracking: Tracking & {
    /** Whether fields are taken over from other managers. */
    readonly force: boolean;
    /** Fields that may be taken over without force, when there are no others. */
    readonly allowed?: FieldSet | undefined;
  },
): Applied {
  const shape = shapeOf(kind.type);
  const apiVersion = apiVersionOf(kind);
  const reset = resetFields(kind, tracking.subresource);
  const bareLive: object = live === undefined ? {} : bare(live);
  let managers: Managers = decodeManagers(live?.metadata.managedFields);
  if (managers.size === 0 && live !== undefined) {
    managers = updateManagers(kind, managers, {}, bareLive as KubeObject, { ...tracking, manager: BEFORE });
  }
  const id: ManagerId = {
    manager: tracking.manager,
    operation: "Apply",
    apiVersion,
    subresource: tracking.subresource,
  };
  const key = managerKey(id);
  const last = managers.get(key);
  // Until the last, what only identifies the object counts as named: so `metadata` is not taken away with what was in it.
  const named: Managed = { ...id, fields: outside(extract(shape, applied), reset), time: last?.time };
  const all = new Map(without(managers, apiVersion, EMPTY)).set(key, named);
  const merged = merge(shape, bareLive, applied);
  const next = prune(shape, merged, all, last?.apiVersion === apiVersion ? last.fields : EMPTY);

  const { added, modified, removed } = compareOwned(shape, bareLive, next, reset);
  const changed = union(added, modified);
  const conflicts: Conflict[] = [];
  for (const [other, managed] of all) {
    if (other === key) continue;
    const fields = difference(intersection(managed.fields, changed), tracking.allowed ?? EMPTY);
    if (fields.size > 0) conflicts.push({ ...managed, fields });
  }
  if (conflicts.length > 0 && !tracking.force) return { isConflict: true, conflicts };

  const left = without(new Map([...all].filter(([other]) => other !== key)), apiVersion, union(changed, removed));
  const isNew = !isUnchanged(shape, bareLive, next);
  const fields = ownable(named.fields, EMPTY);
  if (fields.size > 0) left.set(key, { ...named, fields, time: isNew ? tracking.now : named.time });
  return { isConflict: false, object: next, managers: left };
}
