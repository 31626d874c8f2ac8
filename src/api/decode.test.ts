import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, DEPTH_MAXIMUM, unknownFields, wrongTypes } from "./decode.ts";
import type { ConfigMap, EndpointSlice, Lease, Pod, Service } from "./generated/types.ts";

void test("keeps what the type has, takes null for absent, and drops nothing else", () => {
  const { object, unknown, faults } = decode<Service>("Service", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", labels: { a: "b" }, creationTimestamp: null },
    spec: { ports: [{ port: 80, targetPort: "http" }], selector: { app: "web" }, clusterIP: null },
  });
  assert.deepEqual(unknown, []);
  assert.deepEqual(faults, []);
  assert.deepEqual(object, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", labels: { a: "b" } },
    spec: { ports: [{ port: 80, targetPort: "http" }], selector: { app: "web" } },
  });
});

void test("SVC-042: tells the path of every unknown field and drops it", () => {
  const { object, unknown } = decode<Service>("Service", {
    foo: 1,
    spec: {
      topologyKeys: ["a"],
      ipFamily: "IPv4",
      ports: [
        { port: 1, targtPort: 2 },
        { port: 2, constructor: 1 },
      ],
    },
  });
  assert.deepEqual(unknown, [
    "foo",
    "spec.topologyKeys",
    "spec.ipFamily",
    "spec.ports[0].targtPort",
    "spec.ports[1].constructor",
  ]);
  assert.deepEqual(object.spec, { ports: [{ port: 1 }, { port: 2 }] });
});

void test("values of a wrong type are all told, each with path, expectation and upstream's words", () => {
  const { faults } = decode("Service", {
    spec: {
      ports: [{ port: "80" }, { port: 80.5 }, { port: 2 ** 31 }, { port: 1, targetPort: true }],
      selector: { "a/b": 1 },
      publishNotReadyAddresses: "yes",
      externalIPs: "10.0.0.1",
      sessionAffinityConfig: 5,
    },
  });
  const go = (what: string, field: string, type: string): string =>
    `json: cannot unmarshal ${what} into Go struct field ${field} of type ${type}`;
  assert.deepEqual(
    faults.map(({ path, upstream }) => [path, upstream]),
    [
      ["spec.ports[0].port", go("string", "ServicePort.spec.ports.port", "int32")],
      ["spec.ports[1].port", go("number 80.5", "ServicePort.spec.ports.port", "int32")],
      ["spec.ports[2].port", go("number 2147483648", "ServicePort.spec.ports.port", "int32")],
      ["spec.ports[3].targetPort", go("bool", "ServicePort.spec.ports.targetPort", "string")],
      ["spec.selector[a/b]", go("number", "ServiceSpec.spec.selector", "string")],
      ["spec.publishNotReadyAddresses", go("string", "ServiceSpec.spec.publishNotReadyAddresses", "bool")],
      ["spec.externalIPs", go("string", "ServiceSpec.spec.externalIPs", "[]string")],
      [
        "spec.sessionAffinityConfig",
        go("number", "ServiceSpec.spec.sessionAffinityConfig", "v1.SessionAffinityConfig"),
      ],
    ],
  );
  assert.deepEqual(
    [faults[0]?.expected, faults[0]?.found],
    ["a whole number from -2147483648 to 2147483647", 'the text "80"'],
  );
});

void test("SVC-224: the refusals a client is answered with", () => {
  const v1 = { kind: "Service", version: "v1" };
  const { faults } = decode("Service", { spec: { ports: [{ port: "x" }] } });
  const refusal = wrongTypes(v1, faults);
  assert.equal(refusal.code, 400);
  assert.equal(
    refusal.message,
    'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32',
  );
  assert.equal(refusal.details?.causes?.[0]?.field, "spec.ports[0].port");
  assert.match(
    unknownFields(v1, ["spec.foo", "a"]).message,
    /strict decoding error: unknown field "spec.foo", unknown field "a"$/,
  );
});

