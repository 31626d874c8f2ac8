import { isDeepStrictEqual } from "node:util";
import { fields } from "../../api/generated/fields.ts";
import { mergeRuleOf, replacedStructs, type MergeRule } from "../../api/mergeKeys.ts";
import { ApiError } from "../../api/status.ts";
import { badRequest } from "../errors.ts";
import { goType, goWords } from "../managed/go-words.ts";
import { elementName, inElementOrder } from "./element-order.ts";

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
const DELETE_PRIMITIVES = "$deleteFromPrimitiveList/";
const ELEMENT_ORDER = "$setElementOrder/";

/** What upstream has no better answer to than 500, although the fault is the patch's. */
const senseless = (words: string): ApiError => new ApiError("Unknown", words);

/** Type word of a field, without the mark of required ones; undefined inside maps and where nothing is known. */
const fieldWord = (type: string | undefined, field: string): string | undefined =>
  type === undefined || fields[type] === undefined || !Object.hasOwn(fields[type], field)
    ? undefined
    : fields[type][field]!.replace(/!$/, "");

const isDirective = (key: string): boolean =>
  key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(DELETE_PRIMITIVES) || key.startsWith(ELEMENT_ORDER);

/** A part of a patch that meets nothing to be merged with, without directives and nulls; undefined for what only is a directive. */
function bare(patch: unknown): unknown {
  if (Array.isArray(patch)) return patch.map(bare).filter((item) => item !== undefined);
  if (!isObject(patch)) return patch;
  return Object.hasOwn(patch, DIRECTIVE) ? undefined : bareFields(patch);
}

function bareFields(patch: Fields): Fields {
  const kept: Fields = {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || isDirective(key)) continue;
    const inner = bare(value);
    if (inner !== undefined) kept[key] = inner;
  }
  return kept;
}

/** Refuses lists whose elements are of more than one type. */
function checkElements(current: readonly unknown[], patch: readonly unknown[]): void {
  if (new Set([...current, ...patch].map(goType)).size > 1) {
    throw senseless(`list element types are not identical: ${goWords([current, patch])}`);
  }
}

const withoutKey = (item: unknown, key: string): ApiError =>
  senseless(`map: ${goWords(item)} does not contain declared merge key: ${key}`);

/** Merges lists of objects item by item, by the key that names each. */
function mergeKeyed(
  current: readonly unknown[],
  patch: readonly Fields[],
  key: string,
  type: string | undefined,
): unknown[] {
  let left = [...current];
  const rest: Fields[] = [];
  let isReplaced = false;
  for (const item of patch) {
    if (!Object.hasOwn(item, DIRECTIVE)) rest.push(item);
    else if (item[DIRECTIVE] === "replace") isReplaced = true;
    else if (item[DIRECTIVE] === "merge") throw senseless("merging lists cannot yet be specified in the patch");
    else if (item[DIRECTIVE] !== "delete") {
      throw senseless(`unknown patch type: ${goWords(item[DIRECTIVE])} in map: ${goWords(item)}`);
    } else if (!Object.hasOwn(item, key)) throw withoutKey(item, key);
    else left = left.filter((other) => !isObject(other) || !isDeepStrictEqual(other[key], item[key]));
  }
  if (isReplaced) return rest.map(bareFields);
  const merged = [...left];
  // Only the first of several items with the key is met, a limitation that clients know (SVC-196).
  const places = new Map<string, number>();
  for (const [index, item] of left.entries()) {
    const name = elementName(item, key);
    if (!places.has(name)) places.set(name, index);
  }
  for (const item of rest) {
    if (!Object.hasOwn(item, key)) throw withoutKey(item, key);
    const name = elementName(item, key);
    const at = places.get(name);
    if (at === undefined) {
      places.set(name, merged.length);
      merged.push(bareFields(item));
    } else merged[at] = mergeFields(merged[at] as Fields, item, type);
  }
  return inElementOrder(merged, rest, left, key);
}

/** Joins two lists of plain values; what is in both stands once. */
function mergeSet(current: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const names = new Set<string>();
  const joined = [...current, ...patch].filter((value) => {
    const name = elementName(value, undefined);
    return !names.has(name) && names.add(name);
  });
  return inElementOrder(joined, patch, current, undefined);
}

function mergeLists(
  current: readonly unknown[],
  patch: readonly unknown[],
  rule: MergeRule | undefined,
  itemType: string | undefined,
): unknown[] {
  if (rule === undefined) return bare(patch) as unknown[];
  if (current.length === 0 && patch.length === 0) return [];
  checkElements(current, patch);
  const areObjects = isObject(patch[0] ?? current[0]);
  if (rule.list === "set" || !areObjects) return mergeSet(current, patch);
  return mergeKeyed(current, patch as Fields[], rule.key, itemType);
}

const ruleOf = (type: string | undefined, field: string): MergeRule | undefined =>
  type === undefined ? undefined : mergeRuleOf(type, field);

const itemTypeOf = (type: string | undefined, field: string): string | undefined =>
  fieldWord(type, field)?.replace(/^(\[\]|map:)/, "");

