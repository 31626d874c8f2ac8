import assert from "node:assert/strict";
import { test } from "node:test";
import { cidrs, created, deepFreeze, faultsOf, kindOf, make, NOW, V4, V6 } from "../../test/api/kind-examples.ts";
import { fields } from "./generated/fields.ts";
import { kinds } from "./kinds.ts";
import { mergeRuleOf, mergeRules, structOf } from "./mergeKeys.ts";

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
