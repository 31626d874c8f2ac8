import { quantityFields } from "../../api/decode/quantities.ts";
import { fields } from "../../api/generated/fields.ts";
import { atomicTypes, isAtomicMap, listTypeOf } from "../../api/listTypes.ts";
import { mergeRuleOf } from "../../api/mergeKeys.ts";
import type { Served } from "../discovery/resources.ts";
import { describeField, describeType } from "./descriptions.ts";
import {
  defaults,
  enums,
  groupOf,
  metaTypes,
  rawFields,
  retainsKeys,
  structStrategies,
  upstreamNames,
  withoutDefault,
} from "./facts.ts";

export type Schema = Record<string, unknown>;

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/** Types that are written as one value: a word of the field table → the schema's name and the schema. */
const VALUES: Readonly<Record<string, readonly [name: string, schema: Schema]>> = {
  time: [`${META}Time`, { type: "string", format: "date-time", description: "A time such as 2006-01-02T15:04:05Z." }],
  microtime: [
    `${META}MicroTime`,
    { type: "string", format: "date-time", description: "A time such as 2006-01-02T15:04:05.000000Z." },
  ],
  quantity: [
    "io.k8s.apimachinery.pkg.api.resource.Quantity",
    { oneOf: [{ type: "string" }, { type: "number" }], description: "A number with a unit, such as 100m, 2 or 64Mi." },
  ],
  intOrString: [
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    {
      format: "int-or-string",
      oneOf: [{ type: "integer" }, { type: "string" }],
      description: "A whole number, or a text.",
    },
  ],
  any: [`${META}FieldsV1`, { type: "object", description: "A set of fields, as nested keys." }],
  raw: ["io.k8s.apimachinery.pkg.runtime.RawExtension", { type: "object", description: "Any object." }],
};

/** Scalars: a word of the field table → the schema and the value that a field has when nobody said one. */
const SCALARS: Readonly<Record<string, readonly [schema: Schema, zero: unknown]>> = {
  string: [{ type: "string" }, ""],
  boolean: [{ type: "boolean" }, false],
  int32: [{ type: "integer", format: "int32" }, 0],
  int64: [{ type: "integer", format: "int64" }, 0],
  float: [{ type: "number", format: "double" }, 0],
  double: [{ type: "number", format: "double" }, 0],
  number: [{ type: "number", format: "double" }, 0],
  byte: [{ type: "string", format: "byte" }, undefined],
};

/** `io.k8s.api.core.v1.Service`: the name by which clients know a type's schema. */
export function schemaName(type: string): string {
  if (metaTypes.has(type)) return META + type;
  const group = groupOf(type);
  return `io.k8s.api.${group === "" ? "core" : group.split(".")[0]}.v1.${upstreamNames[type] ?? type}`;
}

export const refTo = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** Fields beside the description; a reference has to be wrapped, because nothing may stand beside it in OpenAPI 3.0. */
const reference = (name: string): Schema => ({ allOf: [refTo(name)] });

type Use = (word: string) => void;

/** What lies in a list or a map: never absent, so it has a default. */
function itemSchema(word: string, use: Use, allowed?: readonly string[]): Schema {
  const schema = wordSchema(word, use, allowed);
  if (Object.hasOwn(SCALARS, word)) {
    const zero = SCALARS[word]![1];
    return zero === undefined ? schema : { ...schema, default: zero };
  }
  return Object.hasOwn(fields, word) ? { ...schema, default: {} } : schema;
}

function wordSchema(word: string, use: Use, allowed?: readonly string[]): Schema {
  if (word.startsWith("[]")) return { type: "array", items: itemSchema(word.slice(2), use, allowed) };
  if (word.startsWith("map:")) return { type: "object", additionalProperties: itemSchema(word.slice(4), use, allowed) };
  if (Object.hasOwn(SCALARS, word))
    return { ...SCALARS[word]![0], ...(allowed === undefined ? {} : { enum: allowed }) };
  use(word);
  return reference(Object.hasOwn(VALUES, word) ? VALUES[word]![0] : schemaName(word));
}

/** Objects that stand alone hold their metadata, spec and status by value, not by pointer. */
const isRoot = (type: string): boolean =>
  fields[type]?.["kind"] !== undefined && fields[type]["metadata"] !== undefined;
const ROOT_VALUES = new Set(["metadata", "spec", "status"]);

/** The default of a field; undefined for none. */
function defaultOf(type: string, field: string, word: string, isRequired: boolean): unknown {
  const key = `${type}.${field}`;
  if (Object.hasOwn(defaults, key)) return defaults[key];
  const isStruct = Object.hasOwn(fields, word);
  if (isStruct && isRoot(type) && ROOT_VALUES.has(field)) return {};
  if (!isRequired || withoutDefault.has(key)) return undefined;
  return isStruct ? {} : SCALARS[word]?.[1];
}

