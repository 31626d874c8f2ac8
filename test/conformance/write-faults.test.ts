import assert from "node:assert/strict";
import { connect } from "node:tls";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
  await made("a");
});
after(() => subject.close());

const SERVICES = "/api/v1/namespaces/default/services";
const JSON_PATCH = "application/json-patch+json";
const MERGE = "application/merge-patch+json";
const STRATEGIC = "application/strategic-merge-patch+json";

async function made(name: string, labels: object = {}): Promise<Answered["body"]> {
  const service = { metadata: { name, labels }, spec: { ports: [{ port: 80 }] } };
  const { code, body, text } = await subject.ask("POST", SERVICES, service);
  assert.equal(code, 201, text);
  return body;
}

const send = (method: string, path: string, body: string, type = "application/json"): Promise<Answered> =>
  subject.ask(method, path, body, { headers: { "content-type": type } });

/** What is told of a failure: code, reason, sentence and details. */
function isTold(answer: Answered, [code, reason, message, details]: Told, label: string): void {
  const { body, text } = answer;
  assert.deepEqual([answer.code, body?.reason, body?.message], [code, reason, message], `${label}: ${text}`);
  assert.deepEqual(body.details, details, label);
}
type Told = readonly [code: number, reason: string | undefined, message: string, details?: object];

