/** The groups whose documents are compared with the real server's. */
export const GROUPS = [
  "api/v1",
  "apis/apps/v1",
  "apis/authentication.k8s.io/v1",
  "apis/authorization.k8s.io/v1",
  "apis/batch/v1",
  "apis/coordination.k8s.io/v1",
  "apis/discovery.k8s.io/v1",
  "apis/networking.k8s.io/v1",
  "apis/policy/v1",
  "apis/rbac.authorization.k8s.io/v1",
];

/** The kinds of these groups that Fairlead serves or may come to serve; a fixture of all of them would be ten times as large. */
const KINDS = new Set([
  "ClusterRole",
  "ClusterRoleBinding",
  "ConfigMap",
  "ControllerRevision",
  "DaemonSet",
  "Deployment",
  "EndpointSlice",
  "Endpoints",
  "Event",
  "IPAddress",
  "Eviction",
  "Ingress",
  "IngressClass",
  "Job",
  "Lease",
  "LocalSubjectAccessReview",
  "Namespace",
  "Node",
  "PersistentVolumeClaim",
  "Pod",
  "PodDisruptionBudget",
  "ReplicaSet",
  "ReplicationController",
  "ResourceQuota",
  "Role",
  "RoleBinding",
  "Scale",
  "Secret",
  "SelfSubjectAccessReview",
  "SelfSubjectReview",
  "SelfSubjectRulesReview",
  "Service",
  "ServiceAccount",
  "ServiceCIDR",
  "StatefulSet",
  "SubjectAccessReview",
  "TokenReview",
]);

type Json = Record<string, unknown>;

const PATCH = ["x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key"];

/** What of a schema is compared: everything but sentences, and a reference is the same with and without its wrapping. */
function schemaFacts(schema: Json): Json {
  const facts: Json = {};
  for (const key of ["type", "format", "default", "enum", "oneOf", "$ref", ...PATCH]) {
    if (key in schema) facts[key] = schema[key];
  }
  if (Array.isArray(schema["enum"])) facts["enum"] = [...(schema["enum"] as string[])].sort();
  if (Array.isArray(schema["required"])) facts["required"] = [...(schema["required"] as string[])].sort();
  if (Array.isArray(schema["allOf"])) Object.assign(facts, schemaFacts(schema["allOf"][0] as Json));
  for (const key of ["items", "additionalProperties"]) {
    if (typeof schema[key] === "object" && schema[key] !== null) facts[key] = schemaFacts(schema[key] as Json);
  }
  if (schema["properties"] !== undefined) {
    facts["properties"] = Object.fromEntries(
      Object.entries(schema["properties"] as Json).map(([name, property]) => [name, schemaFacts(property as Json)]),
    );
  }
  if (typeof facts["$ref"] === "string") facts["$ref"] = facts["$ref"].replace("#/components/schemas/", "");
  return facts;
}

const KIND = "x-kubernetes-group-version-kind";

const isMine = (schema: Json): boolean => {
  const kinds = (schema[KIND] ?? []) as { kind: string }[];
  return kinds.some(({ kind }) => KINDS.has(kind.replace(/List$/, "")));
};

/** The facts of an OpenAPI 3 document about the kinds that are compared: schema name → facts. */
export function openApiFacts(document: { components: { schemas: Record<string, Json> } }): Record<string, Json> {
  const { schemas } = document.components;
  const facts: Record<string, Json> = {};
  const waiting = Object.keys(schemas).filter((name) => isMine(schemas[name]!));
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name in facts) continue;
    const schema = schemas[name]!;
    facts[name] = { ...schemaFacts(schema), ...(isMine(schema) ? { kinds: schema[KIND] } : {}) };
    for (const found of JSON.stringify(facts[name]).matchAll(/"\$ref":"([^"]+)"/g)) waiting.push(found[1]!);
  }
  return Object.fromEntries(Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The facts of an APIResourceList: resource name → all that is said of it, hashes aside. */
export function discoveryFacts(list: { resources: (Json & { name: string })[] }): Record<string, Json> {
  return Object.fromEntries(
    list.resources.map((resource) => {
      const facts: Json = { ...resource };
      delete facts["storageVersionHash"];
      return [resource.name, facts];
    }),
  );
}
