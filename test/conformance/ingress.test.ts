import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses";
const IP_HOST = "must be a DNS name, not an IP address";
const ABSOLUTE = "must be an absolute path";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const WILDCARD =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const causesOf = ({ body }: Answered): string[] =>
  (body.details?.causes ?? []).map(
    ({ reason, field, message }: Record<string, string>) => `${reason} ${field}: ${message}`,
  );
let made = 0;
const create = (more: object, query = ""): Promise<Answered> =>
  subject.ask("POST", INGRESSES + query, { metadata: { name: `i${(made += 1)}` }, ...more });

const backend = { service: { name: "web", port: { number: 80 } } };
const path = (more: object) => ({ path: "/", pathType: "Prefix", backend, ...more });
const onePath = (more: object) => ({ rules: [{ http: { paths: [path(more)] } }] });
const host = (text: string) => ({ rules: [{ host: text }] });
const PATH = "spec.rules[0].http.paths[0]";
const invalid = (field: string, value: unknown, why: string): string =>
  `FieldValueInvalid ${field}: Invalid value: ${JSON.stringify(value)}: ${why}`;
const required = (field: string, why = ""): string =>
  `FieldValueRequired ${field}: Required value${why === "" ? "" : `: ${why}`}`;
const backends = (given: object) => ({ defaultBackend: given });
const BACKEND = "spec.defaultBackend";
const service = (name: string, port?: object) => backends({ service: { name, ...(port && { port }) } });

