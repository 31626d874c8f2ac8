import { fields } from "../../api/generated/fields.ts";
import type { Kind } from "../../api/kind.ts";
import { atomicTypes, isAtomicMap, keyDefaultOf, listTypeOf } from "../../api/listTypes.ts";
import { mergeRuleOf } from "../../api/mergeKeys.ts";

export type Schema = Record<string, unknown>;

const SCALARS: Readonly<Record<string, Schema>> = {
  string: { type: "string" },
  boolean: { type: "boolean" },
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  float: { type: "number", format: "double" },
  double: { type: "number", format: "double" },
  number: { type: "number", format: "double" },
  byte: { type: "string", format: "byte" },
  time: { type: "string", format: "date-time" },
  microtime: { type: "string", format: "date-time" },
  quantity: { type: "string" },
  intOrString: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  any: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
};

/** Where upstream keeps the types that every kind shares; clients know them by these names. */
const META = new Set([
  "ObjectMeta",
  "ListMeta",
  "OwnerReference",
  "ManagedFieldsEntry",
  "LabelSelector",
  "LabelSelectorRequirement",
  "Status",
  "StatusDetails",
  "StatusCause",
  "Condition",
  "DeleteOptions",
  "Preconditions",
]);

/** `io.k8s.api.core.v1.Service`: the name of a type's schema in a group's document. */
export function schemaName(type: string, at: { readonly group: string; readonly version: string }): string {
  if (META.has(type)) return `io.k8s.apimachinery.pkg.apis.meta.v1.${type}`;
  const short = at.group === "" ? "core" : at.group.replace(/\.k8s\.io$/, "");
  return `io.k8s.api.${short}.${at.version}.${type}`;
}

export const refTo = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

interface Place {
  readonly group: string;
  readonly version: string;
}

function wordSchema(word: string, at: Place, used: (type: string) => void): Schema {
  if (word.startsWith("[]")) return { type: "array", items: itemSchema(word.slice(2), at, used) };
  if (word.startsWith("map:")) return { type: "object", additionalProperties: itemSchema(word.slice(4), at, used) };
  if (Object.hasOwn(SCALARS, word)) return { ...SCALARS[word] };
  if (fields[word] === undefined) return { ...SCALARS["any"] };
  used(word);
  return { allOf: [refTo(schemaName(word, at))], default: {} };
}

const itemSchema = (word: string, at: Place, used: (type: string) => void): Schema => {
  const schema = wordSchema(word, at, used);
  return word === "string" ? { ...schema, default: "" } : schema;
};

/** How server-side apply owns what is in a list or map. */
function ownership(type: string, field: string, word: string): Schema {
  if (isAtomicMap(type, field)) return { "x-kubernetes-map-type": "atomic" };
  if (!word.startsWith("[]")) return {};
  const listType = listTypeOf(type, field);
  if (listType?.type !== "map") return { "x-kubernetes-list-type": listType?.type ?? "atomic" };
  return { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": listType.keys };
}

/** The schema of one type of the field table; `used` hears of every type it refers to. */
function typeSchema(type: string, at: Place, used: (type: string) => void): Schema {
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  for (const [field, said] of Object.entries(fields[type] ?? {})) {
    const schema = wordSchema(said.replace(/!$/, ""), at, used);
    const rule = mergeRuleOf(type, field);
    if (rule !== undefined) {
      schema["x-kubernetes-patch-strategy"] = "merge";
      if (rule.list === "map") schema["x-kubernetes-patch-merge-key"] = rule.key;
    }
    Object.assign(schema, ownership(type, field, said.replace(/!$/, "")));
    const missing = keyDefaultOf(type, field, said);
    if (missing !== undefined) schema["default"] = missing;
    properties[field] = { description: `${field} of ${type}`, ...schema };
    if (said.endsWith("!")) required.push(field);
  }
  return {
    description: `${type} as Fairlead knows it.`,
    type: "object",
    ...(atomicTypes.has(type) ? { "x-kubernetes-map-type": "atomic" } : {}),
    ...(required.length === 0 ? {} : { required }),
    properties,
  };
}

/** The schemas of some kinds, their lists, and every type they are made of. */
export function schemasOf(kinds: readonly Kind[], at: Place): Record<string, Schema> {
  const schemas: Record<string, Schema> = {};
  const waiting = ["DeleteOptions", "Status", "ListMeta", ...kinds.map((kind) => kind.type)];
  const seen = new Set<string>(waiting);
  for (let type = waiting.pop(); type !== undefined; type = waiting.pop()) {
    schemas[schemaName(type, at)] = typeSchema(type, at, (next) => {
      if (seen.has(next)) return;
      seen.add(next);
      waiting.push(next);
    });
  }
  for (const kind of kinds) {
    const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
    const name = schemaName(kind.type, at);
    schemas[name] = { ...schemas[name], "x-kubernetes-group-version-kind": [gvk] };
    schemas[`${name}List`] = {
      type: "object",
      required: ["items"],
      properties: {
        apiVersion: { type: "string" },
        kind: { type: "string" },
        metadata: { allOf: [refTo(schemaName("ListMeta", at))], default: {} },
        items: { type: "array", items: { allOf: [refTo(name)], default: {} } },
      },
      "x-kubernetes-group-version-kind": [{ ...gvk, kind: `${kind.kind}List` }],
    };
  }
  return schemas;
}