const bad = (message: string): Told => [400, "BadRequest", message];
const missing = (name: string): Told => [404, "NotFound", `services "${name}" not found`, { name, kind: "services" }];
const nameless = (name: string): Told =>
  bad(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
const NO_PATH: Told = [404, "NotFound", "the server could not find the requested resource", {}];
const NO_METHOD: Told = [
  405,
  "MethodNotAllowed",
  "the server does not allow this method on the requested resource",
  {},
];

void test("SVC-196: a patch of no type that is known is refused before anybody looks for the object", async () => {
  for (const type of [
    "application/json",
    "text/plain",
    "",
    ";;;",
    "application/MERGE-patch+json",
    "application/yaml",
  ]) {
    for (const name of ["a", "nothing"]) {
      const told: Told = [415, "UnsupportedMediaType", "415: Unsupported Media Type", {}];
      isTold(await send("PATCH", `${SERVICES}/${name}`, "{}", type), told, type);
    }
  }
  assert.equal((await send("PATCH", `${SERVICES}/a`, "{}", `${MERGE}; charset=utf-8`)).code, 200);
});

void test("SVC-196: a patch that cannot be read says why", async () => {
  const map = "into Go value of type map[string]interface {}";
  for (const [body, why] of [
    ["", "unexpected end of JSON input"],
    ["{", "unexpected end of JSON input"],
    ['{"a":}', "invalid character '}' looking for beginning of value"],
    ["{} {}", "invalid character '{' after top-level value"],
    ["[]", `json: cannot unmarshal array ${map}`],
    ["1", `json: cannot unmarshal number ${map}`],
    ['"x"', `json: cannot unmarshal string ${map}`],
    ['{"a":1e999}', "json: cannot unmarshal number 1e999 into Go value of type float64"],
  ] as const) {
    isTold(await send("PATCH", `${SERVICES}/a`, body, MERGE), bad(`error decoding patch: ${why}`), `merge ${body}`);
    isTold(await send("PATCH", `${SERVICES}/a`, body, STRATEGIC), bad(why), `strategic ${body}`);
  }
  isTold(await send("PATCH", `${SERVICES}/a`, "null", MERGE), bad("Invalid JSON Patch"), "null");
  assert.equal((await send("PATCH", `${SERVICES}/a`, "null", STRATEGIC)).code, 200);
  for (const [body, why] of [
    ["{", "unexpected end of JSON input"],
    ["{}", "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"],
    ["[1]", "json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"],
    ['[{"op":1}]', "json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string"],
  ] as const) {
    isTold(await send("PATCH", `${SERVICES}/a`, body, JSON_PATCH), bad(`error decoding patch: ${why}`), body);
  }
  for (const body of [
    "[{}]",
    '[{"op":"remove","path":"/nope"}]',
    '[{"op":"test","path":"/metadata/name","value":"b"}]',
  ]) {
    const { code, body: status } = await send("PATCH", `${SERVICES}/a`, body, JSON_PATCH);
    assert.deepEqual([code, status.reason, status.details], [422, "Invalid", {}], body);
    // Which operation failed, and how, is told beyond what upstream says.
    assert.match(status.message, /^the server rejected our request due to an error in our request/);
  }
  isTold(await send("PATCH", `${SERVICES}/nothing`, "{", MERGE), missing("nothing"), "first the object");
  isTold(
    await send("PATCH", `${SERVICES}/a`, '{"spec":{"$patch":"foo"}}', STRATEGIC),
    [500, undefined, "unknown patch type: foo in map: map[$patch:foo]"],
    "directive",
  );
});

void test("SVC-101: what a body says of its name, namespace, uid and version must be the URL's and the object's", async () => {
  const patches: [string, Told][] = [
    ['{"metadata":{"name":"zz"}}', bad("the name of the object (zz) does not match the name on the URL (a)")],
    ['{"metadata":{"name":null}}', nameless("a")],
    ['{"metadata":null}', nameless("a")],
    [
      '{"metadata":{"namespace":"other"}}',
      bad("the namespace of the provided object does not match the namespace sent on the request"),
    ],
    ['{"metadata":{"resourceVersion":"x"}}', [500, undefined, 'strconv.ParseUint: parsing "x": invalid syntax']],
  ];
  for (const [body, told] of patches) {
    for (const type of [MERGE, STRATEGIC]) isTold(await send("PATCH", `${SERVICES}/a`, body, type), told, body);
  }
  const uid = await send("PATCH", `${SERVICES}/a`, '{"metadata":{"uid":"x"}}', MERGE);
  const cause = {
    reason: "FieldValueInvalid",
    message: 'Invalid value: "x": field is immutable',
    field: "metadata.uid",
  };
  assert.deepEqual([uid.code, uid.body.details.causes], [422, [cause, cause]]);
  for (const body of ["{}", "null", '{"metadata":{}}', '{"metadata":{"name":""}}']) {
    isTold(await send("PUT", `${SERVICES}/a`, body), nameless("a"), body);
    isTold(await send("PUT", `${SERVICES}/nothing`, body), nameless("nothing"), body);
    isTold(await send("PUT", "/api/v1/namespaces/default", body), nameless("default"), body);
  }
  const put = (metadata: object) =>
    send("PUT", `${SERVICES}/a`, JSON.stringify({ metadata, spec: { ports: [{ port: 80 }] } }));
  isTold(
    await put({ name: "a", resourceVersion: "x" }),
    [500, undefined, 'strconv.ParseUint: parsing "x": invalid syntax'],
    "PUT",
  );
  assert.equal((await put({ name: "a", resourceVersion: "1" })).code, 409);
  assert.equal((await put({ name: "a", resourceVersion: "0" })).code, 200, "any version");
  assert.equal((await put({ name: "a", uid: "x" })).code, 409);
  const namespace = await send("PUT", "/api/v1/namespaces/default", '{"metadata":{"name":"default","namespace":"x"}}');
  assert.deepEqual([namespace.code, namespace.body.metadata.namespace], [200, undefined], "it has none");
  const created = await send("POST", "/api/v1/namespaces", '{"metadata":{"name":"placeless","namespace":"x"}}');
  assert.deepEqual([created.code, created.body.metadata.namespace], [201, undefined]);
});

void test("SVC-186: slashes that are doubled, at the end or escaped", async () => {
  for (const path of [
    "/api/v1/namespaces//services",
    "/api/v1/namespaces//services/",
    "/api/v1/services//",
    `${SERVICES}/`,
    `${SERVICES}//`,
    "/api/v1/namespaces/default%2Fservices",
    "/api/v1/namespaces/default/%73ervices",
  ]) {
    const { code, body, text } = await subject.ask("GET", path);
    assert.deepEqual([code, body?.kind], [200, "ServiceList"], `${path}: ${text}`);
    assert.ok(
      body.items.some((item: Answered["body"]) => item.metadata.name === "a"),
      path,
    );
  }
  for (const path of ["/a/", "/a//", "/a%2Fstatus", "/%61", "/a/status/"]) {
    assert.equal((await subject.ask("GET", SERVICES + path)).body.kind, "Service", path);
  }
  const nowhere = bad("Namespace parameter required.");
  isTold(await subject.ask("GET", "/api/v1/namespaces//services/a"), nowhere, "one");
  isTold(await subject.ask("DELETE", "/api/v1/namespaces//services"), nowhere, "many");
  for (const method of ["PUT", "PATCH"]) {
    isTold(await send(method, "/api/v1/namespaces//services", "{}"), NO_METHOD, method);
  }
  for (const path of ["/.", "/..", "/%2e%2e"]) {
    const name = path === "/." ? "." : "..";
    const told = bad(`Name parameter invalid: "${name}": may not be '${name}'`);
    isTold(await subject.ask("GET", SERVICES + path), told, path);
  }
  isTold(await subject.ask("GET", `${SERVICES}/a%25b`), bad(`Name parameter invalid: "a%b": may not contain '%'`), "%");
});

void test("SVC-186: paths that lead nowhere", async () => {
  for (const path of [
    "/api/v1/nope",
    "/api/v1/nope/x",
    "/api/v1/namespaces/default/nope",
    "/api/v1/namespaces/default/nope/x/y/z",
    `${SERVICES}/a/nope`,
    `${SERVICES}/a/status/x`,
    `${SERVICES}/../configmaps`,
    "/api/v1/services/a",
    "/api/v1/Services",
    "/api/v1/namespaces/default/nodes",
    "/api/v2/services",
    "/api/v1//services",
    "/api/v1/namespaces/default//services",
    "/apis/discovery.k8s.io/v9/endpointslices",
    "/apis/discovery.k8s.io/v1/services",
  ]) {
    for (const method of ["GET", "DELETE"]) isTold(await subject.ask(method, path), NO_PATH, `${method} ${path}`);
  }
  for (const path of [
    "/apis//v1",
    "/apis//v1/services",
    "/apis/nope",
    "/apis/nope/v1/things",
    "/nope",
    "/API/v1/services",
  ]) {
    const { code, headers, text } = await subject.ask("GET", path);
    assert.deepEqual(
      [code, headers["content-type"], text],
      [404, "text/plain; charset=utf-8", "404 page not found\n"],
      path,
    );
  }
  for (const path of [`${SERVICES}/%zz`, `${SERVICES}/%`]) {
    const { code, text } = await subject.ask("GET", path);
    assert.deepEqual([code, text], [400, "400 Bad Request"], path);
  }
});

void test("SVC-186: methods that a path does not know", async () => {
  for (const [method, path] of [
    ["PUT", SERVICES],
    ["PATCH", SERVICES],
    ["POST", `${SERVICES}/a`],
    ["POST", `${SERVICES}/a/status`],
    ["DELETE", `${SERVICES}/a/status`],
    ["DELETE", "/api/v1/services"],
    ["POST", "/api/v1"],
    ["DELETE", "/api"],
    ["PUT", "/version"],
    ["OPTIONS", SERVICES],
    ["TRACE", SERVICES],
    ["PROPFIND", `${SERVICES}/a`],
  ] as const) {
    isTold(await subject.ask(method, path), NO_METHOD, `${method} ${path}`);
  }
  for (const path of [SERVICES, `${SERVICES}/a`, "/api", "/api/v1", "/version"]) {
    assert.equal((await subject.ask("HEAD", path)).code, 405, `HEAD ${path}`);
  }
  for (const method of ["POST", "DELETE"]) {
    assert.equal((await subject.ask(method, "/apis")).body.kind, "APIGroupList", `${method} /apis`);
    assert.ok((await subject.ask(method, "/")).body.paths.includes("/api"), `${method} /`);
  }
});

/** The first line and the body of what is answered to a request that is written by hand. */
function spoken(line: string): Promise<string> {
  const { ca, admin, port } = subject;
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      ca,
      key: admin.key,
      cert: admin.cert,
      ALPNProtocols: ["http/1.1"],
    });
    let heard = "";
    socket.on("data", (chunk: Buffer) => (heard += chunk.toString()));
    socket.on("error", reject);
    socket.on("close", () => resolve(`${heard.split("\r\n", 1)[0]} ${heard.split("\r\n\r\n")[1] ?? ""}`));
    socket.write(`${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  });
}

void test("SVC-186: request lines of other forms", async () => {
  assert.match(await spoken(`GET https://localhost${SERVICES}/a`), /^HTTP\/1\.1 200 OK .*"name":"a"/s);
  assert.equal(await spoken("OPTIONS *"), "HTTP/1.1 200 OK ");
  for (const line of ["GET api/v1", `GET ${SERVICES}/a b`]) {
    assert.equal(await spoken(line), "HTTP/1.1 400 Bad Request 400 Bad Request", line);
  }
});

