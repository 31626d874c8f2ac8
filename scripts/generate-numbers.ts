/**
 * Writes src/api/generated/numbers.ts from the Go types of Kubernetes: which number each field has in the protobuf form of an object.
 * Run by hand when the baseline release changes, with the folders of the Go modules k8s.io/api and k8s.io/apimachinery of that release:
 * `node scripts/generate-numbers.ts API APIMACHINERY`.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fields } from "../src/api/generated/fields.ts";

const [api, apimachinery] = process.argv.slice(2);
if (api === undefined || apimachinery === undefined) throw new Error("usage: generate-numbers.ts API APIMACHINERY");

/** Go packages by the names that types files give them; a type without a package is of its own file's. */
const META = join(apimachinery, "pkg/apis/meta/v1");
const CORE = join(api, "core/v1");
const PACKAGES: Readonly<Record<string, string>> = {
  metav1: META,
  v1: CORE,
  corev1: CORE,
};

interface Member {
  readonly json: string;
  readonly number: number;
  readonly isPointer: boolean;
  readonly isInline: boolean;
  /** The Go type without pointers, lists and maps. */
  readonly type: string;
}

const packages = new Map<string, Map<string, Member[]>>();

function readPackage(folder: string): Map<string, Member[]> {
  const known = packages.get(folder);
  if (known !== undefined) return known;
  const structs = new Map<string, Member[]>();
  packages.set(folder, structs);
  for (const file of readdirSync(folder).filter((name) => /types.*\.go$|^time_proto\.go$/.test(name))) {
    for (const [, name, body] of readFileSync(join(folder, file), "utf8").matchAll(
      /^type (\w+) struct \{\n([\s\S]*?)^\}/gm,
    )) {
      const members = [...body!.matchAll(/^\t(?:(\w+)[ \t]+)?([\w.*[\]]+)[ \t]+`([^`]*)`/gm)].flatMap(
        (line): Member[] => {
          const [, , type = "", tags = ""] = line;
          const number = Number(/protobuf:"\w+,(\d+)/.exec(tags)?.[1]);
          const json = /json:"([^",]*)/.exec(tags)?.[1] ?? "";
          if (Number.isNaN(number)) return [];
          const bare = type
            .replace(/^[*[\]]+/, "")
            .replace(/^map\[\w+(?:\.\w+)?\]/, "")
            .replace(/^[*[\]]+/, "");
          return [
            { json, number, isPointer: type.startsWith("*"), isInline: /json:"[^"]*,inline/.test(tags), type: bare },
          ];
        },
      );
      structs.set(name!, members);
    }
  }
  return structs;
}

/** Our name of a type where it is not Go's. */
const GO_NAMES: Readonly<Record<string, string>> = { CoreEndpointPort: "EndpointPort" };

const ROOTS: readonly (readonly [ours: string, folder: string])[] = [
  ...[
    "Binding",
    "ConfigMap",
    "Endpoints",
    "Event",
    "Namespace",
    "Node",
    "Pod",
    "ResourceQuota",
    "Secret",
    "Service",
    "ServiceAccount",
  ].map((kind) => [kind, CORE] as const),
  ...["DeleteOptions", "Status"].map((kind) => [kind, META] as const),
  ["EndpointSlice", join(api, "discovery/v1")],
  ["Lease", join(api, "coordination/v1")],
  ["Eviction", join(api, "policy/v1")],
  ...["Ingress", "IngressClass", "IPAddress", "ServiceCIDR"].map((kind) => [kind, join(api, "networking/v1")] as const),
  ...["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"].map((kind) => [kind, join(api, "rbac/v1")] as const),
  ...["TokenRequest", "TokenReview", "SelfSubjectReview"].map(
    (kind) => [kind, join(api, "authentication/v1")] as const,
  ),
  ...["SubjectAccessReview", "SelfSubjectAccessReview", "LocalSubjectAccessReview", "SelfSubjectRulesReview"].map(
    (kind) => [kind, join(api, "authorization/v1")] as const,
  ),
];

const table = new Map<string, string>();
const inlined = new Map<string, string>();

const structWord = (word: string): string => word.replace(/!$/, "").replace(/^(?:\[\]|map:)+/, "");

/** The package and name of a Go type as a file of the package `folder` writes it. */
function place(type: string, folder: string): [folder: string, name: string] {
  const [qualifier, name] = type.includes(".") ? (type.split(".") as [string, string]) : ["", type];
  return qualifier === "" ? [folder, name] : [PACKAGES[qualifier] ?? "", name];
}

/** One Go struct as rows; `ours` is the type of the field table that its fields are found in. */
function rowsOf(ours: string, members: readonly Member[], folder: string): string[] {
  const rows: string[] = [];
  for (const { json, number, isPointer, isInline, type } of members) {
    const [where, name] = place(type, folder);
    if (isInline) {
      const inner = readPackage(where).get(name);
      if (inner === undefined) continue;
      rows.push(`${JSON.stringify(`...${name}`)}: ${number}`);
      if (!inlined.has(name)) inlined.set(name, rowsOf(ours, inner, where).join(", "));
      continue;
    }
    const word = fields[ours]?.[json];
    if (word === undefined) continue;
    rows.push(`${JSON.stringify(json)}: ${isPointer ? -number : number}`);
    const struct = structWord(word);
    if (fields[struct] !== undefined && where !== "") walk(struct, where, name);
  }
  return rows;
}

function walk(ours: string, folder: string, goName = GO_NAMES[ours] ?? ours): void {
  if (table.has(ours)) return;
  const members = readPackage(folder).get(goName);
  if (members === undefined) throw new Error(`reading ${folder}: no Go type ${goName} for ${ours}`);
  table.set(ours, "");
  table.set(ours, rowsOf(ours, members, folder).join(", "));
}

for (const [ours, folder] of ROOTS) walk(ours, folder);

const missing = Object.keys(fields).filter((type) => !table.has(type) && !type.endsWith("List"));
if (missing.length > 0) process.stderr.write(`without numbers: ${missing.join(", ")}\n`);
const rows = [...new Map([...inlined, ...table])].map(([type, row]) => `  ${type}: { ${row} },`);
const out = join(import.meta.dirname, "../src/api/generated/numbers.ts");
writeFileSync(
  out,
  `// Generated by scripts/generate-numbers.ts; do not edit.

/**
 * Type name → field → number in the protobuf form. Less than zero: a pointer in Go, whose zero value is said and not left out. \`...Name\`: the
 * fields of a type of that name lie in a message of their own there, and beside the others in JSON.
 */
export const numbers: Record<string, Record<string, number>> = {
${rows.join("\n")}
};
`,
);
execFileSync("oxfmt", [out], { stdio: "inherit" });
