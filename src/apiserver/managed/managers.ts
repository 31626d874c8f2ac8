import type { ManagedFieldsEntry } from "../../api/generated/types.ts";
import { union, type FieldSet } from "./field-set.ts";
import { decodeFields, encodeFields } from "./fields-v1.ts";

export type Operation = "Apply" | "Update";

/** Who a set of fields belongs to. A manager that updates has an entry for each version it writes; one that applies has one. */
export interface ManagerId {
  readonly manager: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  /** `status`, … for writes through a subresource; `""` for the object itself. */
  readonly subresource: string;
}

/** One entry of `metadata.managedFields`. */
export interface Managed extends ManagerId {
  readonly fields: FieldSet;
  /** RFC 3339, seconds; an applier that changed nothing has none. */
  readonly time: string | undefined;
}

/** Entries by the key of their manager. */
export type Managers = ReadonlyMap<string, Managed>;

/** The key of a manager; upstream's form, because ties are settled by its order. */
export function managerKey({ manager, operation, apiVersion, subresource }: ManagerId): string {
  return JSON.stringify({
    manager,
    operation,
    ...(operation === "Apply" ? {} : { apiVersion }),
    ...(subresource === "" ? {} : { subresource }),
  });
}

/** Reads `metadata.managedFields`. @throws SyntaxError for an entry that is none */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined): Map<string, Managed> {
  const managers = new Map<string, Managed>();
  for (const [index, entry] of (entries ?? []).entries()) {
    const { manager = "", operation, apiVersion, fieldsType, fieldsV1, subresource = "", time } = entry;
    if (operation !== "Apply" && operation !== "Update") {
      throw new SyntaxError(`reading managedFields[${index}]: operation should be Apply or Update`);
    }
    if (!apiVersion) throw new SyntaxError(`reading managedFields[${index}]: apiVersion should be there`);
    if (fieldsType !== "FieldsV1")
      throw new SyntaxError(`reading managedFields[${index}]: fieldsType should be FieldsV1`);
    const id: ManagerId = { manager, operation, apiVersion, subresource };
    managers.set(managerKey(id), { ...id, fields: decodeFields(fieldsV1), time });
  }
  return managers;
}

const seconds = (time: string | undefined): number => (time === undefined ? 0 : Math.floor(Date.parse(time) / 1000));

const byText = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);

function compareEntries(one: Managed, other: Managed): number {
  return (
    byText(one.operation, other.operation) ||
    seconds(one.time) - seconds(other.time) ||
    byText(one.manager, other.manager) ||
    byText(one.apiVersion, other.apiVersion) ||
    byText(one.subresource, other.subresource)
  );
}

/** Writes `metadata.managedFields`: appliers first, then the oldest. Undefined when there is nothing to write. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  return [...managers.values()].sort(compareEntries).map((managed) => ({
    ...(managed.manager === "" ? {} : { manager: managed.manager }),
    operation: managed.operation,
    apiVersion: managed.apiVersion,
    ...(managed.time === undefined ? {} : { time: managed.time }),
    fieldsType: "FieldsV1",
    fieldsV1: encodeFields(managed.fields),
    ...(managed.subresource === "" ? {} : { subresource: managed.subresource }),
  }));
}

/** Entries of updates that are kept apart; older ones are joined. */
const MAXIMUM_UPDATERS = 10;
const JOINED = "ancient-changes";

/** Joins the oldest entries of updates, by version, until there are no more than ten. */
export function capped(managers: Managers): Managers {
  const updaters = [...managers].filter(([, { operation }]) => operation === "Update");
  if (updaters.length <= MAXIMUM_UPDATERS) return managers;
  updaters.sort(([key, one], [otherKey, other]) => seconds(one.time) - seconds(other.time) || byText(key, otherKey));
  const kept = new Map(managers);
  const firsts = new Map<string, string>();
  let count = updaters.length;
  for (const [key, managed] of updaters) {
    if (count <= MAXIMUM_UPDATERS) break;
    const { apiVersion } = managed;
    const first = firsts.get(apiVersion);
    if (first === undefined) {
      firsts.set(apiVersion, key);
      continue;
    }
    const id: ManagerId = { manager: JOINED, operation: "Update", apiVersion, subresource: "" };
    const joined = kept.get(managerKey(id)) ?? kept.get(first);
    kept.delete(first);
    kept.delete(key);
    kept.set(managerKey(id), { ...id, fields: union(managed.fields, joined?.fields ?? new Map()), time: managed.time });
    count -= 1;
  }
  return kept;
}