let count = 0;

/** Deletes a Service of its own, alone or as a collection; answers with what was there and what was said. */
async function deleted(options: {
  body?: string | ((object: Answered["body"]) => object);
  query?: string;
  many?: boolean;
}): Promise<{ object: Answered["body"]; answer: Answered }> {
  const name = `deleted-${(count += 1)}`;
  const object = await made(name, { only: name });
  const { body, query = "", many = false } = options;
  const path = many ? `${SERVICES}?labelSelector=only%3D${name}&${query}` : `${SERVICES}/${name}?${query}`;
  const said = typeof body === "function" ? JSON.stringify(body(object)) : body;
  const answer = said === undefined ? await subject.ask("DELETE", path) : await send("DELETE", path, said);
  return { object, answer };
}

const isThere = async (object: Answered["body"]): Promise<boolean> =>
  (await subject.ask("GET", `${SERVICES}/${object.metadata.name}`)).code === 200;

void test("SVC-190: options of a deletion that cannot be read, and then nothing is deleted", async () => {
  const meta =
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  const typed = "couldn't get version/kind; json parse error: ";
  const field = (found: string, name: string, type: string): string =>
    `json: cannot unmarshal ${found} into Go struct field DeleteOptions.${name} of type ${type}`;
  for (const [body, why] of [
    ["{", `${typed}unexpected end of JSON input`],
    ["[]", `${typed}json: cannot unmarshal array into Go value of type ${meta}`],
    ["1", `${typed}json: cannot unmarshal number into Go value of type ${meta}`],
    ['{"kind":1}', `${typed}json: cannot unmarshal number into Go struct field .kind of type string`],
    ['{"orphanDependents":"x"}', field("string", "orphanDependents", "bool")],
    ['{"propagationPolicy":1}', field("number", "propagationPolicy", "v1.DeletionPropagation")],
    ['{"gracePeriodSeconds":"x"}', field("string", "gracePeriodSeconds", "int64")],
    ['{"gracePeriodSeconds":1.5}', field("number 1.5", "gracePeriodSeconds", "int64")],
    ['{"preconditions":1}', field("number", "preconditions", "v1.Preconditions")],
    ['{"dryRun":"All"}', field("string", "dryRun", "[]string")],
  ] as const) {
    for (const many of [false, true]) {
      const { object, answer } = await deleted({ body, many });
      isTold(answer, bad(why), body);
      assert.ok(await isThere(object), body);
    }
  }
  for (const query of ["gracePeriodSeconds=x", "gracePeriodSeconds="]) {
    const said = query.slice(query.indexOf("=") + 1);
    const { answer } = await deleted({ query });
    isTold(answer, bad(`strconv.ParseInt: parsing "${said}": invalid syntax`), query);
  }
});