/** How server-side apply owns what is in a list or map. */
function ownership(type: string, field: string, word: string): Schema {
  if (isAtomicMap(type, field)) return { "x-kubernetes-map-type": "atomic" };
  if (!word.startsWith("[]")) return {};
  const listType = listTypeOf(type, field);
  if (listType?.type !== "map") return { "x-kubernetes-list-type": listType?.type ?? "atomic" };
  return { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": listType.keys };
}

/** The schema of one type of the field table; `use` hears of every type it refers to. */
function typeSchema(type: string, use: Use): Schema {
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  for (const [field, said] of Object.entries(fields[type] ?? {})) {
    const isRequired = said.endsWith("!");
    const plain = isRequired ? said.slice(0, -1) : said;
    const key = `${type}.${field}`;
    const word = quantityFields.has(key) ? plain.replace("string", "quantity") : rawFields.has(key) ? "raw" : plain;
    const schema = wordSchema(word, use, enums[`${type}.${field}`]);
    const preset = defaultOf(type, field, word, isRequired);
    if (preset !== undefined) schema["default"] = preset;
    const rule = mergeRuleOf(type, field);
    if (rule !== undefined) {
      schema["x-kubernetes-patch-strategy"] = retainsKeys.has(`${type}.${field}`) ? "merge,retainKeys" : "merge";
      if (rule.list === "map") schema["x-kubernetes-patch-merge-key"] = rule.key;
    }
    if (Object.hasOwn(structStrategies, key)) schema["x-kubernetes-patch-strategy"] = structStrategies[key];
    Object.assign(schema, ownership(type, field, plain));
    properties[field] = { description: describeField(type, field), ...schema };
    if (isRequired) required.push(field);
  }
  return {
    description: describeType(type),
    type: "object",
    ...(atomicTypes.has(type) ? { "x-kubernetes-map-type": "atomic" } : {}),
    ...(required.length === 0 ? {} : { required }),
    properties,
  };
}

const LIST_FIELDS: Readonly<Record<string, string>> = {
  apiVersion: "The version of the API that this list is written in.",
  kind: "What this list is.",
  metadata: "At which revision the list was read, and where it goes on.",
  items: "The objects.",
};

const listSchema = (name: string, kind: string): Schema => ({
  description: `A list of ${kind} objects.`,
  type: "object",
  required: ["items"],
  properties: {
    apiVersion: { description: LIST_FIELDS["apiVersion"], type: "string" },
    items: { description: LIST_FIELDS["items"], type: "array", items: { ...reference(name), default: {} } },
    kind: { description: LIST_FIELDS["kind"], type: "string" },
    metadata: { description: LIST_FIELDS["metadata"], ...reference(schemaName("ListMeta")), default: {} },
  },
});

const PATCH: Schema = { type: "object", description: "A patch, in the format that the content type says." };
const WATCH_EVENT: Schema = {
  description: "One line of a watch.",
  type: "object",
  required: ["type", "object"],
  properties: {
    object: {
      description: "The object as it is after the event; for ERROR a Status.",
      ...reference("io.k8s.apimachinery.pkg.runtime.RawExtension"),
    },
    type: { description: "ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.", type: "string", default: "" },
  },
};

/** The core group and the document's own, for the types that every group has. */
function everyVersion(served: readonly Served[], kind: string): Schema[] {
  const versions = new Map([["/v1", { group: "", version: "v1", kind }]]);
  for (const { group, version } of served) versions.set(`${group}/${version}`, { group, version, kind });
  return [...versions.values()].sort((a, b) => (a.group < b.group ? -1 : 1));
}

/** Where a schema's kinds are told. */
export const KINDS = "x-kubernetes-group-version-kind";

/** The schemas of what a document serves, of its lists, and of every type these are made of. */
export function schemasOf(served: readonly Served[]): Record<string, Schema> {
  const schemas: Record<string, Schema> = {};
  const kinds = served.filter((one) => !("answer" in one));
  const seen = new Set<string>(served.map(({ type }) => type));
  if (kinds.length > 0) {
    for (const type of ["DeleteOptions", "Status", "ListMeta"]) seen.add(type);
    schemas[`${META}Patch`] = PATCH;
    schemas[`${META}WatchEvent`] = { ...WATCH_EVENT, [KINDS]: everyVersion(served, "WatchEvent") };
    seen.add("raw");
    if (served.some((one) => "scaling" in one)) seen.add("Scale");
  }
  const waiting = [...seen];
  const use = (word: string): void => {
    if (seen.has(word)) return;
    seen.add(word);
    waiting.push(word);
  };
  for (let word = waiting.pop(); word !== undefined; word = waiting.pop()) {
    if (Object.hasOwn(VALUES, word)) schemas[VALUES[word]![0]] = VALUES[word]![1];
    else schemas[schemaName(word)] = typeSchema(word, use);
  }
  const name = (schema: string, mine: readonly Schema[]): void => {
    if (schemas[schema] !== undefined) schemas[schema] = { ...schemas[schema], [KINDS]: mine };
  };
  name(schemaName("DeleteOptions"), everyVersion(served, "DeleteOptions"));
  name(schemaName("Status"), [{ group: "", version: "v1", kind: "Status" }]);
  for (const { group, version, kind, type } of served) name(schemaName(type), [{ group, version, kind }]);
  // What is an object of its own elsewhere, such as a claim in a template, is known as that here, too.
  for (const type of seen) {
    if (!metaTypes.has(type) && isRoot(type))
      name(schemaName(type), [{ group: groupOf(type), version: "v1", kind: type }]);
  }
  for (const { group, version, kind, type } of kinds) {
    const list = `${schemaName(type)}List`;
    schemas[list] = { ...listSchema(schemaName(type), kind), [KINDS]: [{ group, version, kind: `${kind}List` }] };
  }
  return Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
}
