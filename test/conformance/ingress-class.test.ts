import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const CLASSES = "/apis/networking.k8s.io/v1/ingressclasses";
const INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
const DEFAULT = "ingressclass.kubernetes.io/is-default-class";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const PREFIXED = 'must be a domain-prefixed path (such as "acme.io/foo")';
const PATH = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";

const causesOf = ({ body }: Answered): string[] =>
  (body.details?.causes ?? []).map(
    ({ reason, field, message }: Record<string, string>) => `${reason} ${field}: ${message}`,
  );
let made = 0;
const create = (spec: object, metadata: object = {}): Promise<Answered> =>
  subject.ask("POST", CLASSES, { metadata: { name: `c${(made += 1)}`, ...metadata }, spec });
const controller = (text: string) => ({ controller: text });
const parameters = (given: object) => ({ controller: "a.example/b", parameters: given });
const invalid = (field: string, value: unknown, why: string): string =>
  `FieldValueInvalid ${field}: Invalid value: ${JSON.stringify(value)}: ${why}`;
const required = (field: string, why = ""): string =>
  `FieldValueRequired ${field}: Required value${why === "" ? "" : `: ${why}`}`;
const TOO_LONG = "FieldValueTooLong spec.controller: Too long: may not be more than 250 bytes";

const cases: [statement: string, what: string, spec: object, faults: string[]][] = [
  ["SVC-299", "a controller", controller("a.example/b"), []],
  ["SVC-299", "a controller of more parts", controller("a.example/b/c-D_~%!"), []],
  ["SVC-299", "no controller", {}, [required("spec.controller")]],
  ["SVC-299", "an empty controller", controller(""), [required("spec.controller")]],
  ["SVC-299", "a controller without a domain", controller("nginx"), [invalid("spec.controller", "nginx", PREFIXED)]],
  ["SVC-299", "a controller with an empty domain", controller("/b"), [invalid("spec.controller", "/b", PREFIXED)]],
  ["SVC-299", "a controller with an empty path", controller("a/"), [invalid("spec.controller", "a/", PREFIXED)]],
  ["SVC-299", "a controller whose domain is none", controller("A/b"), [invalid("spec.controller", "A", SUBDOMAIN)]],
  ["SVC-299", "a controller with a strange path", controller("a/b c"), [invalid("spec.controller", "b c", PATH)]],
  ["SVC-299", "a controller of 250 signs", controller(`a/${"b".repeat(248)}`), []],
  ["SVC-299", "a controller of 251 signs", controller(`a/${"b".repeat(249)}`), [TOO_LONG]],
  [
    "SVC-299",
    "a controller that is all of it",
    controller(`A/ ${"b".repeat(249)}`),
    [TOO_LONG, invalid("spec.controller", "A", SUBDOMAIN), invalid("spec.controller", ` ${"b".repeat(249)}`, PATH)],
  ],
  [
    "SVC-300",
    "parameters in the cluster",
    parameters({ apiGroup: "x.example", kind: "K", name: "n", scope: "Cluster" }),
    [],
  ],
  [
    "SVC-300",
    "parameters in a namespace",
    parameters({ kind: "K", name: "n", scope: "Namespace", namespace: "a" }),
    [],
  ],
  [
    "SVC-300",
    "parameters of which nothing is said",
    parameters({}),
    [required("spec.parameters.kind"), required("spec.parameters.name")],
  ],
  [
    "SVC-300",
    "parameters whose parts cannot be in a path",
    parameters({ apiGroup: "X", kind: ".", name: "a%b" }),
    [
      invalid("spec.parameters.apiGroup", "X", SUBDOMAIN),
      invalid("spec.parameters.kind", ".", "may not be '.'"),
      invalid("spec.parameters.name", "a%b", "may not contain '%'"),
    ],
  ],
  [
    "SVC-300",
    "an unknown scope",
    parameters({ kind: "K", name: "n", scope: "World", namespace: "a" }),
    [
      'FieldValueNotSupported spec.parameters.scope: Unsupported value: "World": supported values: "Cluster", "Namespace"',
    ],
  ],
  [
    "SVC-300",
    "an empty scope",
    parameters({ kind: "K", name: "n", scope: "" }),
    ['FieldValueNotSupported spec.parameters.scope: Unsupported value: "": supported values: "Cluster", "Namespace"'],
  ],
  [
    "SVC-300",
    "a scope without its namespace",
    parameters({ kind: "K", name: "n", scope: "Namespace" }),
    [required("spec.parameters.namespace", "`parameters.scope` is set to 'Namespace'")],
  ],
  [
    "SVC-300",
    "a namespace that is none",
    parameters({ kind: "K", name: "n", scope: "Namespace", namespace: "A" }),
    [invalid("spec.parameters.namespace", "A", LABEL)],
  ],
  [
    "SVC-300",
    "a namespace in the cluster's scope",
    parameters({ kind: "K", name: "n", namespace: "a" }),
    ["FieldValueForbidden spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
  ],
];
for (const [statement, what, spec, faults] of cases) {
  void test(`${statement}: ${what}: ${faults.length === 0 ? "no fault" : "its faults"}`, async () => {
    const answered = await create(spec);
    assert.deepEqual(causesOf(answered), faults, answered.text);
    assert.equal(answered.code, faults.length === 0 ? 201 : 422);
  });
}

void test("SVC-299, SVC-348: IngressClass is networking.k8s.io/v1, of the whole cluster, without a short name", async () => {
  const { body } = await subject.ask("GET", "/apis/networking.k8s.io/v1");
  const found = body.resources.filter(({ name }: { name: string }) => name.startsWith("ingressclasses"));
  assert.deepEqual(
    found.map(({ name, kind, namespaced, singularName, shortNames, categories, verbs }: Record<string, unknown>) => ({
      name,
      kind,
      namespaced,
      singularName,
      shortNames,
      categories,
      verbs,
    })),
    [
      {
        name: "ingressclasses",
        kind: "IngressClass",
        namespaced: false,
        singularName: "ingressclass",
        shortNames: undefined,
        categories: undefined,
        verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
      },
    ],
  );
});

void test("SVC-299: the controller stays, and the generation moves with the spec", async () => {
  const { body: first } = await create(controller("a.example/b"), { name: "stays", generation: 5 });
  assert.equal(first.metadata.generation, 1);
  const put = (object: unknown) => subject.ask("PUT", `${CLASSES}/stays`, object);
  const other = await put({ ...first, spec: controller("a.example/other") });
  assert.deepEqual(
    [other.code, causesOf(other)],
    [422, [invalid("spec.controller", "a.example/other", "field is immutable")]],
  );
  const labelled = await put({ ...first, metadata: { ...first.metadata, labels: { a: "b" } } });
  assert.deepEqual([labelled.code, labelled.body.metadata.generation], [200, 1]);
  const changed = await put({ ...labelled.body, spec: parameters({ kind: "K", name: "n" }) });
  assert.deepEqual([changed.code, changed.body.metadata.generation], [200, 2]);
  const bad = await put({ ...changed.body, spec: parameters({ kind: "K", name: "n", scope: "World" }) });
  assert.equal(bad.code, 422, bad.text);
});

void test("SVC-300: the scope of parameters is Cluster when none is said", async () => {
  const { body } = await create(parameters({ kind: "K", name: "n" }));
  assert.deepEqual(body.spec.parameters, { kind: "K", name: "n", scope: "Cluster" });
});

void test("SVC-189, SVC-190: PUT creates no IngressClass, and DELETE answers with a Status", async () => {
  const put = await subject.ask("PUT", `${CLASSES}/nothing`, {
    metadata: { name: "nothing" },
    spec: controller("a/b"),
  });
  assert.deepEqual([put.code, put.body.reason], [404, "NotFound"]);
  await create(controller("a/b"), { name: "goes" });
  const gone = await subject.ask("DELETE", `${CLASSES}/goes`);
  assert.deepEqual([gone.code, gone.body.kind, gone.body.details.kind], [200, "Status", "ingressclasses"]);
});

void test("IngressClasses are selected by metadata.name alone", async () => {
  await create(controller("a/b"), { name: "chosen" });
  const found = await subject.ask("GET", `${CLASSES}?fieldSelector=metadata.name%3Dchosen`);
  assert.deepEqual(
    found.body.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ["chosen"],
  );
  assert.equal((await subject.ask("GET", `${CLASSES}?fieldSelector=spec.controller%3Da`)).code, 400);
});

const TABLE = { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } };
const rows: [what: string, name: string, annotations: object, spec: object, cells: string[]][] = [
  ["without parameters", "plain", {}, controller("a.example/b"), ["plain", "a.example/b", "<none>"]],
  ["of the core group's parameters", "core", {}, parameters({ kind: "K", name: "n" }), ["core", "a.example/b", "K/n"]],
  [
    "of a group's parameters",
    "group",
    {},
    parameters({ apiGroup: "x.example", kind: "K", name: "n" }),
    ["group", "a.example/b", "K.x.example/n"],
  ],
  [
    "that is the default",
    "def",
    { [DEFAULT]: "true" },
    controller("a.example/b"),
    ["def (default)", "a.example/b", "<none>"],
  ],
  [
    "that is not the default",
    "not",
    { [DEFAULT]: "True" },
    controller("a.example/b"),
    ["not", "a.example/b", "<none>"],
  ],
];
for (const [what, name, annotations, spec, cells] of rows) {
  void test(`SVC-301, SVC-313, SVC-338: the row of an IngressClass ${what}`, async () => {
    await create(spec, { name, annotations });
    const { body } = await subject.ask("GET", `${CLASSES}/${name}`, undefined, TABLE);
    await subject.ask("DELETE", `${CLASSES}/${name}`);
    assert.deepEqual(
      body.columnDefinitions.map((column: { name: string; priority: number }) => [column.name, column.priority]),
      [
        ["Name", 0],
        ["Controller", 0],
        ["Parameters", 0],
        ["Age", 0],
      ],
    );
    assert.deepEqual(body.rows[0].cells.slice(0, 3), cells);
    assert.match(body.rows[0].cells[3], /^\d+[sm]/);
  });
}

