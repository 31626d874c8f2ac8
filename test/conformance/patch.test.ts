import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
let at = "";
let count = 0;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const SERVICES = "/api/v1/namespaces/default/services";

beforeEach(async () => {
  count += 1;
  const name = `patched-${count}`;
  at = `${SERVICES}/${name}`;
  const made = await subject.ask("POST", SERVICES, {
    metadata: { name, labels: { a: "b" } },
    spec: { selector: { app: "x" }, ports: [1, 2, 3].map((port) => ({ port, name: `p${port}` })) },
  });
  assert.equal(made.code, 201, made.text);
});

const TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
} as const;

const patch = (type: keyof typeof TYPES, body: unknown, query = ""): Promise<Answered> =>
  subject.ask("PATCH", `${at}${query}`, body, { headers: { "content-type": TYPES[type] } });

const portsOf = ({ body }: Answered): number[] => body.spec.ports.map(({ port }: { port: number }) => port);

void test("SVC-196: a strategic merge patch merges ports by their number alone: TCP 53 and UDP 53 are one to it", async () => {
  const path = `${SERVICES}/dns`;
  const ports = [
    { name: "tcp", port: 53, protocol: "TCP" },
    { name: "udp", port: 53, protocol: "UDP" },
  ];
  await subject.ask("POST", SERVICES, { metadata: { name: "dns" }, spec: { ports } });
  const patched = await subject.ask(
    "PATCH",
    path,
    {
      spec: {
        ports: [
          { port: 53, targetPort: 1 },
          { port: 53, protocol: "TCP", targetPort: 2 },
        ],
      },
    },
    { headers: { "content-type": TYPES.strategic } },
  );
  assert.equal(patched.code, 200, patched.text);
  assert.deepEqual(
    patched.body.spec.ports.map((port: Record<string, unknown>) => [
      port["name"],
      port["protocol"],
      port["targetPort"],
    ]),
    [
      ["tcp", "TCP", 2],
      ["udp", "UDP", 53],
    ],
  );
});

void test("SVC-195: the three patches change an object each in its way", async () => {
  const json = await patch("json", [{ op: "add", path: "/metadata/labels/json", value: "1" }]);
  assert.deepEqual(json.body.metadata.labels, { a: "b", json: "1" });
  const merged = await patch("merge", { metadata: { labels: { json: null } }, spec: { ports: [{ port: 9 }] } });
  assert.deepEqual([merged.body.metadata.labels, portsOf(merged)], [{ a: "b" }, [9]]);
  const strategic = await patch("strategic", {
    spec: {
      ports: [
        { port: 9, name: "nine" },
        { port: 8, name: "eight" },
      ],
    },
  });
  assert.deepEqual(portsOf(strategic), [9, 8]);
});

void test("the directives of a strategic merge patch", async () => {
  const ordered = await patch("strategic", { spec: { ports: [{ port: 3, targetPort: 9 }, { port: 1 }] } });
  assert.deepEqual(portsOf(ordered), [2, 3, 1]);
  const directed = await patch("strategic", {
    spec: {
      "$setElementOrder/ports": [{ port: 1 }, { port: 4 }, { port: 3 }],
      ports: [
        { port: 4, name: "p4" },
        { port: 2, $patch: "delete" },
      ],
    },
  });
  assert.deepEqual(portsOf(directed), [1, 4, 3]);
  assert.deepEqual(portsOf(await patch("strategic", { spec: { ports: [{ $patch: "replace" }, { port: 5 }] } })), [5]);
  const replaced = await patch("strategic", { metadata: { labels: { $patch: "replace", c: "d" } } });
  assert.deepEqual(replaced.body.metadata.labels, { c: "d" });
  const retained = await patch("strategic", { metadata: { labels: { $retainKeys: ["e"], e: "f" } } });
  assert.deepEqual(retained.body.metadata.labels, { e: "f" });
  const deleted = await patch("strategic", { metadata: { labels: { $patch: "delete" } } });
  assert.equal(deleted.body.metadata.labels, undefined);
  await patch("strategic", { metadata: { finalizers: ["a/x", "b/x"] } });
  const primitives = await patch("strategic", {
    metadata: {
      finalizers: ["c/x"],
      "$setElementOrder/finalizers": ["c/x", "b/x", "a/x"],
      "$deleteFromPrimitiveList/finalizers": ["b/x"],
    },
  });
  assert.deepEqual(primitives.body.metadata.finalizers, ["c/x", "a/x"]);
  await patch("strategic", { metadata: { finalizers: null } });
});

