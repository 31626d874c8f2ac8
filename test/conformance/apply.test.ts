import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const SERVICES = "/api/v1/namespaces/default/services";
const APPLY = { headers: { "content-type": "application/apply-patch+yaml" } };

interface Given {
  readonly metadata?: Record<string, unknown>;
  readonly spec?: unknown;
  readonly status?: unknown;
}

const service = (name: string, given: Given = {}): object => ({
  apiVersion: "v1",
  kind: "Service",
  ...given,
  metadata: { name, ...given.metadata },
});

/** Applies to the Service of that name. `query` may add `force`, `dryRun`, …. */
const apply = (manager: string, name: string, given: Given = {}, query = "", path = ""): Promise<Answered> =>
  subject.ask("PATCH", `${SERVICES}/${name}${path}?fieldManager=${manager}${query}`, service(name, given), APPLY);

const merge = (name: string, patch: unknown, manager = "merger", path = ""): Promise<Answered> =>
  subject.ask("PATCH", `${SERVICES}/${name}${path}?fieldManager=${manager}`, patch, {
    headers: { "content-type": "application/merge-patch+json" },
  });

interface Entry {
  manager: string;
  operation: string;
  subresource?: string;
  time?: string;
  fieldsV1: unknown;
}

const entryOf = ({ body }: Answered, manager: string): Entry | undefined =>
  (body.metadata.managedFields as Entry[]).find((entry) => entry.manager === manager);

const causesOf = ({ body }: Answered): string[] =>
  (body.details.causes as { message: string; field: string }[]).map(({ message, field }) => `${message}: ${field}`);

const http = { port: 80, name: "http" };
const dns = [
  { port: 53, name: "tcp" },
  { port: 53, name: "udp", protocol: "UDP" },
];

void test("SVC-010, SVC-197: applied ports are one by port and protocol, TCP where none is said; a strategic merge patch knows them by port alone", async () => {
  const made = await apply("one", "keyed", { spec: { ports: dns } });
  assert.equal(made.code, 201, made.text);
  assert.deepEqual(entryOf(made, "one")?.fieldsV1, {
    "f:spec": {
      "f:ports": {
        'k:{"port":53,"protocol":"TCP"}': { ".": {}, "f:name": {}, "f:port": {} },
        'k:{"port":53,"protocol":"UDP"}': { ".": {}, "f:name": {}, "f:port": {}, "f:protocol": {} },
      },
    },
  });
  // No protocol is the TCP one; the other port, which somebody else owns, stays as it is.
  const other = await apply(
    "two",
    "keyed",
    { spec: { ports: [{ port: 53, targetPort: 5353, name: "tcp" }] } },
    "&force=true",
  );
  assert.equal(other.code, 200, other.text);
  assert.deepEqual(
    other.body.spec.ports.map(({ protocol, targetPort }: { protocol: string; targetPort: number }) => [
      protocol,
      targetPort,
    ]),
    [
      ["TCP", 5353],
      ["UDP", 53],
    ],
  );
  const patched = await subject.ask(
    "PATCH",
    `${SERVICES}/keyed`,
    { spec: { ports: [{ port: 53, targetPort: 9 }] } },
    {
      headers: { "content-type": "application/strategic-merge-patch+json" },
    },
  );
  assert.deepEqual(
    patched.body.spec.ports.map(({ protocol, targetPort }: { protocol: string; targetPort: number }) => [
      protocol,
      targetPort,
    ]),
    [
      ["TCP", 9],
      ["UDP", 53],
    ],
  );
});

void test("SVC-195: an object is created by applying it, and changed by applying it again, in JSON or YAML", async () => {
  const made = await apply("one", "made", { spec: { ports: [http], selector: { app: "x" } } });
  assert.equal(made.code, 201, made.text);
  assert.equal(made.body.spec.type, "ClusterIP");
  assert.ok(made.body.spec.clusterIP);
  const entry = entryOf(made, "one");
  assert.equal(entry?.operation, "Apply");
  assert.ok(entry?.time);
  const yaml = "apiVersion: v1\nkind: Service\nmetadata:\n  name: made\nspec:\n  ports:\n  - port: 80\n    name: web\n";
  const changed = await subject.ask("PATCH", `${SERVICES}/made?fieldManager=one`, yaml, APPLY);
  assert.equal(changed.code, 200, changed.text);
  assert.equal(changed.body.spec.ports[0].name, "web");
  // The selector is named no more, and nobody else owned it.
  assert.equal(changed.body.spec.selector, undefined);
});