const spec = { defaultBackend: { service: { name: "web", port: { number: 80 } } } };
/** The class of an Ingress that names none, asked by a dry run. */
const givenClass = async (metadata: object = {}, more: object = {}): Promise<string | undefined> => {
  const object = { metadata: { name: "asks", ...metadata }, spec: { ...spec, ...more } };
  const { body } = await subject.ask("POST", `${INGRESSES}?dryRun=All`, object);
  return body.spec.ingressClassName;
};
/** Upstream's admission reads classes from a cache that follows a moment later. */
const untilGiven = (name: string | undefined): Promise<true> =>
  until(`the default class to be ${name}`, async () => (await givenClass()) === name);
const defaults = new Set<string>();
const createDefault = async (name: string): Promise<Answered> => {
  defaults.add(name);
  return create(controller("a.example/b"), { name, annotations: { [DEFAULT]: "true" } });
};
const remove = async (name: string): Promise<void> => {
  defaults.delete(name);
  await subject.ask("DELETE", `${CLASSES}/${name}`);
};
afterEach(async () => {
  for (const name of Array.from(defaults)) await remove(name);
});

void test("SVC-302: without a default class an Ingress that names none has none", async () => {
  await untilGiven(undefined);
  await create(controller("a.example/b"), { name: "no-default", annotations: { [DEFAULT]: "false" } });
  await createDefault("probe");
  await untilGiven("probe");
  await remove("probe");
  // `no-default` was seen before `probe` was.
  await untilGiven(undefined);
});