const cases: [statement: string, what: string, spec: object, faults: string[]][] = [
  [
    "SVC-286",
    "neither rules nor a backend",
    {},
    [invalid("spec", null, "either `defaultBackend` or `rules` must be specified")],
  ],
  ["SVC-286", "a backend alone", backends(backend), []],
  ["SVC-286", "a rule alone", host("a.example"), []],
  ["SVC-287", "a host", host("web.example.com"), []],
  ["SVC-287", "an empty host", host(""), []],
  ["SVC-287", "an IPv4 address as a host", host("10.0.0.1"), [invalid("spec.rules[0].host", "10.0.0.1", IP_HOST)]],
  [
    "SVC-287",
    "an IPv6 address as a host",
    host("fd00::1"),
    [invalid("spec.rules[0].host", "fd00::1", IP_HOST), invalid("spec.rules[0].host", "fd00::1", SUBDOMAIN)],
  ],
  ["SVC-287", "a host with a port", host("a.example:80"), [invalid("spec.rules[0].host", "a.example:80", SUBDOMAIN)]],
  ["SVC-287", "a host in capitals", host("A.example"), [invalid("spec.rules[0].host", "A.example", SUBDOMAIN)]],
  ["SVC-287", "a wildcard host", host("*.example.com"), []],
  ["SVC-287", "a wildcard alone", host("*"), [invalid("spec.rules[0].host", "*", WILDCARD)]],
  ["SVC-287", "a wildcard inside", host("a.*.example"), [invalid("spec.rules[0].host", "a.*.example", WILDCARD)]],
  ["SVC-287", "a wildcard in a label", host("*a.example"), [invalid("spec.rules[0].host", "*a.example", WILDCARD)]],
  ["SVC-287", "two wildcards", host("*.*.example"), [invalid("spec.rules[0].host", "*.*.example", WILDCARD)]],
  [
    "SVC-287",
    "a host too long",
    host(`${"a.".repeat(127)}a`),
    [invalid("spec.rules[0].host", `${"a.".repeat(127)}a`, "must be no more than 253 characters")],
  ],
  ["SVC-288", "a rule without http", { rules: [{ host: "a.example" }] }, []],
  ["SVC-288", "http without paths", { rules: [{ http: { paths: [] } }] }, [required("spec.rules[0].http.paths")]],
  [
    "SVC-289",
    "a path without a type, and whatever else",
    onePath({ pathType: undefined, path: "a", backend: {} }),
    [required(`${PATH}.pathType`, "pathType must be specified")],
  ],
  [
    "SVC-289",
    "an unknown type of path",
    onePath({ pathType: "Regex", path: "a" }),
    [
      `FieldValueNotSupported ${PATH}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
    ],
  ],
  [
    "SVC-289",
    "an empty type of path",
    onePath({ pathType: "" }),
    [
      `FieldValueNotSupported ${PATH}.pathType: Unsupported value: "": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
    ],
  ],
  [
    "SVC-289",
    "a type of path in small letters, whose backend is judged all the same",
    onePath({ pathType: "prefix", backend: {} }),
    [
      `FieldValueNotSupported ${PATH}.pathType: Unsupported value: "prefix": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
      invalid(`${PATH}.backend`, "", "resource or service backend is required"),
    ],
  ],
  ...["Exact", "Prefix"].flatMap((pathType): [string, string, object, string[]][] => [
    ["SVC-290", `${pathType} with a path`, onePath({ pathType, path: "/a/b" }), []],
    ["SVC-290", `${pathType} with a path that ends in a slash`, onePath({ pathType, path: "/a/" }), []],
    [
      "SVC-290",
      `${pathType} without a path`,
      onePath({ pathType, path: undefined }),
      [invalid(`${PATH}.path`, "", ABSOLUTE)],
    ],
    [
      "SVC-290",
      `${pathType} with an empty path`,
      onePath({ pathType, path: "" }),
      [invalid(`${PATH}.path`, "", ABSOLUTE)],
    ],
    [
      "SVC-290",
      `${pathType} with a relative path`,
      onePath({ pathType, path: "a" }),
      [invalid(`${PATH}.path`, "a", ABSOLUTE)],
    ],
    ...["//", "/./", "/../", "%2f", "%2F"].map((text): [string, string, object, string[]] => [
      "SVC-290",
      `${pathType} with ${text} in its path`,
      onePath({ pathType, path: `/a${text}b` }),
      [invalid(`${PATH}.path`, `/a${text}b`, `must not contain '${text}'`)],
    ]),
    ...["/..", "/."].map((text): [string, string, object, string[]] => [
      "SVC-290",
      `${pathType} with ${text} at the end of its path`,
      onePath({ pathType, path: `/a${text}` }),
      [invalid(`${PATH}.path`, `/a${text}`, `cannot end with '${text}'`)],
    ]),
  ]),
  [
    "SVC-290",
    "all faults of a path at once",
    onePath({ path: "a//b/./c/../%2f%2F/.." }),
    [
      invalid(`${PATH}.path`, "a//b/./c/../%2f%2F/..", ABSOLUTE),
      ...["//", "/./", "/../", "%2f", "%2F"].map((text) =>
        invalid(`${PATH}.path`, "a//b/./c/../%2f%2F/..", `must not contain '${text}'`),
      ),
      invalid(`${PATH}.path`, "a//b/./c/../%2f%2F/..", "cannot end with '/..'"),
    ],
  ],
  [
    "SVC-291",
    "ImplementationSpecific without a path",
    onePath({ pathType: "ImplementationSpecific", path: undefined }),
    [],
  ],
  [
    "SVC-291",
    "ImplementationSpecific with an empty path",
    onePath({ pathType: "ImplementationSpecific", path: "" }),
    [],
  ],
  [
    "SVC-291",
    "ImplementationSpecific with any path",
    onePath({ pathType: "ImplementationSpecific", path: "/a//b/../%2f(.*)$" }),
    [],
  ],
  [
    "SVC-291",
    "ImplementationSpecific with a relative path",
    onePath({ pathType: "ImplementationSpecific", path: "a" }),
    [invalid(`${PATH}.path`, "a", ABSOLUTE)],
  ],
  [
    "SVC-292",
    "a backend of both kinds",
    backends({ ...backend, resource: { kind: "Bucket", name: "b" } }),
    [invalid(BACKEND, "", "cannot set both resource and service backends")],
  ],
  [
    "SVC-292",
    "a backend of neither kind",
    backends({}),
    [invalid(BACKEND, "", "resource or service backend is required")],
  ],
  [
    "SVC-292",
    "a path without a backend",
    onePath({ backend: undefined }),
    [invalid(`${PATH}.backend`, "", "resource or service backend is required")],
  ],
  ["SVC-293", "a Service without a name", service("", { number: 80 }), [required(`${BACKEND}.service.name`)]],
  [
    "SVC-293",
    "a Service whose name is none",
    service("Web", { number: 80 }),
    [invalid(`${BACKEND}.service.name`, "Web", LABEL)],
  ],
  [
    "SVC-293",
    "a Service whose name has a dot",
    service("a.b", { number: 80 }),
    [invalid(`${BACKEND}.service.name`, "a.b", "must not contain dots")],
  ],
  ["SVC-293", "a Service whose name begins with a digit", service("1web", { number: 80 }), []],
  [
    "SVC-293",
    "a port by name and number",
    service("web", { name: "http", number: 80 }),
    [invalid(BACKEND, "", "cannot set both port name & port number")],
  ],
  ["SVC-293", "a Service without a port", service("web"), [required(BACKEND, "port name or number is required")]],
  [
    "SVC-293",
    "a Service with an empty port",
    service("web", {}),
    [required(BACKEND, "port name or number is required")],
  ],
  ["SVC-293", "a port by name", service("web", { name: "http" }), []],
  [
    "SVC-293",
    "a port whose name is none",
    service("web", { name: "HTTP--x" }),
    [
      invalid(
        `${BACKEND}.service.port.name`,
        "HTTP--x",
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
      ),
      invalid(`${BACKEND}.service.port.name`, "HTTP--x", "must not contain consecutive hyphens"),
    ],
  ],
  [
    "SVC-293",
    "a port of too great a number",
    service("web", { number: 65536 }),
    [invalid(`${BACKEND}.service.port.number`, 65536, "must be between 1 and 65535, inclusive")],
  ],
  [
    "SVC-293",
    "a port of a negative number",
    service("web", { number: -1 }),
    [invalid(`${BACKEND}.service.port.number`, -1, "must be between 1 and 65535, inclusive")],
  ],
  ["SVC-293", "the last port", service("web", { number: 65535 }), []],
  ["SVC-293", "the first port", service("web", { number: 1 }), []],
  [
    "SVC-294",
    "an object as a backend",
    backends({ resource: { apiGroup: "x.example", kind: "Bucket", name: "b" } }),
    [],
  ],
  ["SVC-294", "an object of the core group", backends({ resource: { kind: "Bucket", name: "b" } }), []],
  [
    "SVC-294",
    "an object of which nothing is said",
    backends({ resource: {} }),
    [required(`${BACKEND}.resource.kind`), required(`${BACKEND}.resource.name`)],
  ],
  [
    "SVC-294",
    "an object whose parts cannot be in a path",
    backends({ resource: { apiGroup: "X", kind: "a/b", name: ".." } }),
    [
      invalid(`${BACKEND}.resource.apiGroup`, "X", SUBDOMAIN),
      invalid(`${BACKEND}.resource.kind`, "a/b", "may not contain '/'"),
      invalid(`${BACKEND}.resource.name`, "..", "may not be '..'"),
    ],
  ],
  ["SVC-295", "TLS", { ...backends(backend), tls: [{ hosts: ["a.example", "*.example"], secretName: "a.b" }, {}] }, []],
  [
    "SVC-295",
    "TLS for hosts that are none",
    { ...backends(backend), tls: [{}, { hosts: ["ok", "A", "a.*"] }] },
    [invalid("spec.tls[1].hosts[1]", "A", SUBDOMAIN), invalid("spec.tls[1].hosts[2]", "a.*", WILDCARD)],
  ],
  [
    "SVC-295",
    "TLS with a Secret whose name is none",
    { ...backends(backend), tls: [{ secretName: "A/b" }] },
    [invalid("spec.tls[0].secretName", "A/b", SUBDOMAIN)],
  ],
  ["SVC-296", "a class that is not there", { ...backends(backend), ingressClassName: "no.such-class" }, []],
  [
    "SVC-296",
    "a class whose name is none",
    { ...backends(backend), ingressClassName: "A_b" },
    [invalid("spec.ingressClassName", "A_b", SUBDOMAIN)],
  ],
  [
    "SVC-296",
    "an empty class",
    { ...backends(backend), ingressClassName: "" },
    [invalid("spec.ingressClassName", "", SUBDOMAIN)],
  ],
  [
    "SVC-287, SVC-289, SVC-292, SVC-295, SVC-296",
    "faults everywhere",
    {
      defaultBackend: {},
      rules: [{ host: "A" }, { http: { paths: [path({ pathType: "No" }), path({ backend: {} })] } }],
      tls: [{ hosts: ["B"] }],
      ingressClassName: "C",
    },
    [
      invalid(BACKEND, "", "resource or service backend is required"),
      invalid("spec.rules[0].host", "A", SUBDOMAIN),
      `FieldValueNotSupported spec.rules[1].http.paths[0].pathType: Unsupported value: "No": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
      invalid("spec.rules[1].http.paths[1].backend", "", "resource or service backend is required"),
      invalid("spec.tls[0].hosts[0]", "B", SUBDOMAIN),
      invalid("spec.ingressClassName", "C", SUBDOMAIN),
    ],
  ],
];
for (const [statement, what, spec, faults] of cases) {
  void test(`${statement}: ${what}: ${faults.length === 0 ? "no fault" : "its faults"}`, async () => {
    const answered = await create({ spec });
    assert.deepEqual(causesOf(answered), faults, answered.text);
    assert.equal(answered.code, faults.length === 0 ? 201 : 422);
    if (faults.length === 0) return;
    const said = faults.map((fault) => fault.replace(/^\S+ /, ""));
    const all = said.length === 1 ? said[0]! : `[${said.join(", ")}]`;
    assert.equal(answered.body.message, `Ingress.networking.k8s.io "i${made}" is invalid: ${all}`);
  });
}