/** The value of one field after the patch; undefined where nothing is left of it. */
function mergeValue(current: unknown, patch: unknown, type: string | undefined, field: string): unknown {
  if (Array.isArray(current) && Array.isArray(patch)) {
    return mergeLists(current, patch, ruleOf(type, field), itemTypeOf(type, field));
  }
  // Replaced, it is taken as it is written.
  if (isObject(patch) && type !== undefined && replacedStructs.has(`${type}.${field}`)) return patch;
  if (isObject(current) && isObject(patch)) return mergeFields(current, patch, itemTypeOf(type, field));
  return bare(patch);
}

/** Drops every field that the patch does not say to keep. Whatever the patch sets must be kept. */
function retain(current: Fields, patch: Fields): Fields {
  const said = patch[RETAIN_KEYS];
  if (said === undefined) return { ...current };
  const retained = new Set(Array.isArray(said) ? said : []);
  const isStrange = (key: string): boolean =>
    key !== RETAIN_KEYS &&
    patch[key] !== null &&
    !key.startsWith(DELETE_PRIMITIVES) &&
    !key.startsWith(ELEMENT_ORDER) &&
    !retained.has(key);
  if (!Array.isArray(said) || Object.keys(patch).some(isStrange))
    throw badRequest("invalid patch format of retainKeys");
  return Object.fromEntries(Object.entries(current).filter(([key]) => retained.has(key)));
}

/** Refuses a patch list whose items do not follow the order that is asked for. */
function checkOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): void {
  const items = patch.filter((item) => mergeKey === undefined || !isObject(item) || !Object.hasOwn(item, DIRECTIVE));
  if (items.length === 0 || order.length === 0) return;
  let next = 0;
  for (const item of order) {
    if (next < items.length && elementName(items[next], mergeKey) === elementName(item, mergeKey)) next += 1;
  }
  if (next < items.length) {
    throw senseless(
      `The order in patch list:\n${goWords(patch)}\n doesn't match $setElementOrder list:\n${goWords(order)}\n`,
    );
  }
}

/** Merges the lists that the patch gives an order for, and orders them. Answers with the fields that are done with. */
function mergeOrdered(merged: Fields, patch: Fields, type: string | undefined): Set<string> {
  const done = new Set<string>();
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(ELEMENT_ORDER)) continue;
    const field = key.slice(ELEMENT_ORDER.length);
    const current = Object.hasOwn(merged, field) ? merged[field] : undefined;
    const given = Object.hasOwn(patch, field) ? patch[field] : undefined;
    for (const list of [order, current ?? [], given ?? []]) {
      if (!Array.isArray(list)) throw senseless(`expected a []interface {}, but received a ${goType(list)}`);
    }
    const rule = ruleOf(type, field);
    const mergeKey = rule?.list === "map" ? rule.key : undefined;
    checkOrder((given ?? []) as unknown[], order as unknown[], mergeKey);
    if (given !== undefined && given !== null) done.add(field);
    if (current === undefined && given === undefined) continue;
    const list =
      given === undefined || given === null
        ? (current as unknown[])
        : current === undefined
          ? (bare(given) as unknown[])
          : (mergeValue(current, given, type, field) as unknown[]);
    if (list !== undefined)
      merged[field] = inElementOrder(list, order as unknown[], (current ?? []) as unknown[], mergeKey);
  }
  return done;
}

function mergeFields(current: Fields, patch: Fields, type: string | undefined): Fields {
  if (Object.hasOwn(patch, DIRECTIVE)) {
    const { [DIRECTIVE]: directive, ...rest } = patch;
    if (directive === "replace") return bareFields(rest);
    if (directive === "delete") return {};
    throw senseless(`unknown patch type: ${goWords(directive)} in map: ${goWords(patch)}`);
  }
  const merged = retain(current, patch);
  const done = mergeOrdered(merged, patch, type);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(DELETE_PRIMITIVES)) {
      const field = key.slice(DELETE_PRIMITIVES.length);
      const list = merged[field];
      if (!Array.isArray(list) || !Array.isArray(value)) continue;
      const deleted = new Set(value.map((item) => elementName(item, undefined)));
      merged[field] = list.filter((item) => !deleted.has(elementName(item, undefined)));
    } else if (!isDirective(key) && !done.has(key)) {
      const next =
        value === null ? undefined : mergeValue(Object.hasOwn(merged, key) ? merged[key] : undefined, value, type, key);
      if (next === undefined) delete merged[key];
      else merged[key] = next;
    }
  }
  return merged;
}

/**
 * Strategic merge patch: as a merge patch, but lists of named things are merged item by item, with the directives `$patch`,
 * `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…`. Nothing given is changed.
 *
 * @throws ApiError BadRequest, Invalid or InternalError, as upstream answers, for a patch that makes no sense
 */
export function strategicMergePatch(target: unknown, patch: unknown, type: string): unknown {
  if (!isObject(patch)) throw badRequest("a strategic merge patch is an object");
  return mergeFields(isObject(target) ? target : {}, patch, type);
}
