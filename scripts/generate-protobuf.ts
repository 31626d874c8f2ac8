/**
 * Writes src/apiserver/http/protobuf/numbers.ts from the sources of Kubernetes' API types: which number each field of an object has
 * when clients send it as protobuf. Run by hand when the baseline release of Kubernetes changes:
 * `node scripts/generate-protobuf.ts FOLDER_OF_k8s.io/api FOLDER_OF_k8s.io/apimachinery`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [api = "", machinery = ""] = process.argv.slice(2);

/** Go packages by the name their importers know them by, in the order in which names are looked up; the newer group keeps a plain name. */
const PACKAGES: Record<string, string> = {
  v1: join(api, "core/v1/types.go"),
  metav1: join(machinery, "pkg/apis/meta/v1/types.go"),
  authentication: join(api, "authentication/v1/types.go"),
  authorization: join(api, "authorization/v1/types.go"),
  apps: join(api, "apps/v1/types.go"),
  autoscaling: join(api, "autoscaling/v1/types.go"),
  batch: join(api, "batch/v1/types.go"),
  coordination: join(api, "coordination/v1/types.go"),
  discovery: join(api, "discovery/v1/types.go"),
  networking: join(api, "networking/v1/types.go"),
  policy: join(api, "policy/v1/types.go"),
  rbac: join(api, "rbac/v1/types.go"),
};

/** What is sent to us; every type these reach is written too. */
const ROOTS: Record<string, string> = {
  v1:
    "Binding ConfigMap Endpoints Event Namespace Node PersistentVolumeClaim Pod ReplicationController ResourceQuota Secret Service " +
    "ServiceAccount",
  metav1: "DeleteOptions",
  authentication: "SelfSubjectReview TokenRequest TokenReview",
  authorization: "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
  apps: "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
  autoscaling: "Scale",
  batch: "Job",
  coordination: "Lease",
  discovery: "EndpointSlice",
  networking: "Ingress IngressClass IPAddress ServiceCIDR",
  policy: "Eviction PodDisruptionBudget",
  rbac: "ClusterRole ClusterRoleBinding Role RoleBinding",
};

/** Types that are written in a way of their own. */
const OWN: Record<string, string> = {
  "metav1.Time": "time",
  "metav1.MicroTime": "microtime",
  "metav1.FieldsV1": "fields",
  // JSON in field 1, too.
  "runtime.RawExtension": "fields",
  "resource.Quantity": "quantity",
  "intstr.IntOrString": "intOrString",
  "types.UID": "string",
  "types.NodeName": "string",
  string: "string",
  bool: "boolean",
  int32: "int",
  int64: "int",
  uint32: "int",
  byte: "byte",
};

const sources = Object.fromEntries(Object.entries(PACKAGES).map(([name, path]) => [name, readFileSync(path, "utf8")]));

interface Found {
  readonly home: string;
  readonly name: string;
}

/** Where a type that a package mentions is declared. */
function find(from: string, mentioned: string): Found {
  const [qualifier, name] = mentioned.includes(".") ? mentioned.split(".", 2) : [from, mentioned];
  const home = qualifier === "corev1" || qualifier === "core" ? "v1" : qualifier!;
  return { home, name: name! };
}

const plain = ({ home, name }: Found): string => (home === "v1" && name === "EndpointPort" ? "CoreEndpointPort" : name);

/** The word of a Go type; `reach` hears of every struct. */
function word(from: string, type: string, reach: (found: Found) => void): string {
  if (type.startsWith("*")) return word(from, type.slice(1), reach);
  if (type === "[]byte") return "byte";
  if (type.startsWith("[]")) return `[]${word(from, type.slice(2), reach)}`;
  const map = /^map\[\w+\](.*)$/.exec(type)?.[1];
  if (map !== undefined) return `map:${word(from, map, reach)}`;
  const own = OWN[type] ?? OWN[`${from}.${type}`];
  if (own !== undefined) return own;
  const found = find(from, type);
  const source = sources[found.home];
  if (source === undefined) throw new Error(`${from} mentions ${type}, of a package that is not read`);
  const alias = new RegExp(`^type ${found.name} ([^\\s{]+)$`, "m").exec(source)?.[1];
  // A named list is a message that holds the list.
  if (alias?.startsWith("[]")) return `listed:${word(found.home, alias.slice(2), reach)}`;
  if (alias !== undefined) return word(found.home, alias, reach);
  reach(found);
  return plain(found);
}

const rows = new Map<string, string>();
const waiting: Found[] = Object.entries(ROOTS).flatMap(([home, names]) =>
  names.split(" ").map((name) => ({ home, name })),
);
for (let found = waiting.shift(); found !== undefined; found = waiting.shift()) {
  const name = plain(found);
  if (rows.has(name)) continue;
  const body = new RegExp(`^type ${found.name} struct \\{\\n([\\s\\S]*?)^\\}`, "m").exec(sources[found.home]!)?.[1];
  if (body === undefined) throw new Error(`no struct ${found.home}.${found.name}`);
  const fields: string[] = [];
  for (const line of body.split("\n")) {
    const [, type = "", json = "", number] =
      /^\s*(?:\w+\s+)?(\S+)\s+`.*json:"([^"]*)".*protobuf:"\w+,(\d+),/.exec(line) ?? [];
    if (number === undefined) continue;
    const field = json.split(",", 1)[0]!;
    const said = word(found.home, type, (next) => waiting.push(next));
    fields.push(`${field === "" ? "+" : field}=${number}:${type.startsWith("*") ? "*" : ""}${said}`);
  }
  rows.set(name, fields.join(" "));
}

const out = join(import.meta.dirname, "../src/apiserver/http/protobuf/numbers.ts");
const lines = [...rows].map(([name, fields]) => `  ${name}: ${JSON.stringify(fields)},`);
writeFileSync(
  out,
  `// Generated by scripts/generate-protobuf.ts; do not edit.

/**
 * Type → its fields as \`name=number:word\`. A \`*\` before the word says that a zero value was meant, not only left out; \`+\` is a message
 * whose fields stand in the object itself; \`listed:\` is a message that holds a list.
 */
export const numbers: Readonly<Record<string, string>> = {
${lines.join("\n")}
};
`,
);

/** The fields of a type that are pointers to one value, those of its inlined parts too. */
const pointersOf = (type: string): string[] =>
  (rows.get(type) ?? "").split(" ").flatMap((said) => {
    const [, name, pointer, value] = /^(.+?)=\d+:(\*?)(.+)$/.exec(said) ?? [];
    if (name === "+") return pointersOf(value!);
    return pointer === "*" && !rows.has(value!) ? [name!] : [];
  });
const pointers = join(import.meta.dirname, "../src/api/generated/pointers.ts");
writeFileSync(
  pointers,
  `// Generated by scripts/generate-protobuf.ts; do not edit.

/** Type → its fields that hold one value by pointer in Go: a zero value there is said, everywhere else it is left out. */
export const pointers: Readonly<Record<string, string>> = {
${[...rows.keys()].map((type) => `  ${type}: ${JSON.stringify(pointersOf(type).sort().join(" "))},`).join("\n")}
};
`,
);
execFileSync("oxfmt", [out, pointers], { stdio: "inherit" });