void test("SVC-285, SVC-348, SVC-349: Ingress is networking.k8s.io/v1, in a namespace, `ing` for short, with a status", async () => {
  const { body } = await subject.ask("GET", "/apis/networking.k8s.io/v1");
  const named = (name: string) => body.resources.find((resource: { name: string }) => resource.name === name);
  const { shortNames, namespaced, kind, singularName, categories, verbs } = named("ingresses");
  assert.deepEqual(
    { shortNames, namespaced, kind, singularName, categories, verbs },
    {
      shortNames: ["ing"],
      namespaced: true,
      kind: "Ingress",
      singularName: "ingress",
      // `kubectl get all` leaves them out.
      categories: undefined,
      verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    },
  );
  assert.deepEqual(named("ingresses/status").verbs, ["get", "patch", "update"]);
});

void test("SVC-285: an Ingress's name is a DNS subdomain", async () => {
  const spec = backends(backend);
  assert.equal((await create({ metadata: { name: "a.b-c" }, spec })).code, 201);
  const bad = await create({ metadata: { name: "A_b" }, spec });
  assert.deepEqual(causesOf(bad), [invalid("metadata.name", "A_b", SUBDOMAIN)]);
});

void test("SVC-285: the generation moves with the spec alone, and a status in a create or an update is not taken", async () => {
  const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
  const { body: first, code } = await create({
    metadata: { name: "moves", generation: 7 },
    spec: backends(backend),
    status,
  });
  assert.equal(code, 201);
  assert.deepEqual([first.metadata.generation, first.status], [1, { loadBalancer: {} }]);
  const put = (object: unknown) => subject.ask("PUT", `${INGRESSES}/moves`, object);
  const labelled = await put({ ...first, metadata: { ...first.metadata, labels: { a: "b" }, generation: 9 }, status });
  assert.equal(labelled.code, 200, labelled.text);
  assert.deepEqual([labelled.body.metadata.generation, labelled.body.status], [1, { loadBalancer: {} }]);
  const changed = await put({ ...labelled.body, spec: { ...first.spec, ingressClassName: "x" } });
  assert.equal(changed.body.metadata.generation, 2);
  const byStatus = await subject.ask("PUT", `${INGRESSES}/moves/status`, {
    ...changed.body,
    metadata: { ...changed.body.metadata, labels: { a: "c" } },
    spec: backends({ service: { name: "other", port: { number: 1 } } }),
    status,
  });
  assert.equal(byStatus.code, 200, byStatus.text);
  assert.deepEqual(
    [byStatus.body.metadata.generation, byStatus.body.spec, byStatus.body.status, byStatus.body.metadata.labels],
    [2, changed.body.spec, status, { a: "c" }],
  );
  const patched = await subject.ask(
    "PATCH",
    `${INGRESSES}/moves/status`,
    { spec: { ingressClassName: "y" }, status: { loadBalancer: { ingress: [{ hostname: "lb.example" }] } } },
    { headers: { "content-type": "application/merge-patch+json" } },
  );
  assert.deepEqual(
    [patched.body.spec.ingressClassName, patched.body.status],
    ["x", { loadBalancer: { ingress: [{ hostname: "lb.example" }] } }],
  );
});