void test("a strategic merge patch that makes no sense is told so, and changes nothing", async () => {
  const cases: [patch: unknown, code: number, message: string | RegExp][] = [
    [{ spec: { ports: [{ name: "x" }] } }, 500, "map: map[name:x] does not contain declared merge key: port"],
    [
      { spec: { ports: [{ $patch: "delete" }] } },
      500,
      "map: map[$patch:delete] does not contain declared merge key: port",
    ],
    [
      { spec: { ports: [{ port: 1, $patch: "explode" }] } },
      500,
      "unknown patch type: explode in map: map[$patch:explode port:1]",
    ],
    [{ spec: { $patch: "explode" } }, 500, "unknown patch type: explode in map: map[$patch:explode]"],
    [{ spec: { ports: [{ port: 1, $patch: "merge" }] } }, 500, "merging lists cannot yet be specified in the patch"],
    [{ spec: { ports: ["x"] } }, 500, /^list element types are not identical: /],
    [{ spec: { "$setElementOrder/ports": "x" } }, 500, "expected a []interface {}, but received a string"],
    [
      { spec: { "$setElementOrder/ports": [{ port: 1 }], ports: [{ port: 4, name: "q" }] } },
      500,
      "The order in patch list:\n[map[name:q port:4]]\n doesn't match $setElementOrder list:\n[map[port:1]]\n",
    ],
    [{ spec: { $retainKeys: "x" } }, 400, "invalid patch format of retainKeys"],
    [{ spec: { $retainKeys: ["type"], sessionAffinity: "None" } }, 400, "invalid patch format of retainKeys"],
    [{ $patch: "delete" }, 400, /was undeterminable: name must be provided$/],
    ["[1]", 400, /./],
    ["{x", 400, /./],
    ["", 400, /./],
  ];
  const before = await subject.ask("GET", at);
  for (const [body, code, message] of cases) {
    const answer = await patch("strategic", body);
    assert.equal(answer.code, code, `${JSON.stringify(body)}: ${answer.text}`);
    if (typeof message === "string") assert.equal(answer.body.message, message);
    else assert.match(answer.body.message, message);
  }
  assert.deepEqual((await subject.ask("GET", at)).body, before.body);
  // What is asked of nothing, and what is no directive, does no harm.
  for (const body of [
    "null",
    "{}",
    { metadata: { "$deleteFromPrimitiveList/finalizers": ["x"] } },
    { metadata: { "$deleteFromPrimitiveList/finalizers": "x" } },
    { kind: "Pod", apiVersion: "v9" },
  ]) {
    const answer = await patch("strategic", body);
    assert.equal(answer.code, 200, `${JSON.stringify(body)}: ${answer.text}`);
    assert.equal(answer.body.metadata.resourceVersion, before.body.metadata.resourceVersion);
  }
});

void test("JSON patches: what does not fit, and a test that fails, answer 422; what is no patch 400", async () => {
  const cases: [patch: unknown, code: number][] = [
    [[{ op: "test", path: "/spec/type", value: "NodePort" }], 422],
    [[{ op: "remove", path: "/spec/none" }], 422],
    [[{ op: "add", path: "/spec/ports/9", value: {} }], 422],
    [[{ op: "add", path: "/none/none", value: 1 }], 422],
    [[{ op: "move", from: "/metadata/none", path: "/metadata/labels/x" }], 422],
    [[{ op: "explode", path: "/spec" }], 422],
    [[{ path: "/spec" }], 422],
    [[{ op: "remove", path: "" }], 422],
    [[null], 422],
    [[{ op: 1, path: "/spec" }], 400],
    [[1], 400],
    [{ op: "remove" }, 400],
    ["{", 400],
    ["null", 200],
    [[], 200],
    [[{ op: "test", path: "/spec/type", value: "ClusterIP" }], 200],
    [[{ op: "test", path: "/spec/none", value: null }], 200],
    [[{ op: "replace", path: "/metadata/labels/new", value: "x" }], 200],
    [[{ op: "remove", path: "/spec/ports/0" }], 200],
  ];
  for (const [body, code] of cases) {
    const answer = await patch("json", body);
    assert.equal(answer.code, code, `${JSON.stringify(body)}: ${answer.text}`);
    if (code === 422) assert.equal(answer.body.reason, "Invalid");
  }
  const many = Array.from({ length: 10_001 }, () => ({ op: "test", path: "/spec/type", value: "ClusterIP" }));
  assert.equal((await patch("json", many)).code, 413);
});

