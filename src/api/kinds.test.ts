import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "./decode.ts";
import type { KubeObject } from "./object.ts";
import { apiVersionOf } from "./object.ts";
import { kinds } from "./kinds.ts";
import { mergeRuleOf, mergeRules, structOf } from "./mergeKeys.ts";
import { fields } from "./generated/fields.ts";
import type { Kind } from "./kind.ts";

const POD = { spec: { containers: [{ name: "c", image: "i" }] } };
const NOW = { now: "2026-01-01T00:00:00Z" };
const workload = { selector: { matchLabels: { app: "a" } }, template: { metadata: { labels: { app: "a" } }, ...POD } };
/** What each kind needs beside a name. */
const NEEDED: Record<string, object> = {
  Pod: POD,
  Deployment: { spec: workload },
  ReplicaSet: { spec: workload },
  StatefulSet: { spec: { ...workload, serviceName: "a" } },
  DaemonSet: { spec: workload },
  ControllerRevision: { data: {}, revision: 1 },
  Job: { spec: { template: { spec: { ...POD.spec, restartPolicy: "Never" } } } },
  ReplicationController: { spec: { template: workload.template } },
  PersistentVolumeClaim: { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
  PodDisruptionBudget: { spec: { minAvailable: 1, selector: workload.selector } },
  Service: { spec: { ports: [{ port: 80 }] } },
  EndpointSlice: { addressType: "IPv4" },
  Event: { involvedObject: { kind: "Pod", namespace: "default", name: "p" } },
  IPAddress: {
    metadata: { name: "10.96.0.7" },
    spec: { parentRef: { resource: "services", namespace: "a", name: "B" } },
  },
  ServiceCIDR: { spec: { cidrs: ["10.96.0.0/16"] } },
  Ingress: { spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } } },
  IngressClass: { spec: { controller: "example.com/ingress" } },
  ResourceQuota: { spec: { hard: { services: "3" } } },
  Namespace: { metadata: { name: "x" } },
  RoleBinding: { roleRef: { kind: "Role", name: "r" } },
  ClusterRoleBinding: { roleRef: { kind: "ClusterRole", name: "r" } },
};
const kindOf = (name: string): Kind => kinds.find((kind) => kind.kind === name)!;
const make = (kind: Kind, more: object = {}): KubeObject => {
  const metadata = { name: "x", ...(kind.namespaced ? { namespace: "default" } : {}) };
  const needed = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, ...NEEDED[kind.kind], ...more };
  return deepFreeze(decode(kind, JSON.parse(JSON.stringify(needed))).object);
};
const created = (kind: Kind, more: object = {}): KubeObject =>
  deepFreeze(kind.prepareForCreate(deepFreeze(kind.defaults(make(kind, more))), NOW));
const faultsOf = (name: string, more: object, previous?: object): string[] => {
  const kind = kindOf(name);
  const was = previous === undefined ? undefined : created(kind, previous);
  const next = kind.defaults(make(kind, more));
  return kind
    .validate(was === undefined ? kind.prepareForCreate(next, NOW) : kind.prepareForUpdate(next, was, NOW), was)
    .map((fault) => `${fault.reason.replace("FieldValue", "")} ${fault.field}`);
};

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

void test("twenty-nine kinds, each by names of its own", () => {
  assert.equal(kinds.length, 29);
  for (const part of ["plural", "singular", "kind"] as const) {
    assert.equal(new Set(kinds.map((kind) => kind[part])).size, kinds.length, part);
  }
  for (const kind of kinds) assert.ok(Object.hasOwn(fields, kind.type), kind.kind);
});