void test("SVC-189, SVC-190: PUT creates no Ingress, and DELETE answers with a Status", async () => {
  const put = await subject.ask("PUT", `${INGRESSES}/nothing`, {
    metadata: { name: "nothing" },
    spec: backends(backend),
  });
  assert.deepEqual([put.code, put.body.reason], [404, "NotFound"]);
  const { body } = await create({ metadata: { name: "goes" }, spec: backends(backend) });
  const gone = await subject.ask("DELETE", `${INGRESSES}/goes`);
  assert.deepEqual(
    [gone.code, gone.body.kind, gone.body.status, gone.body.details],
    [200, "Status", "Success", { name: "goes", group: "networking.k8s.io", kind: "ingresses", uid: body.metadata.uid }],
  );
});

void test("SVC-223: the old annotation of a class is warned of on create, unless the field says the class", async () => {
  const annotations = { "kubernetes.io/ingress.class": "nginx" };
  const words = `299 - "annotation \\"kubernetes.io/ingress.class\\" is deprecated, please use 'spec.ingressClassName' instead"`;
  const old = await create({ metadata: { name: "old", annotations }, spec: backends(backend) });
  assert.deepEqual([old.code, old.headers["warning"]], [201, words]);
  const both = await create({
    metadata: { name: "both", annotations },
    spec: { ...backends(backend), ingressClassName: "nginx" },
  });
  assert.deepEqual([both.code, both.headers["warning"]], [201, undefined]);
  const updated = await subject.ask("PUT", `${INGRESSES}/old`, {
    ...old.body,
    spec: backends({ resource: { kind: "A", name: "b" } }),
  });
  assert.deepEqual([updated.code, updated.headers["warning"]], [200, undefined]);
});

