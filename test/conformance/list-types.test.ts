import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fields } from "../../src/api/generated/fields.ts";
import { kinds } from "../../src/api/kinds.ts";
import { atomicTypes, isAtomicMap, keyDefaultOf, listTypeOf } from "../../src/api/listTypes.ts";
import { schemaName } from "../../src/apiserver/openapi/schemas.ts";
import { isFairlead, startSubject, type Subject } from "./subject.ts";

type Schema = Record<string, unknown> & { properties?: Record<string, Schema>; items?: Schema; allOf?: Schema[] };

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

/** Roots of the field table that have a table of their own here although not every server of ours serves them yet. */
const BESIDE: readonly [type: string, group: string][] = [
  ["Ingress", "networking.k8s.io"],
  ["IngressClass", "networking.k8s.io"],
  ["ResourceQuota", ""],
  ["Role", "rbac.authorization.k8s.io"],
  ["RoleBinding", "rbac.authorization.k8s.io"],
  ["ClusterRole", "rbac.authorization.k8s.io"],
  ["ClusterRoleBinding", "rbac.authorization.k8s.io"],
];

const bare = (word: string): string => word.replace(/!$/, "").replace(/^(\[\]|map:)+/, "");

/** Every type of the field table that a root reaches. */
function reached(root: string): Set<string> {
  const seen = new Set<string>();
  const waiting = [root];
  for (let type = waiting.pop(); type !== undefined; type = waiting.pop()) {
    if (seen.has(type) || !Object.hasOwn(fields, type)) continue;
    seen.add(type);
    waiting.push(...Object.values(fields[type]!).map(bare));
  }
  return seen;
}

/** What a schema says of a type, in the words of our table. */
function saidOf(schema: Schema, schemas: Readonly<Record<string, Schema>>): Record<string, string> {
  const said: Record<string, string> = {};
  if (schema["x-kubernetes-map-type"] === "atomic") said[""] = "atomic";
  for (const [field, property] of Object.entries(schema.properties ?? {})) {
    if (property["type"] === "array") {
      const keys = (property["x-kubernetes-list-map-keys"] ?? []) as string[];
      const type = (property["x-kubernetes-list-type"] ?? "atomic") as string;
      const reference = ((property.items?.allOf?.[0] ?? property.items)?.["$ref"] ?? "") as string;
      const item = schemas[reference.replace("#/components/schemas/", "")];
      said[field] = [type, ...keys.map((key) => `${key}=${JSON.stringify(item?.properties?.[key]?.["default"])}`)].join(
        " ",
      );
    } else if (property["x-kubernetes-map-type"] === "atomic") said[field] = "atomic";
  }
  return said;
}

/** What our table says of a type, for the fields that the schema has, too. */
function tableOf(type: string, schema: Schema): Record<string, string> {
  const said: Record<string, string> = {};
  if (atomicTypes.has(type)) said[""] = "atomic";
  for (const [field, word] of Object.entries(fields[type]!)) {
    if (schema.properties?.[field] === undefined) continue;
    if (word.startsWith("[]")) {
      const listType = listTypeOf(type, field);
      const keys = listType?.type === "map" ? listType.keys : [];
      const item = bare(word);
      const defaults = keys.map((key) => {
        const missing = keyDefaultOf(item, key, fields[item]?.[key] ?? "");
        return `${key}=${JSON.stringify(missing)}`;
      });
      said[field] = [listType?.type ?? "atomic", ...defaults].join(" ");
    } else if (isAtomicMap(type, field)) said[field] = "atomic";
  }
  return said;
}

void test("the table of list types is what the server's OpenAPI documents say, for every type that the kinds reach", async () => {
  const roots = [...kinds.map(({ type, group }) => [type, group] as const), ...BESIDE.filter(() => !isFairlead)];
  const documents = new Map<string, Record<string, Schema>>();
  const table: Record<string, Record<string, string>> = {};
  const server: Record<string, Record<string, string>> = {};
  for (const [root, group] of roots) {
    const path = group === "" ? "api/v1" : `apis/${group}/v1`;
    let schemas = documents.get(path);
    if (schemas === undefined) {
      const { code, body, text } = await subject.ask("GET", `/openapi/v3/${path}`);
      assert.equal(code, 200, text);
      documents.set(path, (schemas = body.components.schemas as Record<string, Schema>));
    }
    for (const type of reached(root)) {
      const name = schemaName(type);
      // Types that stand in no document of their group are scalars there: times, quantities.
      if (schemas[name] === undefined) continue;
      table[`${group}/${type}`] = tableOf(type, schemas[name]);
      server[`${group}/${type}`] = saidOf(schemas[name], schemas);
    }
  }
  assert.ok(Object.keys(table).length > 100, `only ${Object.keys(table).length} types were found`);
  assert.deepEqual(table, server);
});