void test("what is no object at all is a fault, not an exception", () => {
  for (const value of [[], "x", 5, true]) {
    const { object, faults } = decode("Service", value);
    assert.equal(faults.length, 1, JSON.stringify(value));
    assert.deepEqual(object.metadata, {});
  }
  assert.equal(decode("Service", null).faults.length, 1);
});

void test("fields that Go always writes have their zero value", () => {
  const { object } = decode<Pod>("Pod", { spec: { containers: [{}] }, status: { containerStatuses: [{ name: "a" }] } });
  assert.deepEqual(object.spec?.containers, [{ name: "" }]);
  assert.deepEqual(object.status?.containerStatuses, [
    { name: "a", image: "", imageID: "", ready: false, restartCount: 0 },
  ]);
  assert.deepEqual(decode<EndpointSlice>("EndpointSlice", { endpoints: [{}] }).object.endpoints, [{ addresses: [] }]);
});

void test("keys that are names of Object's prototype are plain keys", () => {
  const { object, faults } = decode<ConfigMap>(
    "ConfigMap",
    JSON.parse('{"data":{"__proto__":"a","constructor":"b","toString":"c"}}'),
  );
  assert.deepEqual(faults, []);
  assert.deepEqual(Object.entries(object.data ?? {}), [
    ["__proto__", "a"],
    ["constructor", "b"],
    ["toString", "c"],
  ]);
  assert.equal(Object.getPrototypeOf(object.data), Object.prototype);
  const hostile = decode("ConfigMap", JSON.parse('{"__proto__":{"polluted":true}}'));
  assert.deepEqual(hostile.unknown, ["__proto__"]);
  assert.equal(Reflect.get(hostile.object, "polluted"), undefined);
});

void test("times are read strictly and kept in UTC", () => {
  const time = (text: unknown): unknown =>
    decode("Service", { metadata: { creationTimestamp: text } }).object.metadata.creationTimestamp;
  assert.equal(time("2026-01-02T03:04:05Z"), "2026-01-02T03:04:05Z");
  assert.equal(time("2026-01-02T03:04:05.678+01:00"), "2026-01-02T02:04:05Z");
  for (const wrong of ["2026-02-30T00:00:00Z", "yesterday", "", "2026-01-02", 5]) assert.equal(time(wrong), undefined);
  assert.equal(
    decode("Service", { metadata: { creationTimestamp: "soon" } }).faults[0]?.path,
    "metadata.creationTimestamp",
  );
  const lease = decode<Lease>("Lease", { spec: { renewTime: "2026-01-02T03:04:05.123456789Z" } }).object;
  assert.equal(lease.spec?.renewTime, "2026-01-02T03:04:05.123456Z");
});

void test("bytes are base64 text; quantities are texts or numbers", () => {
  const secret = decode("Secret", { data: { good: "YWJj\n", bad: "YWJ", worse: "a b=" } });
  assert.deepEqual(
    secret.faults.map(({ path, upstream }) => [path, upstream]),
    [
      ["data.bad", "illegal base64 data at input byte 3"],
      ["data.worse", "illegal base64 data at input byte 1"],
    ],
  );
  const limits = (value: unknown): unknown =>
    decode<Pod>("Pod", { spec: { containers: [{ resources: { limits: { cpu: value } } }] } });
  assert.match(JSON.stringify(limits(2)), /"cpu":"2"/);
  assert.match(JSON.stringify(limits("100m")), /"faults":\[\]/);
  assert.match(JSON.stringify(limits("ten")), /quantities must match/);
});

void test(`more than ${DEPTH_MAXIMUM} levels of nesting are refused`, () => {
  const nested = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));
  const read = (value: unknown) => decode("Service", { metadata: { managedFields: [{ fieldsV1: value }] } });
  assert.deepEqual(read(nested(90)).faults, []);
  assert.equal(read(nested(5000)).faults[0]?.path, "metadata.managedFields[0].fieldsV1");
  assert.equal(decode("Service", { spec: { unheardOf: nested(5000) } }).faults.length, 1);
});