void test("SVC-190: options of a deletion that mean nothing or do not go together are told all at once, and then nothing is deleted", async () => {
  const both = ["FieldValueInvalid", "orphanDependents and deletionPropagation cannot be both set"] as const;
  const fault = (field: string, reason: string, message: string) => ({ field, reason, message });
  const clash = (policy: string) => fault("propagationPolicy", both[0], `Invalid value: "${policy}": ${both[1]}`);
  const policy = (word: string) =>
    fault(
      "propagationPolicy",
      "FieldValueNotSupported",
      `Unsupported value: "${word}": supported values: "Foreground", "Background", "Orphan", "nil"`,
    );
  const dryRun = (words: string) =>
    fault("dryRun", "FieldValueNotSupported", `Unsupported value: ${words}: supported values: "All"`);
  for (const many of [false, true]) {
    for (const [options, causes] of [
      [{ body: '{"propagationPolicy":"foo"}' }, [policy("foo")]],
      [{ body: '{"propagationPolicy":""}' }, [policy("")]],
      [{ body: '{"propagationPolicy":"Orphan","orphanDependents":true}' }, [clash("Orphan")]],
      [{ body: '{"propagationPolicy":"Foreground","orphanDependents":false}' }, [clash("Foreground")]],
      [{ body: '{"dryRun":["x"],"propagationPolicy":"foo"}' }, [policy("foo"), dryRun('["x"]')]],
      [{ query: "propagationPolicy=foo" }, [policy("foo")]],
      [{ query: "orphanDependents=true&propagationPolicy=Orphan" }, [clash("Orphan")]],
      [{ query: "dryRun=x" }, [dryRun('["x"]')]],
      [{ query: "dryRun=" }, [dryRun('[""]')]],
    ] as const) {
      const { object, answer } = await deleted({ ...options, many });
      assert.equal(answer.code, 422, `${JSON.stringify(options)}: ${answer.text}`);
      assert.deepEqual(answer.body.details, { group: "meta.k8s.io", kind: "DeleteOptions", causes });
      assert.ok(await isThere(object), JSON.stringify(options));
    }
  }
});