void test("SVC-195: an apply patch in CBOR is of no type that is known", async () => {
  await apply("one", "cbor", { spec: { ports: [http] } });
  const headers = { "content-type": "application/apply-patch+cbor" };
  const answer = await subject.ask("PATCH", `${SERVICES}/cbor?fieldManager=one`, Buffer.from([0xa0]), { headers });
  assert.deepEqual([answer.code, answer.body.reason], [415, "UnsupportedMediaType"]);
});

void test("SVC-195: an apply patch needs fieldManager; force belongs to apply alone; a manager's name is bounded and printable", async () => {
  await apply("one", "options", { spec: { ports: [http] } });
  const cases: [string, string, string, string[]][] = [
    ["", "application/apply-patch+yaml", "PatchOptions", ["FieldValueRequired fieldManager"]],
    ["?fieldManager=a&force=true", "application/merge-patch+json", "PatchOptions", ["FieldValueForbidden force"]],
    [
      `?fieldManager=${"x".repeat(129)}`,
      "application/merge-patch+json",
      "PatchOptions",
      ["FieldValueTooLong fieldManager"],
    ],
    ["?fieldManager=a%01b", "application/apply-patch+yaml", "PatchOptions", ["FieldValueInvalid fieldManager"]],
    [
      "?fieldManager=a&dryRun=Some&fieldValidation=Hard",
      "application/apply-patch+yaml",
      "PatchOptions",
      ["FieldValueNotSupported dryRun", "FieldValueNotSupported fieldValidation"],
    ],
  ];
  for (const [query, type, kind, faults] of cases) {
    const answer = await subject.ask("PATCH", `${SERVICES}/options${query}`, service("options"), {
      headers: { "content-type": type },
    });
    assert.equal(answer.code, 422, `${query}: ${answer.text}`);
    assert.equal(answer.body.reason, "Invalid");
    assert.equal(answer.body.details.kind, kind);
    const told = (answer.body.details.causes as { reason: string; field: string }[]).map(
      (cause) => `${cause.reason} ${cause.field}`,
    );
    assert.deepEqual(told, faults);
  }
  for (const [method, path, kind] of [
    ["POST", SERVICES, "CreateOptions"],
    ["PUT", `${SERVICES}/options`, "UpdateOptions"],
  ] as const) {
    const answer = await subject.ask(method, `${path}?fieldManager=${"x".repeat(129)}`, service("options"));
    assert.deepEqual([answer.code, answer.body.details.kind], [422, kind], answer.text);
  }
});