void test("SVC-297: annotation and field must not name two classes, on create alone", async () => {
  const annotations = { "kubernetes.io/ingress.class": "nginx" };
  const spec = { ...backends(backend), ingressClassName: "other" };
  const refused = await create({ metadata: { name: "two", annotations }, spec });
  const why = "must match `ingressClassName` when both are specified";
  assert.deepEqual(causesOf(refused), [invalid("annotations.kubernetes.io/ingress.class", "nginx", why)]);
  const made = await create({ metadata: { name: "two" }, spec });
  const updated = await subject.ask("PUT", `${INGRESSES}/two`, {
    ...made.body,
    metadata: { ...made.body.metadata, annotations },
  });
  assert.equal(updated.code, 200, updated.text);
});

void test("SVC-287, SVC-295: an update is judged as a create is", async () => {
  const { body } = await create({ metadata: { name: "judged" }, spec: backends(backend) });
  const bad = await subject.ask("PUT", `${INGRESSES}/judged`, {
    ...body,
    spec: { rules: [{ host: "A" }], tls: [{ secretName: "A" }] },
  });
  assert.deepEqual(causesOf(bad), [
    invalid("spec.rules[0].host", "A", SUBDOMAIN),
    invalid("spec.tls[0].secretName", "A", SUBDOMAIN),
  ]);
});

const statuses: [what: string, entry: object, faults: string[]][] = [
  ["an address", { ip: "192.0.2.1" }, []],
  ["an IPv6 address", { ip: "2001:db8::1" }, []],
  ["a name", { hostname: "lb.example" }, []],
  ["nothing", {}, []],
  ["any ports", { ip: "192.0.2.1", ports: [{ port: 0, protocol: "SMOKE", error: "no such error!" }] }, []],
  [
    "no address",
    { ip: "lb" },
    [
      invalid(
        "status.loadBalancer.ingress[0].ip",
        "lb",
        "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
      ),
    ],
  ],
  [
    "an address with leading zeros",
    { ip: "192.0.02.1" },
    [invalid("status.loadBalancer.ingress[0].ip", "192.0.02.1", "must not have leading 0s")],
  ],
  [
    "an address as a name",
    { hostname: "192.0.2.1" },
    [invalid("status.loadBalancer.ingress[0].hostname", "192.0.2.1", IP_HOST)],
  ],
  ["a name that is none", { hostname: "LB" }, [invalid("status.loadBalancer.ingress[0].hostname", "LB", SUBDOMAIN)]],
  [
    "a wildcard",
    { hostname: "*.example" },
    [invalid("status.loadBalancer.ingress[0].hostname", "*.example", SUBDOMAIN)],
  ],
];
for (const [index, [what, entry, faults]] of statuses.entries()) {
  void test(`SVC-298: a status with ${what}: ${faults.length === 0 ? "no fault" : "its fault"}`, async () => {
    const { body } = await create({ metadata: { name: `s${index}` }, spec: backends(backend) });
    const answered = await subject.ask("PUT", `${INGRESSES}/s${index}/status`, {
      ...body,
      status: { loadBalancer: { ingress: [entry] } },
    });
    assert.deepEqual(causesOf(answered), faults, answered.text);
    assert.equal(answered.code, faults.length === 0 ? 200 : 422);
    if (faults.length === 0) assert.deepEqual(answered.body.status.loadBalancer.ingress, [entry]);
  });
}