void test("SVC-190: where a deletion has a body, its query says nothing", async () => {
  for (const query of ["propagationPolicy=foo", "dryRun=x", "orphanDependents=true"]) {
    const { object, answer } = await deleted({ body: '{"propagationPolicy":"Background"}', query });
    assert.equal(answer.code, 200, `${query}: ${answer.text}`);
    assert.equal(await isThere(object), false, query);
  }
  const { object } = await deleted({ body: "null" });
  assert.equal(await isThere(object), false, "null is an empty body of options");
});

void test("SVC-190, SVC-194: a deletion of what is not as the client demands is a conflict that says why", async () => {
  for (const many of [false, true]) {
    for (const [what, preconditions, more] of [
      ["UID", { uid: "x" }, "The object might have been deleted and then recreated"],
      ["UID", { uid: "" }, "The object might have been deleted and then recreated"],
      ["ResourceVersion", { resourceVersion: "1" }, "The object might have been modified"],
    ] as const) {
      const { object, answer } = await deleted({ body: () => ({ preconditions }), many });
      const { name, uid, resourceVersion } = object.metadata;
      const [said] = Object.values(preconditions);
      const found = what === "UID" ? uid : resourceVersion;
      const message = `Operation cannot be fulfilled on Service "${name}": the ${what} in the precondition (${said}) does not match the ${what} in record (${found}). ${more}`;
      isTold(answer, [409, "Conflict", message, { name, kind: "Service" }], JSON.stringify(preconditions));
      assert.ok(await isThere(object));
    }
    const met = await deleted({
      body: ({ metadata: { uid, resourceVersion } }) => ({ preconditions: { uid, resourceVersion } }),
      many,
    });
    assert.equal(met.answer.code, 200, met.answer.text);
    assert.equal(await isThere(met.object), false);
  }
});