void test("SVC-302: the default class is given on create, unless field or annotation say another", async () => {
  await createDefault("given");
  await untilGiven("given");
  assert.equal(await givenClass({}, { ingressClassName: "mine" }), "mine");
  assert.equal(await givenClass({ annotations: { "kubernetes.io/ingress.class": "mine" } }), undefined);
  assert.equal(await givenClass({ annotations: { "kubernetes.io/ingress.class": "" } }), undefined);
  const stored = await subject.ask("POST", INGRESSES, { metadata: { name: "stored" }, spec });
  assert.equal(stored.body.spec.ingressClassName, "given");
  assert.equal((await subject.ask("GET", `${INGRESSES}/stored`)).body.spec.ingressClassName, "given");
});

void test("SVC-302: an update gives no class", async () => {
  const { body } = await subject.ask("POST", INGRESSES, { metadata: { name: "older" }, spec });
  assert.equal(body.spec.ingressClassName, undefined);
  await createDefault("later");
  await untilGiven("later");
  const updated = await subject.ask("PUT", `${INGRESSES}/older`, {
    ...body,
    metadata: { ...body.metadata, labels: { a: "b" } },
  });
  assert.deepEqual([updated.code, updated.body.spec.ingressClassName], [200, undefined]);
});

void test("SVC-302: of several defaults the newest counts, of those of one second the first by name", async () => {
  const { body: old } = await createDefault("a-old");
  const oldest = Date.parse(old.metadata.creationTimestamp);
  await until("the next second", () => Date.now() >= oldest + 1000);
  const pair = async (): Promise<[string, string]> => {
    const first = await createDefault("n-young");
    const second = await createDefault("m-young");
    return [first.body.metadata.creationTimestamp, second.body.metadata.creationTimestamp];
  };
  // Two creations fall into one second at the latest when begun at its beginning.
  let [first, second] = await pair();
  while (first !== second) {
    await remove("n-young");
    await remove("m-young");
    [first, second] = await pair();
  }
  await untilGiven("m-young");
  await remove("m-young");
  await untilGiven("n-young");
  await remove("n-young");
  await untilGiven("a-old");
});