void test("a patch may not make another object of it: another name, namespace, type, uid, or an old version", async () => {
  for (const type of ["merge", "strategic"] as const) {
    const cases: [patch: object, code: number, message: RegExp][] = [
      [{ metadata: { name: "other" } }, 400, /^the name of the object \(other\) does not match the name on the URL/],
      [{ metadata: { namespace: "other" } }, 400, /^the namespace of the provided object does not match/],
      [{ metadata: { name: null } }, 400, /was undeterminable: name must be provided$/],
      [{ metadata: null }, 400, /was undeterminable: name must be provided$/],
      [{ metadata: { uid: "other" } }, 422, /metadata.uid: Invalid value: "other": field is immutable/],
      [{ metadata: { resourceVersion: "1" } }, 409, /the object has been modified/],
    ];
    for (const [body, code, message] of cases) {
      const answer = await patch(type, body);
      assert.equal(answer.code, code, `${type} ${JSON.stringify(body)}: ${answer.text}`);
      assert.match(answer.body.message, message);
    }
  }
  for (const body of [{ kind: "Pod" }, { apiVersion: "v9" }]) assert.equal((await patch("merge", body)).code, 422);
  assert.equal((await patch("json", [{ op: "replace", path: "/metadata/name", value: "other" }])).code, 400);
  assert.equal((await patch("json", [{ op: "remove", path: "/metadata" }])).code, 400);
});

void test("SVC-224: fields that a patch adds and nobody knows warn, are refused under Strict with 422, and are silent under Ignore", async () => {
  const patches: [keyof typeof TYPES, unknown][] = [
    ["merge", { spec: { foo: 1 } }],
    ["strategic", { spec: { foo: 1 } }],
    ["json", [{ op: "add", path: "/spec/foo", value: 1 }]],
  ];
  for (const [type, body] of patches) {
    const warned = await patch(type, body);
    assert.equal(warned.code, 200, warned.text);
    assert.match(String(warned.headers["warning"]), /unknown field \\"spec.foo\\"/, type);
    const refused = await patch(type, body, "?fieldValidation=Strict");
    assert.deepEqual(
      [refused.code, refused.body.reason, refused.body.details.causes[0].field],
      [422, "Invalid", "patch"],
      type,
    );
    assert.match(refused.body.message, /strict decoding error: unknown field "spec.foo"$/, type);
    const silent = await patch(type, body, "?fieldValidation=Ignore");
    assert.deepEqual([silent.code, silent.headers["warning"]], [200, undefined], type);
  }
});

void test("values of a wrong type in the result of a patch answer 422, at the field patch", async () => {
  for (const type of ["merge", "strategic"] as const) {
    for (const spec of [{ type: 1 }, { ports: "x" }, { ports: [{ port: "x" }] }, [], "x"]) {
      const answer = await patch(type, { spec });
      assert.equal(answer.code, 422, `${type} ${JSON.stringify(spec)}: ${answer.text}`);
      assert.equal(answer.body.details.causes[0].field, "patch");
    }
  }
});

void test("empty maps and lists are not kept where nothing says them", async () => {
  const answer = await patch("merge", {
    metadata: { labels: { a: null }, annotations: {} },
    spec: { externalIPs: [] },
  });
  assert.equal(answer.code, 200, answer.text);
  assert.deepEqual(
    [answer.body.metadata.labels, answer.body.metadata.annotations, answer.body.spec.externalIPs],
    [undefined, undefined, undefined],
  );
});

void test("PATCH of a type that is none answers 415, a patch of more than 3 MiB 413, and one of nothing 404", async () => {
  const other = await subject.ask("PATCH", at, "x", { headers: { "content-type": "text/plain" } });
  assert.deepEqual([other.code, other.body.reason], [415, "UnsupportedMediaType"]);
  const large = await patch("merge", { metadata: { annotations: { a: "x".repeat(3 * 1024 * 1024) } } });
  assert.equal(large.code, 413);
  at = `${SERVICES}/none`;
  for (const type of ["merge", "strategic"] as const) assert.equal((await patch(type, {})).code, 404);
});
