/**
 * Writes src/api/generated/{fields,types}.ts from the model metadata of `@kubernetes/client-node`:
 * which fields an object has, their types and formats, and which are always present.
 * Run by hand when the baseline release of Kubernetes changes: `node scripts/generate-fields.ts`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The kinds we serve; every type they reach is written too. A new kind is one more word here. */
const ROOTS = [
  "V1ConfigMap",
  "V1ClusterRole",
  "V1ClusterRoleBinding",
  "V1DeleteOptions",
  "V1Endpoints",
  "V1EndpointSlice",
  "CoreV1Event",
  "V1Ingress",
  "V1IngressClass",
  "V1IPAddress",
  "V1Lease",
  "V1LocalSubjectAccessReview",
  "V1Namespace",
  "V1Node",
  "V1Pod",
  "V1ResourceQuota",
  "V1Role",
  "V1RoleBinding",
  "V1Secret",
  "V1SelfSubjectAccessReview",
  "V1SelfSubjectReview",
  "V1SelfSubjectRulesReview",
  "V1Service",
  "V1ServiceAccount",
  "V1ServiceCIDR",
  "V1Status",
  "V1SubjectAccessReview",
  "AuthenticationV1TokenRequest",
  "V1TokenReview",
  "V1ControllerRevision",
  "V1DaemonSet",
  "V1Deployment",
  "V1Eviction",
  "V1Job",
  "V1PersistentVolumeClaim",
  "V1PodDisruptionBudget",
  "V1ReplicaSet",
  "V1ReplicationController",
  "V1Scale",
  "V1StatefulSet",
];

/** Where two API groups have a type of one name, the newer group keeps the plain one. */
const NAMES: Record<string, string> = {
  CoreV1EndpointPort: "CoreEndpointPort",
  DiscoveryV1EndpointPort: "EndpointPort",
  CoreV1Event: "Event",
  CoreV1EventSeries: "EventSeries",
  AuthenticationV1TokenRequest: "TokenRequest",
  RbacV1Subject: "Subject",
};

const models = join(dirname(createRequire(import.meta.url).resolve("@kubernetes/client-node")), "gen/models");
const plain = (model: string): string => NAMES[model] ?? model.replace(/^(?:Core|Discovery)?V1/, "");

interface Attribute {
  baseName: string;
  type: string;
  format: string;
}

function attributesOf(model: string): { attribute: Attribute; required: boolean }[] {
  const source = readFileSync(join(models, `${model}.js`), "utf8");
  const list = /attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(source)?.[1];
  if (list === undefined) throw new Error(`reading ${model}: no attributeTypeMap, the layout of the package changed`);
  const declared = readFileSync(join(models, `${model}.d.ts`), "utf8");
  return (JSON.parse(list) as (Attribute & { name: string })[]).map((attribute) => ({
    attribute,
    required: declared.includes(`'${attribute.name}': `),
  }));
}

/** The table's word for a type: `string`, `int32`, `[]ServicePort`, `map:string`, … */
function word(type: string, format: string, reach: (model: string) => void): string {
  const array = /^Array<(.*)>$/.exec(type);
  if (array) return `[]${word(array[1]!, format, reach)}`;
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map) return `map:${word(map[1]!, format, reach)}`;
  if (type === "string") return format === "byte" ? "byte" : format === "date-time" ? "time" : "string";
  if (type === "number") return format === "" ? "int64" : format;
  if (type === "boolean" || type === "any") return type;
  if (type === "Date") return "time";
  if (type === "V1MicroTime") return "microtime";
  if (type === "IntOrString") return "intOrString";
  reach(type);
  return plain(type);
}

const SCALARS: Record<string, string> = {
  string: "string",
  byte: "string",
  time: "string",
  microtime: "string",
  boolean: "boolean",
  any: "unknown",
  int32: "number",
  int64: "number",
  double: "number",
  intOrString: "number | string",
};

function typescript(name: string): string {
  if (name.startsWith("[]")) {
    const inner = typescript(name.slice(2));
    return inner.includes("|") ? `(${inner})[]` : `${inner}[]`;
  }
  if (name.startsWith("map:")) return `Record<string, ${typescript(name.slice(4))}>`;
  return SCALARS[name] ?? name;
}

const todo = [...ROOTS];
const seen = new Set<string>();
const table: string[] = [];
const types: string[] = [];
while (todo.length > 0) {
  const model = todo.shift()!;
  if (seen.has(model)) continue;
  seen.add(model);
  const rows: string[] = [];
  const members: string[] = [];
  for (const { attribute, required } of attributesOf(model)) {
    const type = word(attribute.type, attribute.format, (next) => todo.push(next));
    rows.push(`    ${JSON.stringify(attribute.baseName)}: ${JSON.stringify(required ? `${type}!` : type)},`);
    const root = ROOTS.includes(model);
    const always = required || (root && attribute.baseName === "metadata");
    const literal = root && attribute.baseName === "kind" ? JSON.stringify(plain(model)) : typescript(type);
    if (root && (attribute.baseName === "apiVersion" || attribute.baseName === "kind")) {
      members.push(`  ${attribute.baseName}: ${literal};`);
    } else {
      members.push(
        `  ${JSON.stringify(attribute.baseName)}${always ? "" : "?"}: ${literal}${always || literal === "unknown" ? "" : " | undefined"};`,
      );
    }
  }
  table.push(`  ${plain(model)}: {\n${rows.join("\n")}\n  },`);
  types.push(`export interface ${plain(model)} {\n${members.join("\n")}\n}`);
}

const header = "// Generated by scripts/generate-fields.ts; do not edit.\n";
const out = join(import.meta.dirname, "../src/api/generated");
writeFileSync(
  join(out, "fields.ts"),
  `${header}\n/** Type name → field → type word; a trailing \`!\` marks a field that is always present. */\nexport const fields: Record<string, Record<string, string>> = {\n${table.join("\n")}\n};\n`,
);
writeFileSync(join(out, "types.ts"), `${header}\n${types.join("\n\n")}\n`);
execFileSync("oxfmt", [out], { stdio: "inherit" });