void test("what is no object of the kind is refused: another type, another name, other managers, unknown fields, wrong values", async () => {
  await apply("one", "strict", { spec: { ports: [http] } });
  const ask = (body: unknown): Promise<Answered> =>
    subject.ask("PATCH", `${SERVICES}/strict?fieldManager=one`, body, APPLY);
  const cases: [unknown, number, string][] = [
    [{ metadata: { name: "strict" } }, 400, "invalid object type: /, Kind="],
    [{ apiVersion: "v1", kind: "Pod", metadata: { name: "strict" } }, 400, "invalid object type: /v1, Kind=Pod"],
    [{ apiVersion: "apps/v1", kind: "Service" }, 400, "invalid object type: apps/v1, Kind=Service"],
    ["", 400, "invalid object type: /, Kind="],
    [service("other"), 400, "the name of the object (other) does not match the name on the URL (strict)"],
    [
      service("strict", { metadata: { namespace: "other" } }),
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [service("strict", { metadata: { managedFields: [] } }), 400, "metadata.managedFields must be nil"],
    [
      service("strict", { spec: { foo: 1 } }),
      500,
      "failed to create typed patch object (/strict; /v1, Kind=Service): .spec.foo: field not declared in schema",
    ],
    [
      service("strict", { spec: { type: 1 } }),
      500,
      "failed to create typed patch object (/strict; /v1, Kind=Service): .spec.type: expected string, got &value.valueUnstructured{Value:1}",
    ],
    [
      service("strict", { spec: { ports: [{ port: 1 }, { port: 1, protocol: "TCP" }] } }),
      500,
      'failed to create typed patch object (/strict; /v1, Kind=Service): .spec.ports: duplicate entries for key [port=1,protocol="TCP"]',
    ],
    [
      service("strict", { spec: { ports: [null] } }),
      500,
      "failed to create typed patch object (/strict; /v1, Kind=Service): .spec.ports: element 0: associative list with keys may not have a null element",
    ],
    [
      service("strict", { metadata: { finalizers: ["a/b", "a/b"] } }),
      500,
      'failed to create typed patch object (/strict; /v1, Kind=Service): .metadata.finalizers: duplicate entries for key [="a/b"]',
    ],
  ];
  for (const [body, code, message] of cases) {
    const answer = await ask(body);
    assert.deepEqual([answer.code, answer.body.message], [code, message], JSON.stringify(body));
  }
  for (const body of ["[1]", "{{{", "a: [", "words"]) {
    const answer = await ask(body);
    assert.equal(answer.code, 400, `${body}: ${answer.text}`);
    assert.match(answer.body.message, /^error decoding YAML: /, body);
  }
  const cbor = await subject.ask("PATCH", `${SERVICES}/strict?fieldManager=one`, "x", {
    headers: { "content-type": "application/apply-patch+cbor" },
  });
  assert.deepEqual([cbor.code, cbor.body.reason], [415, "UnsupportedMediaType"]);
});

void test("a key that is there twice warns, is refused under Strict, and the last one counts", async () => {
  const yaml =
    "apiVersion: v1\nkind: Service\nmetadata:\n  name: twice\nspec:\n  ports:\n  - port: 80\n    name: one\n    name: two\n";
  const ask = (query: string): Promise<Answered> =>
    subject.ask("PATCH", `${SERVICES}/twice?fieldManager=one${query}`, yaml, APPLY);
  const strict = await ask("&fieldValidation=Strict");
  assert.equal(strict.code, 400, strict.text);
  assert.match(strict.body.message, /^error strict decoding YAML: .*line 9: key "name" already set in map$/s);
  const made = await ask("");
  assert.equal(made.code, 201, made.text);
  assert.equal(made.body.spec.ports[0].name, "two");
  assert.match(String(made.headers["warning"]), /already set in map/);
  assert.equal((await ask("&fieldValidation=Ignore")).headers["warning"], undefined);
});

void test("fields of other managers with other values conflict, each with its cause, until forced; then they change hands", async () => {
  const spec = { ports: [http], selector: { app: "x" } };
  await subject.ask(
    "POST",
    `${SERVICES}?fieldManager=maker`,
    service("fought", { metadata: { labels: { a: "b" } }, spec }),
  );
  const one = await apply("late", "fought", { spec: { ports: [{ port: 80, name: "web" }] } });
  assert.deepEqual([one.code, one.body.reason], [409, "Conflict"], one.text);
  const port = '.spec.ports[port=80,protocol="TCP"].name';
  assert.equal(one.body.message, `Apply failed with 1 conflict: conflict with "maker" using v1: ${port}`);
  assert.deepEqual(one.body.details, {
    causes: [{ reason: "FieldManagerConflict", message: 'conflict with "maker" using v1', field: port }],
  });
  const all = {
    metadata: { labels: { a: "c" } },
    spec: { ports: [{ port: 80, name: "web" }], selector: { app: "y" } },
  };
  const three = await apply("late", "fought", all);
  assert.equal(
    three.body.message,
    `Apply failed with 3 conflicts: conflicts with "maker" using v1:\n- .metadata.labels.a\n- .spec.selector\n- ${port}`,
  );
  const forced = await apply("late", "fought", all, "&force=true");
  assert.equal(forced.code, 200, forced.text);
  assert.deepEqual([forced.body.metadata.labels, forced.body.spec.selector], [{ a: "c" }, { app: "y" }]);
  const left = entryOf(forced, "maker")?.fieldsV1 as Record<string, Record<string, unknown>>;
  assert.deepEqual(left["f:metadata"], { "f:labels": {} });
  assert.equal(left["f:spec"]?.["f:selector"], undefined);
  // An applier is told without a version.
  const again = await apply("third", "fought", { metadata: { labels: { a: "d" } } });
  assert.deepEqual(causesOf(again), ['conflict with "late": .metadata.labels.a']);
});

void test("who applies what is there already owns it too, and takes away only what nobody else owns", async () => {
  const ports = [http, { port: 81, name: "more" }];
  await apply("one", "shared", { spec: { ports } });
  const two = await apply("two", "shared", { spec: { ports: [http] } });
  assert.equal(two.code, 200, two.text);
  assert.deepEqual(entryOf(two, "two")?.fieldsV1, {
    "f:spec": { "f:ports": { 'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:name": {}, "f:port": {} } } },
  });
  const one = await apply("one", "shared", { spec: { ports: [{ port: 81, name: "more" }] } });
  assert.deepEqual(
    one.body.spec.ports.map(({ port }: { port: number }) => port),
    [80, 81],
  );
  const gone = await apply("two", "shared");
  assert.deepEqual(
    gone.body.spec.ports.map(({ port }: { port: number }) => port),
    [81],
  );
  // Who names nothing at all is no manager any more.
  assert.equal(entryOf(gone, "two"), undefined);
  // An empty struct is something to own.
  assert.deepEqual(entryOf(await apply("two", "shared", { spec: {} }), "two")?.fieldsV1, { "f:spec": {} });
});

void test("the last that an applier had in metadata goes, and the object keeps its name", async () => {
  await apply("one", "plain", { metadata: { labels: { a: "b" }, annotations: { c: "d" } }, spec: { ports: [http] } });
  const left = await apply("one", "plain", { spec: { ports: [http] } });
  assert.equal(left.code, 200, left.text);
  assert.deepEqual(
    [left.body.metadata.name, left.body.metadata.labels, left.body.metadata.annotations],
    ["plain", undefined, undefined],
  );
});

void test("SVC-017: a selector is owned and replaced as a whole by apply", async () => {
  await apply("one", "selecting", { spec: { ports: [http], selector: { a: "1", b: "2" } } });
  const changed = await apply("one", "selecting", { spec: { ports: [http], selector: { b: "2", c: "3" } } });
  assert.deepEqual(changed.body.spec.selector, { b: "2", c: "3" });
  const other = await apply("two", "selecting", { spec: { selector: { d: "4" } } });
  assert.deepEqual(causesOf(other), ['conflict with "one": .spec.selector']);
  const none = await apply("three", "no-selector", { spec: { ports: [http] } });
  assert.equal(none.body.spec.selector, undefined);
});

void test("finalizers are a set, owner references a map: each manager has its own among them", async () => {
  const owner = (uid: string): object => ({ apiVersion: "v1", kind: "Pod", name: `p${uid}`, uid });
  await apply("one", "held", {
    metadata: { finalizers: ["one/x"], ownerReferences: [owner("1")] },
    spec: { ports: [http] },
  });
  const two = await apply("two", "held", { metadata: { finalizers: ["two/x"], ownerReferences: [owner("2")] } });
  assert.deepEqual(two.body.metadata.finalizers, ["one/x", "two/x"]);
  assert.deepEqual(entryOf(two, "two")?.fieldsV1, {
    "f:metadata": { "f:finalizers": { 'v:"two/x"': {} }, "f:ownerReferences": { 'k:{"uid":"2"}': {} } },
  });
  const one = await apply("one", "held", { spec: { ports: [http] } });
  assert.deepEqual(one.body.metadata.finalizers, ["two/x"]);
  assert.deepEqual(one.body.metadata.ownerReferences, [owner("2")]);
  await apply("two", "held");
});

void test("applied elements stand in the applied order, others where they stood", async () => {
  const named = (...ports: number[]): object => ({
    spec: { ports: ports.map((port) => ({ port, name: `p${port}` })) },
  });
  const portsOf = ({ body }: Answered): number[] => body.spec.ports.map(({ port }: { port: number }) => port);
  const cases: [live: number[], applied: number[], merged: number[]][] = [
    [
      [1, 2, 3, 4],
      [3, 1],
      [2, 3, 4, 1],
    ],
    [
      [1, 2, 3, 4],
      [5, 2],
      [1, 5, 2, 3, 4],
    ],
    [
      [1, 2, 3],
      [3, 4, 1],
      [2, 3, 4, 1],
    ],
    [[1, 2], [3], [1, 2, 3]],
    [
      [1, 2, 3],
      [2, 1, 3],
      [2, 1, 3],
    ],
    [
      [1, 2, 3, 4],
      [4, 5, 2],
      [1, 3, 4, 5, 2],
    ],
  ];
  for (const [index, [live, applied, merged]] of cases.entries()) {
    const name = `ordered-${index}`;
    await apply("one", name, named(...live));
    const answer = await apply("two", name, named(...applied));
    assert.deepEqual(portsOf(answer), merged, `${live.join(" ")} with ${applied.join(" ")}`);
  }
});

void test("an apply that changes nothing writes nothing, and its time stays", async () => {
  const given = { metadata: { labels: { a: "b" } }, spec: { ports: [http] } };
  const made = await apply("one", "still", given);
  const again = await apply("one", "still", given);
  assert.equal(again.body.metadata.resourceVersion, made.body.metadata.resourceVersion);
  assert.deepEqual(again.body.metadata.managedFields, made.body.metadata.managedFields);
  const dry = await apply("one", "still", { ...given, metadata: { labels: { a: "c" } } }, "&dryRun=All");
  assert.deepEqual([dry.code, dry.body.metadata.labels], [200, { a: "c" }]);
  const read = await subject.ask("GET", `${SERVICES}/still`);
  assert.deepEqual(read.body, made.body);
  assert.equal((await apply("one", "never", given, "&dryRun=All")).code, 201);
  assert.equal((await subject.ask("GET", `${SERVICES}/never`)).code, 404);
});

void test("null says nothing about what is granular, and resets what is not", async () => {
  await apply("one", "nulls", {
    metadata: { labels: { a: "b" } },
    spec: { ports: [http], selector: { a: "b" }, externalName: "" },
  });
  const two = await apply("two", "nulls", {
    metadata: { labels: null, creationTimestamp: null },
    spec: { ports: null },
  });
  assert.equal(two.code, 200, two.text);
  assert.deepEqual([two.body.metadata.labels, two.body.spec.ports.length], [{ a: "b" }, 1]);
  const three = await apply("three", "nulls", { spec: { selector: null } });
  assert.deepEqual(causesOf(three), ['conflict with "one": .spec.selector']);
  const one = await apply("one", "nulls", { spec: { ports: [http], selector: null } });
  assert.equal(one.body.spec.selector, undefined);
});

void test("the version and uid an applied object names are kept to; without an object of that uid there is nothing to apply to", async () => {
  const made = await apply("one", "meant", { spec: { ports: [http] } });
  const { uid, resourceVersion } = made.body.metadata;
  const old = await apply("one", "meant", { metadata: { resourceVersion: "1" } });
  assert.deepEqual([old.code, old.body.reason], [409, "Conflict"], old.text);
  const other = await apply("one", "meant", { metadata: { uid: "other" } });
  assert.deepEqual([other.code, other.body.details.causes[0].field], [422, "metadata.uid"], other.text);
  const right = await apply("one", "meant", {
    metadata: { uid, resourceVersion, labels: { a: "b" } },
    spec: { ports: [http] },
  });
  assert.equal(right.code, 200, right.text);
  const absent = await apply("one", "not-there", { metadata: { uid: "other" }, spec: { ports: [http] } });
  assert.equal(absent.code, 409, absent.text);
  assert.match(
    absent.body.message,
    /uid mismatch: the provided object specified uid other, and no existing object was found/,
  );
  const nameless = await subject.ask(
    "PATCH",
    `${SERVICES}/nameless?fieldManager=one`,
    { apiVersion: "v1", kind: "Service", spec: { ports: [http] } },
    APPLY,
  );
  assert.deepEqual(
    [nameless.code, nameless.body.message],
    [400, "the name of the object (nameless based on URL) was undeterminable: name must be provided"],
  );
});

const condition = (type: string, status = "True"): object => ({
  type,
  status,
  reason: "Told",
  message: "",
  lastTransitionTime: "2024-01-01T00:00:00Z",
});

void test("SVC-038: conditions are one by type, for apply and for a strategic merge patch", async () => {
  const made = await apply("one", "conditional", { spec: { ports: [http] } });
  assert.equal(made.body.status.conditions, undefined);
  await apply("one", "conditional", { status: { conditions: [condition("A")] } }, "", "/status");
  const two = await apply("two", "conditional", { status: { conditions: [condition("B")] } }, "", "/status");
  assert.equal(two.code, 200, two.text);
  assert.deepEqual(two.body.status.conditions, [condition("A"), condition("B")]);
  const conflict = await apply(
    "two",
    "conditional",
    { status: { conditions: [condition("A", "False")] } },
    "",
    "/status",
  );
  assert.deepEqual(causesOf(conflict), [
    'conflict with "one" with subresource "status": .status.conditions[type="A"].status',
  ]);
  const patched = await subject.ask(
    "PATCH",
    `${SERVICES}/conditional/status`,
    { status: { conditions: [{ type: "B", status: "Unknown" }] } },
    { headers: { "content-type": "application/strategic-merge-patch+json" } },
  );
  assert.deepEqual(patched.body.status.conditions, [condition("A"), condition("B", "Unknown")]);
});

void test("status applied to the object, and spec applied to its status, are neither taken nor owned", async () => {
  const both = { spec: { ports: [http], type: "NodePort" }, status: { conditions: [condition("A")] } };
  const made = await apply("one", "parted", both);
  assert.equal(made.code, 201, made.text);
  assert.equal(made.body.status.conditions, undefined);
  assert.deepEqual(Object.keys(entryOf(made, "one")?.fieldsV1 as object), ["f:spec"]);
  const told = await apply(
    "two",
    "parted",
    { spec: { type: "ClusterIP" }, status: { conditions: [condition("B")] } },
    "",
    "/status",
  );
  assert.equal(told.code, 200, told.text);
  assert.equal(told.body.spec.type, "NodePort");
  const entry = entryOf(told, "two");
  assert.deepEqual([entry?.subresource, Object.keys(entry?.fieldsV1 as object)], ["status", ["f:status"]]);
});

void test("objects that nobody's managers are known of belong to before-first-apply when first applied to", async () => {
  await apply("one", "ancient", { metadata: { labels: { a: "b" } }, spec: { ports: [http] } });
  const reset = await merge("ancient", { metadata: { managedFields: [{}] } });
  assert.equal(reset.body.metadata.managedFields, undefined);
  // Nobody is written down by what comes then, either.
  assert.equal((await merge("ancient", { metadata: { labels: { c: "d" } } })).body.metadata.managedFields, undefined);
  const conflict = await apply("one", "ancient", { metadata: { labels: { a: "x" } } });
  assert.deepEqual(causesOf(conflict), ['conflict with "before-first-apply" using v1: .metadata.labels.a']);
  const forced = await apply("one", "ancient", { metadata: { labels: { a: "x" } } }, "&force=true");
  const managers = (forced.body.metadata.managedFields as Entry[]).map(
    ({ manager, operation }) => `${manager} ${operation}`,
  );
  assert.deepEqual(managers, ["one Apply", "before-first-apply Update"]);
});

void test("who may not create may not create by applying", async () => {
  const jane = await subject.client("CN=jane");
  const rule = { apiGroups: [""], resources: ["services"], verbs: ["get", "patch"] };
  const roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
  const made = await subject.ask("POST", `${roles}/roles`, { metadata: { name: "patcher" }, rules: [rule] });
  assert.equal(made.code, 201, made.text);
  const bound = await subject.ask("POST", `${roles}/rolebindings`, {
    metadata: { name: "patcher" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "patcher" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "jane" }],
  });
  assert.equal(bound.code, 201, bound.text);
  const answer = await subject.ask(
    "PATCH",
    `${SERVICES}/hers?fieldManager=jane`,
    service("hers", { spec: { ports: [http] } }),
    {
      ...APPLY,
      as: jane,
    },
  );
  assert.equal(answer.code, 403, answer.text);
  assert.match(answer.body.message, /cannot create resource "services"/);
});

void test("a thousand fields are applied, owned one by one, and taken away again", async () => {
  const data = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key-${index}`, String(index)]));
  const path = "/api/v1/namespaces/default/configmaps/large?fieldManager=one";
  const map = (given: object): object => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "large" },
    data: given,
  });
  const made = await subject.ask("PATCH", path, map(data), APPLY);
  assert.equal(made.code, 201, made.text.slice(0, 300));
  const owned = entryOf(made, "one")?.fieldsV1 as { "f:data": object };
  assert.equal(Object.keys(owned["f:data"]).length, 1000);
  const { "key-500": _, ...rest } = data;
  const changed = await subject.ask("PATCH", path, map({ ...rest, "key-1": "x" }), APPLY);
  assert.deepEqual(changed.body.data, { ...rest, "key-1": "x" });
});