for (const kind of kinds) {
  void test(`${kind.kind}: a small one passes all functions, which change nothing they are given`, () => {
    const once = created(kind);
    // The cluster IP is claimed elsewhere; without it a Service is whole all the same.
    assert.deepEqual(kind.validate(once, undefined), []);
    assert.deepEqual(kind.defaults(once), once, "defaults of a stored object");
    const again = deepFreeze(kind.prepareForUpdate(once, once, NOW));
    assert.deepEqual(again, once, "an update that changes nothing");
    assert.deepEqual(kind.validate(again, once), []);
    if (kind.subresources.includes("status")) {
      assert.deepEqual(kind.prepareForStatusUpdate?.(once, once), once);
      assert.deepEqual(kind.validateStatus?.(once, once), []);
    }
    assert.deepEqual(kind.warnings?.(once, undefined) ?? [], []);
    // SVC-315: an IPAddress has one cell more than columns.
    assert.equal(kind.row(once, 0).length, kind.columns.length + (kind.kind === "IPAddress" ? 1 : 0));
    assert.equal(kind.selectableFields(once)["metadata.name"], once.metadata.name);
  });

  void test(`${kind.kind}: the metadata that all objects share is judged`, () => {
    const name = kind.kind === "IPAddress" ? "10.96.0.7" : "x";
    const place = kind.namespaced ? { namespace: "default" } : {};
    const bad = { labels: { "-": "-" }, annotations: { a: "x".repeat(256 * 1024) }, finalizers: ["-"] };
    assert.deepEqual(faultsOf(kind.kind, { metadata: { name, ...place, ...bad } }), [
      "Invalid metadata.labels",
      "Invalid metadata.labels",
      "TooLong metadata.annotations",
      "Invalid metadata.finalizers",
      "Invalid metadata.finalizers[0]",
    ]);
    const wrongPlace = kind.namespaced ? {} : { namespace: "default" };
    const field = "metadata.namespace";
    const said = faultsOf(kind.kind, { metadata: { name, ...wrongPlace } });
    assert.ok(said.includes(kind.namespaced ? `Required ${field}` : `Forbidden ${field}`), said.join());
    const renamed = kind.prepareForUpdate(
      { ...created(kind), metadata: { ...created(kind).metadata, uid: "other" } },
      created(kind),
      NOW,
    );
    assert.ok(kind.validate(renamed, created(kind)).some((fault) => fault.field === "metadata.uid"));
  });
}

void test("SVC-189, SVC-190: who is created by PUT, and what DELETE answers", () => {
  assert.deepEqual(
    kinds
      .filter((kind) => kind.createOnUpdate)
      .map((kind) => kind.kind)
      .sort(),
    ["ClusterRole", "ClusterRoleBinding", "Endpoints", "Event", "Lease", "Role", "RoleBinding", "Service"],
  );
  assert.deepEqual(
    kinds
      .filter((kind) => kind.deleteAnswers === "object")
      .map((kind) => kind.kind)
      .sort(),
    ["Namespace", "PersistentVolumeClaim", "Pod", "ResourceQuota", "Service", "ServiceAccount"],
  );
});

const cidrs = (...list: string[]) => ({ spec: { cidrs: list } });
const V4 = "10.96.0.0/16";
const V6 = "fd00:10:96::/112";
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

void test("a Namespace is active, names itself and keeps its finalizer", () => {
  const kind = kindOf("Namespace");
  const made = created(kind);
  assert.deepEqual(
    { labels: made.metadata.labels, spec: Reflect.get(made, "spec"), status: Reflect.get(made, "status") },
    {
      labels: { "kubernetes.io/metadata.name": "x" },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    },
  );
  // A generated name comes after the defaults.
  assert.deepEqual(kind.prepareForCreate(make(kind), NOW).metadata.labels, made.metadata.labels);
  const update = kind.prepareForUpdate(kind.defaults(make(kind, { spec: { finalizers: [] } })), made, NOW);
  assert.deepEqual(update, made);
});

void test("a Secret's stringData goes into data and is never read back", () => {
  const made = created(kindOf("Secret"), { data: { a: "MQ==", b: "Mg==" }, stringData: { b: "é", __proto__x: "y" } });
  assert.deepEqual(
    [Reflect.get(made, "data"), Reflect.get(made, "stringData"), Reflect.get(made, "type")],
    [{ a: "MQ==", b: "w6k=", __proto__x: "eQ==" }, undefined, "Opaque"],
  );
});

void test("SVC-006, SVC-273: a ServiceCIDR's status is written through /status, and nothing else is", () => {
  const kind = kindOf("ServiceCIDR");
  const status = {
    conditions: [{ type: "Ready", status: "True", reason: "", message: "", lastTransitionTime: NOW.now }],
  };
  const made = created(kind, { status });
  assert.deepEqual(Reflect.get(made, "status"), {});
  const next = { ...made, ...cidrs(V6), status, metadata: { ...made.metadata, labels: { a: "b" } } };
  assert.deepEqual(kind.prepareForStatusUpdate?.(next, made), { ...made, status });
});

void test("a binding names the group of its role and of users and groups", () => {
  const subjects = ["User", "Group", "ServiceAccount"].map((kind) => ({ kind, name: "x" }));
  const made = created(kindOf("RoleBinding"), { subjects });
  const group = "rbac.authorization.k8s.io";
  assert.deepEqual(Reflect.get(made, "roleRef"), { apiGroup: group, kind: "Role", name: "r" });
  const groups = (Reflect.get(made, "subjects") as { apiGroup?: string }[]).map(({ apiGroup }) => apiGroup);
  assert.deepEqual(groups, [group, group, undefined]);
});

