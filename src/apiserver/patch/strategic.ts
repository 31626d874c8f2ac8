import { isDeepStrictEqual } from "node:util";
import { fields } from "../../api/generated/fields.ts";
import { mergeRuleOf } from "../../api/mergeKeys.ts";
import { badRequest } from "../errors.ts";
import { inElementOrder } from "./element-order.ts";

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
const DELETE_PRIMITIVES = "$deleteFromPrimitiveList/";
const ELEMENT_ORDER = "$setElementOrder/";

/** Type word of a field, without the mark of required ones; undefined inside maps and where nothing is known. */
const fieldWord = (type: string | undefined, field: string): string | undefined =>
  type === undefined || fields[type] === undefined || !Object.hasOwn(fields[type], field)
    ? undefined
    : fields[type][field]!.replace(/!$/, "");

const listAt = (patch: Fields, key: string): unknown[] => {
  const value = patch[key];
  if (!Array.isArray(value)) throw badRequest(`strategic merge patch: ${key} should be a list`);
  return value;
};

/** Removes directives and nulls from a part of a patch that meets nothing to be merged with. */
const bare = (patch: unknown, type: string | undefined): unknown => {
  if (Array.isArray(patch)) return patch.map((item) => bare(item, type));
  return isObject(patch) ? mergeFields({}, patch, type) : patch;
};

/** Joins two lists of plain values; what is in both stands once, where it stood. */
const union = (current: readonly unknown[], added: readonly unknown[]): unknown[] => [
  ...current,
  ...added.filter((value) => !current.some((other) => isDeepStrictEqual(other, value))),
];

/** Merges lists of objects item by item, by the key that names each. */
function mergeKeyed(
  current: readonly unknown[],
  patch: readonly unknown[],
  key: string,
  type: string | undefined,
): unknown[] {
  const isReplaced = patch.some((item) => isObject(item) && item[DIRECTIVE] === "replace");
  const merged: unknown[] = isReplaced ? [] : [...current];
  for (const item of patch) {
    if (!isObject(item)) throw badRequest("strategic merge patch: an item of a list of objects should be an object");
    const { [DIRECTIVE]: directive, ...rest } = item;
    if (directive === "replace") continue;
    if (item[key] === undefined) {
      throw badRequest(
        `strategic merge patch: ${JSON.stringify(item).slice(0, 200)} does not contain declared merge key: ${key}`,
      );
    }
    // Only the first of several items with the key is met, a limitation that clients know (SVC-196).
    const at = merged.findIndex((other) => isObject(other) && isDeepStrictEqual(other[key], item[key]));
    if (directive === "delete") {
      for (let index = merged.length - 1; index >= 0; index--) {
        const other = merged[index];
        if (isObject(other) && isDeepStrictEqual(other[key], item[key])) merged.splice(index, 1);
      }
    } else if (directive !== undefined && directive !== "merge") {
      throw badRequest(`strategic merge patch: unknown $patch directive ${JSON.stringify(directive)}`);
    } else if (at < 0) merged.push(bare(rest, type));
    else merged[at] = mergeFields(merged[at] as Fields, rest, type);
  }
  return merged;
}

function mergeList(current: unknown, patch: readonly unknown[], type: string | undefined, field: string): unknown {
  const rule = type === undefined ? undefined : mergeRuleOf(type, field);
  const itemType = fieldWord(type, field)?.replace(/^\[\]/, "");
  if (rule === undefined) return patch.map((item) => bare(item, itemType));
  const list = Array.isArray(current) ? current : [];
  return rule.list === "set" ? union(list, patch) : mergeKeyed(list, patch, rule.key, itemType);
}

function mergeValue(current: unknown, patch: unknown, type: string | undefined, field: string): unknown {
  if (Array.isArray(patch)) return mergeList(current, patch, type, field);
  if (!isObject(patch)) return patch;
  const word = fieldWord(type, field);
  return mergeFields(isObject(current) ? current : {}, patch, word?.startsWith("map:") ? word.slice(4) : word);
}

const keyOf = (type: string, field: string): string | undefined => {
  const rule = mergeRuleOf(type, field);
  return rule?.list === "map" ? rule.key : undefined;
};

/** Keys that only say how to merge. */
const isDirective = (key: string): boolean =>
  key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(DELETE_PRIMITIVES) || key.startsWith(ELEMENT_ORDER);

function mergeFields(current: Fields, patch: Fields, type: string | undefined): Fields {
  const directive = patch[DIRECTIVE];
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "replace" && directive !== "merge") {
    throw badRequest(`strategic merge patch: unknown $patch directive ${JSON.stringify(directive)}`);
  }
  if (directive === "replace") {
    const { [DIRECTIVE]: _, ...rest } = patch;
    return mergeFields({}, rest, type);
  }
  const merged: Fields = { ...current };
  if (patch[RETAIN_KEYS] !== undefined) {
    const retained = new Set(listAt(patch, RETAIN_KEYS));
    for (const key of Object.keys(merged)) if (!retained.has(key)) delete merged[key];
  }
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(DELETE_PRIMITIVES)) continue;
    const field = key.slice(DELETE_PRIMITIVES.length);
    const deleted = listAt(patch, key);
    const list = merged[field];
    if (!Array.isArray(list)) continue;
    merged[field] = list.filter((value) => !deleted.some((other) => isDeepStrictEqual(other, value)));
  }
  for (const [key, value] of Object.entries(patch)) {
    if (isDirective(key)) continue;
    if (value === null) delete merged[key];
    else merged[key] = mergeValue(merged[key], value, type, key);
  }
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(ELEMENT_ORDER)) continue;
    const field = key.slice(ELEMENT_ORDER.length);
    const list = merged[field];
    const before = current[field];
    if (!Array.isArray(list)) continue;
    const mergeKey = type === undefined ? undefined : keyOf(type, field);
    merged[field] = inElementOrder(list, listAt(patch, key), Array.isArray(before) ? before : [], mergeKey);
  }
  return merged;
}

/**
 * Strategic merge patch: as a merge patch, but lists of named things are merged item by item, with the directives `$patch`,
 * `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`. Nothing given is changed.
 *
 * @throws ApiError BadRequest for a patch that is none
 */
export function strategicMergePatch(target: unknown, patch: unknown, type: string): unknown {
  if (!isObject(patch)) throw badRequest("a strategic merge patch is an object");
  return mergeFields(isObject(target) ? target : {}, patch, type);
}
