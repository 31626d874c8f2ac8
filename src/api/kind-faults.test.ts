import assert from "node:assert/strict";
import { test } from "node:test";
import { cidrs, created, faultsOf, kindOf, NOW, V4, V6 } from "../../test/api/kind-examples.ts";

const parent = (more: object) => ({ spec: { parentRef: { resource: "services", name: "b", ...more } } });
const cases: [id: string, kind: string, next: object, previous: object | undefined, faults: string[]][] = [
  ["SVC-256", "IPAddress", { metadata: { name: "FD00::1" } }, undefined, ["Invalid metadata.name"]],
  ["SVC-257", "IPAddress", { spec: {} }, undefined, ["Required spec.parentRef"]],
  [
    "SVC-257 parts",
    "IPAddress",
    { spec: { parentRef: {} } },
    undefined,
    ["Required spec.parentRef.resource", "Required spec.parentRef.name"],
  ],
  ["SVC-258", "IPAddress", parent({ name: "c" }), parent({}), ["Invalid spec.parentRef"]],
  ["SVC-264", "ServiceCIDR", cidrs(V4, V6), undefined, []],
  ["SVC-264 none", "ServiceCIDR", cidrs(), undefined, ["Required spec.cidrs"]],
  ["SVC-264 three", "ServiceCIDR", cidrs(V4, V6, V4), undefined, ["Invalid spec.cidrs"]],
  ["SVC-264 host bits", "ServiceCIDR", cidrs("10.96.0.1/16"), undefined, ["Invalid spec.cidrs[0]"]],
  ["SVC-264 form", "ServiceCIDR", cidrs("FD00::/112"), undefined, ["Invalid spec.cidrs[0]"]],
  ["SVC-264 one family", "ServiceCIDR", cidrs(V4, "10.97.0.0/16"), undefined, ["Invalid spec.cidrs"]],
  ["SVC-265", "ServiceCIDR", cidrs("10.97.0.0/16"), cidrs(V4), ["Invalid spec.cidrs[0]"]],
  ["SVC-265 second", "ServiceCIDR", cidrs(V4, V6), cidrs(V4), []],
  ["SVC-265 less", "ServiceCIDR", cidrs(V4), cidrs(V4, V6), ["Invalid spec.cidrs"]],
  ["a ConfigMap's key", "ConfigMap", { data: { "a/b": "" } }, undefined, ["Invalid data[a/b]"]],
  ["a key in both", "ConfigMap", { data: { a: "" }, binaryData: { a: "" } }, undefined, ["Invalid data[a]"]],
  ["a full ConfigMap", "ConfigMap", { data: { a: "x".repeat(1024 * 1024) } }, undefined, []],
  ["a ConfigMap too large", "ConfigMap", { data: { a: "x".repeat(1024 * 1024 + 1) } }, undefined, ["TooLong "]],
  [
    "an immutable ConfigMap",
    "ConfigMap",
    { data: { a: "2" } },
    { immutable: true, data: { a: "1" } },
    ["Forbidden immutable", "Forbidden data"],
  ],
  [
    "an immutable Secret",
    "Secret",
    { immutable: true, stringData: { a: "2" } },
    { immutable: true, stringData: { a: "1" } },
    ["Forbidden data"],
  ],
  ["a Secret's type", "Secret", { type: "a" }, { type: "b" }, ["Invalid type"]],
  [
    "a Secret for TLS",
    "Secret",
    { type: "kubernetes.io/tls" },
    undefined,
    ["Required data[tls.crt]", "Required data[tls.key]"],
  ],
  [
    "a Lease of no time",
    "Lease",
    { spec: { leaseDurationSeconds: 0 } },
    undefined,
    ["Invalid spec.leaseDurationSeconds"],
  ],
  [
    "an Event elsewhere",
    "Event",
    { involvedObject: { namespace: "other" } },
    undefined,
    ["Invalid involvedObject.namespace"],
  ],
  ["an Event about a Node", "Event", { involvedObject: { kind: "Node", name: "n" } }, undefined, []],
  [
    "a taint",
    "Node",
    { spec: { taints: [{ key: "a", effect: "Never" }] } },
    undefined,
    ["NotSupported spec.taints[0].effect"],
  ],
  [
    "pod ranges",
    "Node",
    { spec: { podCIDRs: ["10.0.0.0/24"] } },
    { spec: { podCIDRs: ["10.1.0.0/24"] } },
    ["Forbidden spec.podCIDRs"],
  ],
  ["a role's name", "Role", { metadata: { name: "a/b", namespace: "default" } }, undefined, ["Invalid metadata.name"]],
  ["a name of the system", "ClusterRole", { metadata: { name: "system:node" } }, undefined, []],
  [
    "a rule of nothing",
    "Role",
    { rules: [{}] },
    undefined,
    ["Required rules[0].verbs", "Required rules[0].apiGroups", "Required rules[0].resources"],
  ],
  [
    "URLs in a namespace",
    "Role",
    { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] },
    undefined,
    ["Invalid rules[0].nonResourceURLs"],
  ],
  ["URLs", "ClusterRole", { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] }, undefined, []],
  [
    "URLs and resources",
    "ClusterRole",
    { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"], resources: ["pods"] }] },
    undefined,
    ["Invalid rules[0].nonResourceURLs"],
  ],
  [
    "aggregation of nothing",
    "ClusterRole",
    { aggregationRule: {} },
    undefined,
    ["Required aggregationRule.clusterRoleSelectors"],
  ],
  [
    "aggregation by a broken selector",
    "ClusterRole",
    { aggregationRule: { clusterRoleSelectors: [{ matchExpressions: [{ key: "a", operator: "In" }] }] } },
    undefined,
    [
      "Required aggregationRule.clusterRoleSelectors[0].matchExpressions[0].values",
      "Invalid aggregationRule.clusterRoleSelectors[0]",
    ],
  ],
  [
    "a binding's role",
    "RoleBinding",
    { roleRef: { apiGroup: "x", kind: "Pod", name: "a%" } },
    undefined,
    ["NotSupported roleRef.apiGroup", "NotSupported roleRef.kind", "Invalid roleRef.name"],
  ],
  ["a binding to no name", "RoleBinding", { roleRef: { kind: "Role" } }, undefined, ["Required roleRef.name"]],
  [
    "a binding without a role",
    "RoleBinding",
    { roleRef: undefined },
    undefined,
    ["NotSupported roleRef.kind", "Required roleRef.name"],
  ],
  [
    "another role",
    "RoleBinding",
    { roleRef: { kind: "Role", name: "s" } },
    { roleRef: { kind: "Role", name: "r" } },
    ["Invalid roleRef"],
  ],
  [
    "a Role for all",
    "ClusterRoleBinding",
    { roleRef: { kind: "Role", name: "r" } },
    undefined,
    ["NotSupported roleRef.kind"],
  ],
  [
    "subjects",
    "RoleBinding",
    {
      subjects: [
        { kind: "User" },
        { kind: "Group", name: "g", apiGroup: "x" },
        { kind: "ServiceAccount", name: "A", apiGroup: "x" },
        { kind: "Robot", name: "r" },
      ],
    },
    undefined,
    [
      "Required subjects[0].name",
      "NotSupported subjects[1].apiGroup",
      "Invalid subjects[2].name",
      "NotSupported subjects[2].apiGroup",
      "NotSupported subjects[3].kind",
    ],
  ],
  [
    "a ServiceAccount of no namespace",
    "ClusterRoleBinding",
    { subjects: [{ kind: "ServiceAccount", name: "a" }] },
    undefined,
    ["Required subjects[0].namespace"],
  ],
  [
    "a finalizer while deleted",
    "ConfigMap",
    { metadata: { name: "x", namespace: "default", finalizers: ["a/b"] } },
    undefined,
    [],
  ],
];
for (const [id, kind, next, previous, faults] of cases) {
  void test(`${id}: ${faults.join(", ") || "no fault"}`, () =>
    assert.deepEqual(faultsOf(kind, next, previous), faults));
}

void test("a deleted object takes no new finalizer", () => {
  const kind = kindOf("ConfigMap");
  const was = {
    ...created(kind),
    metadata: { ...created(kind).metadata, deletionTimestamp: NOW.now, finalizers: ["a/b"] },
  };
  const next = { ...was, metadata: { ...was.metadata, finalizers: ["a/b", "c/d"] } };
  assert.deepEqual(
    kind.validate(next, was).map((fault) => fault.field),
    ["metadata.finalizers", "metadata.finalizers"],
  );
  assert.deepEqual(kind.validate({ ...was, metadata: { ...was.metadata, finalizers: [] } }, was), []);
});