const cells: [id: string, kind: string, more: object, cells: unknown[]][] = [
  ["SVC-314", "ServiceCIDR", cidrs(V4, V6), ["x", `${V4},${V6}`]],
  ["SVC-315, SVC-339", "IPAddress", {}, ["10.96.0.7", "services/a/B"]],
  [
    "SVC-339 group",
    "IPAddress",
    { spec: { parentRef: { group: "x.io", resource: "things", name: "n" } } },
    ["10.96.0.7", "things.x.io/n"],
  ],
  ["SVC-322", "Namespace", {}, ["x", "Active"]],
  ["SVC-323", "ConfigMap", { data: { a: "" }, binaryData: { b: "" } }, ["x", 2]],
  ["SVC-324", "Secret", { data: { a: "" } }, ["x", "Opaque", 1]],
  ["ServiceAccount", "ServiceAccount", {}, ["x", 0]],
  ["Lease", "Lease", { spec: { holderIdentity: "me" } }, ["x", "me"]],
  ["Role", "Role", { metadata: { name: "x", creationTimestamp: NOW.now } }, ["x", NOW.now]],
  [
    "RoleBinding",
    "RoleBinding",
    {
      metadata: { name: "x", namespace: "default", creationTimestamp: "1970-01-01T00:00:00Z" },
      subjects: [
        { kind: "User", name: "u" },
        { kind: "Group", name: "g" },
        { kind: "ServiceAccount", namespace: "n", name: "a" },
        { kind: "User", name: "v" },
      ],
    },
    ["x", "Role/r", "0s", "u, v", "g", "n/a"],
  ],
];
for (const [id, kind, more, wanted] of cells) {
  void test(`${id}: ${wanted.join(" · ")}`, () => {
    const found = kindOf(kind);
    assert.deepEqual(found.row(created(found, more), 0).slice(0, wanted.length), wanted);
  });
}

void test("SVC-317, SVC-343: the row of a Node", () => {
  const node = kindOf("Node");
  const made = make(node, {
    metadata: { name: "n", labels: { "node-role.kubernetes.io/worker": "", "kubernetes.io/role": "edge" } },
    spec: { unschedulable: true },
    status: {
      conditions: [{ type: "Ready", status: "True" }],
      addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
      nodeInfo: { kubeletVersion: "v1", osImage: "Debian", kernelVersion: "6", containerRuntimeVersion: "process://1" },
    },
  });
  assert.deepEqual(node.row(made, 0), [
    "n",
    "Ready,SchedulingDisabled",
    "edge,worker",
    "<unknown>",
    "v1",
    "10.0.0.1",
    "<none>",
    "Debian",
    "6",
    "process://1",
  ]);
  assert.deepEqual(node.row(make(node), 0).slice(1, 3), ["Unknown", "<none>"]);
  const unready = make(node, { status: { conditions: [{ type: "Ready", status: "Unknown" }] } });
  assert.equal(node.row(unready, 0)[1], "NotReady");
});

void test("SVC-325: the row of an Event", () => {
  const event = kindOf("Event");
  const made = make(event, {
    involvedObject: { kind: "Pod", name: "p", namespace: "default", fieldPath: "spec" },
    type: "Warning",
    reason: "Failed",
    message: "no \n",
    count: 3,
    source: { component: "node", host: "n" },
    firstTimestamp: "1970-01-01T00:00:00Z",
    lastTimestamp: "1970-01-01T00:01:00Z",
  });
  assert.deepEqual(event.row(made, 90_000), [
    "30s",
    "Warning",
    "Failed",
    "pod/p",
    "spec",
    "node, n",
    "no",
    "90s",
    3,
    "x",
  ]);
});

void test("every merge rule is about a list that the field table has", () => {
  for (const [type, rules] of Object.entries(mergeRules)) {
    for (const [field, rule] of Object.entries(rules)) {
      const word = fields[type]?.[field] ?? "";
      assert.match(word, /^\[\]/, `${type}.${field}`);
      const element = structOf(type, field);
      assert.equal(rule.list, element === undefined ? "set" : "map", `${type}.${field}`);
      if (rule.list === "map") assert.ok(Object.hasOwn(fields[element!]!, rule.key), `${type}.${field} by ${rule.key}`);
    }
  }
  assert.deepEqual(mergeRuleOf("ServiceSpec", "ports"), { list: "map", key: "port" });
  assert.equal(mergeRuleOf("PodSpec", "tolerations"), undefined);
  assert.equal(mergeRuleOf("constructor", "name"), undefined);
  assert.equal(structOf("PodSpec", "containers"), "Container");
  assert.equal(structOf("PodSpec", "nodeSelector"), undefined);
});