void test("SVC-298: an address in a doubtful form is warned of", async () => {
  const { body } = await create({ metadata: { name: "doubtful" }, spec: backends(backend) });
  const status = { loadBalancer: { ingress: [{ ip: "2001:DB8::1" }] } };
  const answered = await subject.ask("PUT", `${INGRESSES}/doubtful/status`, { ...body, status });
  assert.equal(answered.code, 200, answered.text);
  assert.equal(
    answered.headers["warning"],
    `299 - "status.loadBalancer.ingress[0]: IPv6 address \\"2001:DB8::1\\" should be in RFC 5952 canonical format (\\"2001:db8::1\\")"`,
  );
});

void test("SVC-303: ingresses are selected by the fields metadata.name and metadata.namespace, and by no others", async () => {
  await create({ metadata: { name: "chosen" }, spec: { ...backends(backend), ingressClassName: "x" } });
  const names = async (selector: string): Promise<string[]> => {
    const { body } = await subject.ask("GET", `${INGRESSES}?fieldSelector=${encodeURIComponent(selector)}`);
    return body.items.map((item: { metadata: { name: string } }) => item.metadata.name);
  };
  assert.deepEqual(await names("metadata.name=chosen"), ["chosen"]);
  assert.deepEqual(await names("metadata.name=chosen,metadata.namespace=default"), ["chosen"]);
  assert.deepEqual(await names("metadata.name=chosen,metadata.namespace!=default"), []);
  for (const field of ["spec.ingressClassName", "spec.host"]) {
    const refused = await subject.ask("GET", `${INGRESSES}?fieldSelector=${field}%3Dx`);
    assert.deepEqual([refused.code, refused.body.reason], [400, "BadRequest"], field);
  }
});

const TABLE = { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } };
const rules = (...hosts: string[]) => ({ rules: hosts.map((text) => ({ host: text })) });
const rows: [what: string, spec: object, entries: object[], cells: string[]][] = [
  ["no class and no host", backends(backend), [], ["<none>", "*", "", "80"]],
  [
    "a class and TLS",
    { ...backends(backend), ingressClassName: "nginx", tls: [{}] },
    [],
    ["nginx", "*", "", "80, 443"],
  ],
  ["three hosts", rules("a", "b", "c"), [], ["<none>", "a,b,c", "", "80"]],
  ["five hosts", rules("a", "b", "c", "d", "e"), [], ["<none>", "a,b,c + 2 more...", "", "80"]],
  ["rules without hosts among them", rules("", "a", "", "b", "c", ""), [], ["<none>", "a,b,c + 3 more...", "", "80"]],
  [
    "addresses, each once and sorted",
    backends(backend),
    [{ ip: "192.0.2.2" }, { ip: "192.0.2.1", hostname: "z" }, { ip: "192.0.2.2" }, { hostname: "lb.example" }, {}],
    ["<none>", "*", "192.0.2.1,192.0.2.2,lb.example", "80"],
  ],
];
for (const [index, [what, spec, entries, cells]] of rows.entries()) {
  void test(`SVC-312, SVC-337: the row of an Ingress with ${what}`, async () => {
    const name = `row${index}`;
    const { body } = await create({ metadata: { name }, spec });
    const status = { loadBalancer: { ingress: entries } };
    assert.equal((await subject.ask("PUT", `${INGRESSES}/${name}/status`, { ...body, status })).code, 200);
    const { body: table } = await subject.ask("GET", `${INGRESSES}/${name}`, undefined, TABLE);
    assert.deepEqual(
      table.columnDefinitions.map(({ name: column, priority }: { name: string; priority: number }) => [
        column,
        priority,
      ]),
      [
        ["Name", 0],
        ["Class", 0],
        ["Hosts", 0],
        ["Address", 0],
        ["Ports", 0],
        ["Age", 0],
      ],
    );
    assert.deepEqual(table.rows[0].cells.slice(0, 5), [name, ...cells]);
    assert.match(table.rows[0].cells[5], /^\d+[sm]/);
  });
}

void test("a strategic patch replaces rules and TLS as a whole", async () => {
  await create({
    metadata: { name: "patched" },
    spec: { ...rules("a", "b"), tls: [{ hosts: ["a"] }, { hosts: ["b"] }] },
  });
  const patch = { spec: { ...rules("c"), tls: [{ hosts: ["c"] }] } };
  const headers = { "content-type": "application/strategic-merge-patch+json" };
  const { body } = await subject.ask("PATCH", `${INGRESSES}/patched`, patch, { headers });
  assert.deepEqual([body.spec.rules, body.spec.tls], [[{ host: "c" }], [{ hosts: ["c"] }]]);
});
