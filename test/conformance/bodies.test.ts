import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { message, text, truth, type Write } from "../../src/apiserver/openapi/protobuf.ts";
import { isFairlead, startSubject, type Answered, type Subject } from "./subject.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const services = "/api/v1/namespaces/default/services";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const post = (body: string | Buffer, query = "", type = "application/json", path = configMaps): Promise<Answered> =>
  subject.ask("POST", `${path}?dryRun=All${query}`, body, { headers: { "content-type": type } });

/** The sentences of an answer's warnings. */
const warnings = ({ headers }: Answered): string[] =>
  [...(headers["warning"] ?? "").matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map((found) =>
    found[1]!.replaceAll(/\\(.)/g, "$1"),
  );

const TWICE = '{"metadata":{"name":"c","name":"e"},"data":{"x":"1","x":"2"},"foo":{"a":1,"a":2},"foo":2}';
const SAID = ['duplicate field "metadata.name"', 'duplicate field "data.x"', 'unknown field "foo"'];

void test("SVC-224: unknown fields and repeated ones are warned of, refused under Strict and passed over under Ignore", async () => {
  for (const query of ["", "&fieldValidation=Warn"]) {
    const warned = await post(TWICE, query);
    assert.equal(warned.code, 201, warned.text);
    assert.deepEqual(warnings(warned), SAID);
    assert.deepEqual([warned.body.metadata.name, warned.body.data, warned.body.foo], ["e", { x: "2" }, undefined]);
  }
  const refused = await post(TWICE, "&fieldValidation=Strict");
  assert.deepEqual(
    [refused.code, refused.body.reason, refused.body.message],
    [
      400,
      "BadRequest",
      `ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: ${SAID.join(", ")}`,
    ],
  );
  const ignored = await post(TWICE, "&fieldValidation=Ignore");
  assert.deepEqual([ignored.code, warnings(ignored)], [201, []]);
  const nested =
    '{"metadata":{"name":"s"},"spec":{"ports":[{"port":80},{"port":81,"name":"a","name":"b","targtPort":1}]}}';
  const inService = await post(nested, "&fieldValidation=Strict", "application/json", services);
  assert.equal(
    inService.body.message,
    'Service in version "v1" cannot be handled as a Service: strict decoding error: duplicate field "spec.ports[1].name", ' +
      'unknown field "spec.ports[1].targtPort"',
  );
});

void test("SVC-224: in YAML, repeated keys are told with their lines", async () => {
  const yaml = "metadata:\n  name: y\n  name: z\ndata: {a: b, a: c}\nfoo: 1\n";
  const lines = ['line 3: key "name" already set in map', 'line 4: key "a" already set in map'];
  const warned = await post(yaml, "", "application/yaml");
  assert.deepEqual([warned.code, warnings(warned)], [201, [...lines, 'unknown field "foo"']]);
  assert.deepEqual([warned.body.metadata.name, warned.body.data], ["z", { a: "c" }]);
  const refused = await post(yaml, "&fieldValidation=Strict", "application/yaml");
  assert.equal(
    refused.body.message,
    `ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  ${lines.join("\n  ")}, unknown field "foo"`,
  );
});

void test("options that mean nothing answer 422, numbers that are none 400", async () => {
  for (const [query, message] of [
    [
      "&fieldValidation=Foo",
      'fieldValidation: Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn"',
    ],
    ["&dryRun=Foo", 'dryRun: Unsupported value: ["All","Foo"]: supported values: "All"'],
  ] as const) {
    const { code, body } = await post('{"metadata":{"name":"a"}}', query);
    assert.deepEqual([code, body.message], [422, `CreateOptions.meta.k8s.io "" is invalid: ${message}`]);
  }
  for (const [query, why] of [
    ["limit=x", 'strconv.ParseInt: parsing "x": invalid syntax'],
    ["timeoutSeconds=x&watch=true", 'strconv.ParseInt: parsing "x": invalid syntax'],
    ["limit=99999999999999999999", 'strconv.ParseInt: parsing "99999999999999999999": value out of range'],
  ] as const) {
    const { code, body } = await subject.ask("GET", `${configMaps}?${query}`);
    assert.deepEqual([code, body.reason, body.message], [400, "BadRequest", why], query);
  }
  assert.equal((await subject.ask("GET", `${configMaps}?limit=-1`)).code, 200);
});

void test("bodies that are cut off, empty or of another type than an object answer 400 with what was wrong and what was sent", async () => {
  const unread =
    "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: ";
  const into =
    'of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  for (const [body, why] of [
    ['{"metadata":{"name":"b"},', 'unexpected end of JSON input ({"metadata":{"name":"b"},)'],
    ['{"metadata":{"name":"b', 'unexpected end of JSON input ({"metadata":{"name":"b)'],
    ["", "unexpected end of JSON input (<empty>)"],
    ["{]", "invalid character ']' looking for beginning of object key string ({])"],
    ['{"a" 1}', `invalid character '1' after object key ({"a" 1})`],
    ['{"a":1 "b":2}', `invalid character '"' after object key:value pair ({"a":1 "b":2})`],
    ['{"a":[1 2]}', `invalid character '2' after array element ({"a":[1 2]})`],
    ['{"a":nope}', `invalid character 'o' in literal null (expecting 'u') ({"a":nope})`],
    ['{"a":?}', `invalid character '?' looking for beginning of value ({"a":?})`],
    ["{} x", "invalid character 'x' after top-level value ({} x)"],
    ["[]", `json: cannot unmarshal array into Go value ${into} (5b5d)`],
    ['"x"', `json: cannot unmarshal string into Go value ${into} (227822)`],
    ['{"kind":["x"]}', 'json: cannot unmarshal array into Go struct field .kind of type string ({"kind":["x"]})'],
    [`{"metadata":{"name":"${"long".repeat(20)}`, 'unexpected end of JSON input ({"metadata":{"name":"longlongl ...)'],
  ] as const) {
    const { code, body: said } = await post(body);
    assert.deepEqual([code, said.reason, said.message], [400, "BadRequest", unread + why], body);
  }
  const deep = `{"metadata":{"name":"deep"},"x":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
  assert.equal((await post(deep)).code, 400);
});

void test("an object of another kind or version than the URL's answers 400", async () => {
  for (const [body, message] of [
    [
      '{"kind":"Pod","apiVersion":"v1"}',
      'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown conversion',
    ],
    [
      '{"kind":"ConfigMap","apiVersion":"v2"}',
      'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/runtime/scheme.go:111"',
    ],
    [
      '{"kind":"Foo","apiVersion":"v2"}',
      'Foo in version "v2" cannot be handled as a ConfigMap: no kind "Foo" is registered for version "v2" in scheme "pkg/runtime/scheme.go:111"',
    ],
  ] as const) {
    const { code, body: said } = await post(body);
    assert.deepEqual([code, said.message], [400, message], body);
  }
  const { code, body } = await post("null");
  assert.deepEqual([code, body.reason], [422, "Invalid"]);
});

void test("a body of a type that is not read answers 415, one past the limit 413", async () => {
  for (const type of ["text/plain", "application/cbor", "nonsense"]) {
    const { code, body } = await post('{"metadata":{"name":"p"}}', "", type);
    assert.deepEqual(
      [code, body.reason, body.message],
      [
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
      ],
      type,
    );
  }
  assert.equal((await post('{"metadata":{"name":"p"}}', "", "application/json; charset=utf-8")).code, 201);
  const { code, body } = await post(`{"metadata":{"name":"big"},"data":{"a":"${"x".repeat(3 * 1024 * 1024)}"}}`);
  assert.deepEqual(
    [code, body.reason, body.message],
    [413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"],
  );
});

void test("YAML bodies are read as Go reads YAML 1.1", async () => {
  for (const [written, read] of [
    ["12:30", "12:30"],
    ["2001-01-01", "2001-01-01"],
    ["!!binary aGk=", "hi"],
    ["'yes'", "yes"],
    ["~", ""],
    [".", "."],
  ] as const) {
    const {
      code,
      body,
      text: said,
    } = await post(`metadata: {name: yaml}\ndata: {a: ${written}}\n`, "", "application/yaml");
    assert.deepEqual([code, body.data], [201, { a: read }], `${written}: ${said}`);
  }
  for (const written of ["yes", "off", "0x1F", "017", "1_000", "1e3", ".5"]) {
    const { code, body } = await post(`metadata: {name: yaml}\ndata: {a: ${written}}\n`, "", "application/yaml");
    assert.equal(code, 400, written);
    assert.match(body.message, /cannot unmarshal (bool|number) into Go struct field ConfigMap.data of type string/);
  }
  const keys = await post("metadata: {name: yaml}\ndata: {true: a, 1: b, on: c, 0x10: d}\n", "", "application/yaml");
  assert.deepEqual(keys.body.data, { "1": "b", "16": "d", true: "c" }, keys.text);
});

/** A varint field, also when it is zero. */
const whole: Write = (value) => Number(value);

/** The envelope of a protobuf body: `k8s`, a zero byte, then a message of type (1) and contents (2). */
function enveloped(apiVersion: string, kind: string, contents: Write, object: unknown): Buffer {
  const meta = message(() => ({ apiVersion: [1, text], kind: [2, text] }));
  const envelope = message(() => ({ meta: [1, meta], object: [2, contents] }));
  return Buffer.concat([Buffer.from("k8s\0"), envelope({ meta: { apiVersion, kind }, object }) as Uint8Array]);
}

/** A map is a list of pairs. */
const pair = message(() => ({ key: [1, text], value: [2, text] }));
const metadata = message(() => ({ name: [1, text], namespace: [3, text], labels: [11, pair] }));

void test("protobuf bodies are read: a Service as kubectl 1.32 and later send it", async () => {
  const intOrString = message(() => ({ type: [1, whole], int: [2, whole], text: [3, text] }));
  const port = message(() => ({
    name: [1, text],
    protocol: [2, text],
    port: [3, whole],
    targetPort: [4, intOrString],
    nodePort: [5, whole],
  }));
  const spec = message(() => ({
    ports: [1, port],
    clusterIP: [3, text],
    type: [4, text],
    sessionAffinity: [7, text],
    publishNotReadyAddresses: [13, truth],
    selector: [2, pair],
    allocateLoadBalancerNodePorts: [20, whole],
  }));
  const service = message(() => ({ metadata: [1, metadata], spec: [2, spec] }));
  const body = enveloped("v1", "Service", service, {
    metadata: { name: "proto", namespace: "", labels: [{ key: "app", value: "web" }] },
    spec: {
      ports: [
        { name: "http", protocol: "", port: 80, targetPort: { type: 1, int: 0, text: "web" }, nodePort: 0 },
        { name: "more", protocol: "UDP", port: 81, targetPort: { type: 0, int: 8081, text: "" }, nodePort: 0 },
      ],
      selector: [{ key: "app", value: "web" }],
      clusterIP: "",
      type: "LoadBalancer",
      sessionAffinity: "",
      allocateLoadBalancerNodePorts: 0,
    },
  });
  const {
    code,
    body: made,
    text: said,
  } = await subject.ask("POST", services, body, {
    headers: { "content-type": "application/vnd.kubernetes.protobuf", accept: "application/json" },
  });
  assert.equal(code, 201, said);
  assert.deepEqual(made.metadata.labels, { app: "web" });
  assert.deepEqual(made.spec.ports, [
    { name: "http", protocol: "TCP", port: 80, targetPort: "web" },
    { name: "more", protocol: "UDP", port: 81, targetPort: 8081 },
  ]);
  assert.deepEqual(
    [made.spec.type, made.spec.selector, made.spec.sessionAffinity, made.spec.allocateLoadBalancerNodePorts],
    ["LoadBalancer", { app: "web" }, "None", false],
  );
});

void test("options of a deletion are read as protobuf too; those that mean nothing are refused", async () => {
  await subject.ask("POST", configMaps, { metadata: { name: "stays" } });
  const options = message(() => ({ dryRun: [5, text], propagationPolicy: [4, text] }));
  const ask = (body: string | Buffer, type: string): Promise<Answered> =>
    subject.ask("DELETE", `${configMaps}/stays`, body, {
      headers: { "content-type": type, accept: "application/json" },
    });
  const protobuf = "application/vnd.kubernetes.protobuf";
  assert.equal((await ask(enveloped("v1", "DeleteOptions", options, { dryRun: ["All"] }), protobuf)).code, 200);
  assert.equal((await subject.ask("GET", `${configMaps}/stays`)).code, 200);
  for (const answer of [
    await ask(enveloped("v1", "DeleteOptions", options, { propagationPolicy: "Never" }), protobuf),
    await ask('{"propagationPolicy":"Never"}', "application/json"),
  ]) {
    assert.deepEqual(
      [answer.code, answer.body.message, answer.body.details.causes[0].field],
      [
        422,
        'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Never": supported values: "Foreground", "Background", "Orphan", "nil"',
        "propagationPolicy",
      ],
    );
  }
  const pod = await ask('{"kind":"Pod","apiVersion":"v1"}', "application/json");
  assert.deepEqual(
    [pod.code, pod.body.message],
    [400, 'no kind "Pod" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"'],
  );
});

void test("protobuf bodies that are none, cut off or of another kind answer 400", async () => {
  const type = "application/vnd.kubernetes.protobuf";
  const whatever = message(() => ({ metadata: [1, metadata] }));
  const good = enveloped("v1", "ConfigMap", whatever, { metadata: { name: "good" } });
  assert.equal((await post(good, "", type)).code, 201);
  const none = await post('{"metadata":{"name":"p"}}', "", type);
  assert.deepEqual(
    [none.code, none.body.message],
    [
      400,
      'the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({"metadata":{"name":"p"}})',
    ],
  );
  assert.equal((await post(good.subarray(0, good.length - 3), "", type)).code, 400);
  const pod = enveloped("v1", "Pod", whatever, { metadata: { name: "p" } });
  assert.match((await post(pod, "", type)).body.message, /^Pod in version "v1" cannot be handled as a ConfigMap: /);
});

void test(
  "a large YAML body is read aside: others are answered meanwhile",
  { skip: isFairlead ? false : "Go reads with all its threads" },
  async () => {
    const wide = Array.from({ length: 60_000 }, (_, at) => `  k${at}: "${at}"`).join("\n");
    const reading = { isDone: false };
    const slow = post(`metadata: {name: wide}\ndata:\n${wide}\n`, "", "application/yaml").finally(() => {
      reading.isDone = true;
    });
    let answered = 0;
    while (!reading.isDone) {
      assert.equal((await subject.ask("GET", "/readyz")).code, 200);
      if (!reading.isDone) answered += 1;
    }
    assert.equal((await slow).code, 201);
    // A server that is held up answers one at its beginning and the next at its end.
    assert.ok(answered > 3, `${answered} answers meanwhile`);
  },
);
