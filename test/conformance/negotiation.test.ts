import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { startSubject, type Answered, type Subject } from "./subject.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const one = `${configMaps}/one`;
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";
const PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const PARTIALS = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

let subject: Subject;
before(async () => {
  subject = await startSubject();
  const made = await subject.ask("POST", configMaps, { metadata: { name: "one" }, data: { a: "1" } });
  assert.equal(made.code, 201, made.text);
});
after(() => subject.close());

const get = (path: string, accept: string, more: Record<string, string> = {}): Promise<Answered> =>
  subject.ask("GET", path, undefined, { headers: { accept, ...more } });

void test("SVC-346: the best type that can be had is answered with; 406 when there is none", async () => {
  const cases: [accept: string, code: number, type: string][] = [
    ["", 200, "application/json"],
    ["*/*", 200, "application/json"],
    ["application/json", 200, "application/json"],
    ["application/json; charset=utf-8", 200, "application/json"],
    ["application/json;profile=x", 200, "application/json"],
    ["application/yaml", 200, "application/yaml"],
    ["application/json;q=0.1,application/yaml;q=0.9", 200, "application/yaml"],
    ["application/yaml;q=0.1, application/json;q=0.9", 200, "application/json"],
    ["text/html, image/gif, *; q=.2, */*; q=.2", 200, "application/json"],
    ["application/cbor", 406, "application/json"],
    ["application/cbor,application/json", 200, "application/json"],
    ["text/*", 406, "application/json"],
    ["nonsense", 406, "application/json"],
    ["application/json;as=Table;v=v2;g=meta.k8s.io", 406, "application/json"],
    ["application/json;as=Table;g=meta.k8s.io", 406, "application/json"],
    ["application/json;as=Table", 406, "application/json"],
    ["application/json;as=Nothing", 406, "application/json"],
    ["application/json;as=Nothing,application/json", 200, "application/json"],
  ];
  for (const [accept, code, type] of cases) {
    const answer = await get(one, accept);
    assert.deepEqual([answer.code, answer.headers["content-type"]], [code, type], accept);
    if (code === 406) assert.deepEqual([answer.body.kind, answer.body.reason], ["Status", "NotAcceptable"], accept);
  }
});

void test("clients that ask for protobuf first and JSON second are answered in a type that they asked for", async () => {
  const { headers } = await get(one, "application/vnd.kubernetes.protobuf,application/json");
  assert.match(headers["content-type"] ?? "", /^application\/(json|vnd\.kubernetes\.protobuf)$/);
});

void test("YAML answers say the same as JSON: objects, lists, tables and failures", async () => {
  for (const [path, as] of [
    [one, ""],
    [configMaps, ""],
    [one, TABLE.slice("application/json".length)],
    [`${configMaps}/none`, ""],
  ] as const) {
    const yaml = await get(path, `application/yaml${as}`);
    const json = await get(path, `application/json${as}`);
    assert.equal(yaml.headers["content-type"], "application/yaml");
    assert.equal(yaml.code, json.code);
    assert.deepEqual(parse(yaml.text), json.body, path);
  }
});

void test("answers are laid out for people where that is asked for, and for curl", async () => {
  const agent = (name: string): Record<string, string> => ({ "user-agent": name });
  for (const [path, headers, isPretty] of [
    [one, {}, false],
    [`${one}?pretty=true`, {}, true],
    [`${one}?pretty=1`, {}, true],
    [`${one}?pretty=false`, agent("curl/8.0"), false],
    [one, agent("curl/8.0"), true],
    [one, agent("Mozilla/5.0 (X11)"), true],
    [one, agent("kubectl/v1.36"), false],
    [one, { accept: "application/json;pretty=1" }, true],
  ] as [string, Record<string, string>, boolean][]) {
    const { text } = await subject.ask("GET", path, undefined, { headers });
    assert.equal(text.startsWith('{\n  "'), isPretty, `${path} ${JSON.stringify(headers)}`);
  }
});

void test("rows carry metadata, the whole object or nothing", async () => {
  const rowOf = async (query: string, accept = TABLE): Promise<Record<string, never>> =>
    (await get(`${one}${query}`, accept)).body.rows[0];
  assert.equal((await rowOf(""))["object"]!["kind"], "PartialObjectMetadata");
  assert.equal((await rowOf("?includeObject=Metadata"))["object"]!["kind"], "PartialObjectMetadata");
  assert.equal((await rowOf("?includeObject=None"))["object"], null);
  const whole = (await rowOf("?includeObject=Object"))["object"] as unknown as { kind: string; data: object };
  assert.deepEqual([whole.kind, whole.data], ["ConfigMap", { a: "1" }]);
  const old = await get(one, TABLE.replace("v=v1", "v=v1beta1"));
  assert.equal(old.body.apiVersion, "meta.k8s.io/v1beta1");
  const refused = await get(`${one}?includeObject=Nothing`, TABLE);
  assert.deepEqual(
    [refused.code, refused.body.message],
    [
      400,
      `Unable to convert to Table as requested: includeObject: Invalid value: "Nothing": must be 'Metadata', 'Object', 'None', or empty`,
    ],
  );
  assert.equal((await get(`${one}?includeObject=Nothing`, "application/json")).code, 200);
});

void test("every verb that answers with objects answers with tables", async () => {
  const headers = { accept: TABLE };
  const at = `${configMaps}/tabled`;
  const ask = async (method: string, path: string, body?: unknown, type = "application/json"): Promise<Answered> =>
    subject.ask(method, path, body, {
      headers: { ...headers, ...(body === undefined ? {} : { "content-type": type }) },
    });
  const answers = [
    await ask("POST", configMaps, { metadata: { name: "tabled" } }),
    await ask("GET", at),
    await ask("PUT", at, { metadata: { name: "tabled" }, data: { a: "b" } }),
    await ask("PATCH", at, { data: { c: "d" } }, "application/merge-patch+json"),
    await ask("GET", configMaps),
    await ask("DELETE", `${configMaps}?fieldSelector=metadata.name%3Dtabled`),
  ];
  for (const [index, answer] of answers.entries()) {
    assert.equal(answer.body.kind, "Table", `answer ${index}: ${answer.text}`);
    assert.ok(answer.body.rows.some(({ cells }: { cells: string[] }) => cells[0] === "tabled"));
  }
});

void test("SVC-326: failures are Statuses, also for clients that ask for tables or metadata; so is a deletion's success", async () => {
  for (const accept of [TABLE, PARTIAL, `${TABLE},application/json`]) {
    const { code, body } = await get(`${configMaps}/none`, accept);
    assert.deepEqual([code, body.kind, body.reason], [404, "Status", "NotFound"], accept);
  }
  await subject.ask("POST", configMaps, { metadata: { name: "gone" } });
  const { body } = await subject.ask("DELETE", `${configMaps}/gone`, undefined, { headers: { accept: TABLE } });
  assert.deepEqual([body.kind, body.status], ["Status", "Success"]);
});

void test("what has no rows is not to be had as a table", async () => {
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  assert.equal((await subject.ask("POST", path, {}, { headers: { accept: TABLE } })).code, 406);
  const either = { accept: `${TABLE},application/json` };
  assert.equal((await subject.ask("POST", path, {}, { headers: either })).body.kind, "SelfSubjectReview");
});

void test("PartialObjectMetadata is for objects, its list for lists; each is refused for the other", async () => {
  const partial = (await get(one, PARTIAL)).body;
  assert.deepEqual(
    [partial.kind, partial.apiVersion, partial.data],
    ["PartialObjectMetadata", "meta.k8s.io/v1", undefined],
  );
  assert.equal((await get(one, PARTIAL.replace("v=v1", "v=v1beta1"))).body.apiVersion, "meta.k8s.io/v1beta1");
  const partials = (await get(configMaps, PARTIALS)).body;
  assert.deepEqual([partials.kind, partials.items[0].kind], ["PartialObjectMetadataList", "PartialObjectMetadata"]);
  const list = await get(configMaps, PARTIAL);
  assert.deepEqual(
    [list.code, list.body.message],
    [406, "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)"],
  );
  const object = await get(one, PARTIALS);
  assert.deepEqual(
    [object.code, object.body.message],
    [406, "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)"],
  );
});

void test("items of a list leave out what the list says for all of them", async () => {
  const { body } = await get(configMaps, "application/json");
  assert.deepEqual([body.kind, body.apiVersion], ["ConfigMapList", "v1"]);
  assert.ok(body.items.length > 0);
  for (const item of body.items) assert.deepEqual([item.kind, item.apiVersion], [undefined, undefined]);
});

void test("watches answer in tables and in metadata", async () => {
  for (const [accept, kind] of [
    [TABLE, "Table"],
    [PARTIAL, "PartialObjectMetadata"],
    [PARTIALS, "PartialObjectMetadata"],
  ] as const) {
    const path = `${configMaps}?watch=true&fieldSelector=metadata.name%3Done`;
    const message = await subject.open("GET", path, { headers: { accept } });
    for await (const line of createInterface({ input: message })) {
      const event = JSON.parse(line) as { type: string; object: { kind: string } };
      assert.deepEqual([event.type, event.object.kind], ["ADDED", kind], accept);
      break;
    }
    message.destroy();
  }
});

void test("a bookmark is told in the shape that was asked for", async () => {
  const query =
    "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&fieldSelector=metadata.name%3Dnone";
  for (const [accept, kind] of [
    ["application/json", "ConfigMap"],
    [TABLE, "Table"],
    [PARTIAL, "PartialObjectMetadata"],
  ] as const) {
    const message = await subject.open("GET", `${configMaps}?${query}`, { headers: { accept } });
    for await (const line of createInterface({ input: message })) {
      const event = JSON.parse(line) as { type: string; object: { kind: string } };
      assert.deepEqual([event.type, event.object.kind], ["BOOKMARK", kind], line);
      break;
    }
    message.destroy();
  }
});

void test("methods that mean nothing answer 405, unknown paths 404: as a Status where a group is served, else as text", async () => {
  for (const [method, path] of [
    ["PUT", configMaps],
    ["POST", one],
    ["OPTIONS", configMaps],
    ["TRACE", configMaps],
    ["POST", "/api/v1"],
    ["DELETE", "/api/v1/namespaces"],
  ] as const) {
    const { code, body } = await subject.ask(method, path);
    assert.deepEqual(
      [code, body.reason, body.message, body.details],
      [405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}],
      `${method} ${path}`,
    );
  }
  assert.equal((await subject.ask("HEAD", one)).code, 405);
  assert.equal((await subject.ask("HEAD", "/apis")).code, 200);
  for (const path of [
    "/api/v1/things",
    "/api/v2",
    "/apis/discovery.k8s.io/v1/things",
    "/apis/discovery.k8s.io/v2/things",
    "/api/v1/namespaces/default/nodes/x",
    `${one}/status`,
    `${one}/b/c`,
  ]) {
    const { code, body } = await subject.ask("GET", path);
    assert.deepEqual(
      [code, body?.reason, body?.message, body?.details],
      [404, "NotFound", "the server could not find the requested resource", {}],
      path,
    );
  }
  for (const path of ["/nothing", "/apis/nothing", "/apis/nothing/v1", "/apis/nothing/v1/things", "/openapi"]) {
    const { code, text, headers } = await subject.ask("GET", path);
    assert.deepEqual([code, text, headers["content-type"]], [404, "404 page not found\n", "text/plain; charset=utf-8"]);
  }
});

void test("every answer has an id, the client's own when it sent one; none has headers for other origins", async () => {
  for (const path of [one, "/nothing", "/version", `${configMaps}/none`]) {
    const { headers } = await subject.ask("GET", path, undefined, { headers: { origin: "https://example.com" } });
    assert.match(
      headers["audit-id"] as string,
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    assert.equal(headers["access-control-allow-origin"], undefined);
    assert.equal(headers["cache-control"], "no-cache, private");
    assert.ok(headers.date !== undefined);
  }
  const { headers } = await subject.ask("GET", one, undefined, { headers: { "audit-id": "mine" } });
  assert.equal(headers["audit-id"], "mine");
});

void test("health: one word, a check by its name, all checks with verbose, and exclusions", async () => {
  for (const path of [
    "/healthz",
    "/livez",
    "/readyz",
    "/livez/ping",
    "/readyz/ping",
    "/healthz/etcd",
    "/readyz/shutdown",
  ]) {
    const { code, text, headers } = await subject.ask("GET", path);
    assert.deepEqual([code, text, headers["content-type"]], [200, "ok", "text/plain; charset=utf-8"], path);
  }
  for (const path of ["/healthz/nothing", "/livez/shutdown", "/livez/"]) {
    assert.equal((await subject.ask("GET", path)).code, 404, path);
  }
  assert.equal((await subject.ask("HEAD", "/healthz")).code, 200);
  const verbose = (await subject.ask("GET", "/readyz?verbose&exclude=etcd&exclude=nothing")).text;
  assert.match(verbose, /^\[\+\]ping ok\n\[\+\]log ok\n\[\+\]etcd excluded: ok\n/);
  assert.match(
    verbose,
    /\n\[\+\]shutdown ok\nwarn: some health checks cannot be excluded: no matches for "nothing"\nreadyz check passed\n$/,
  );
  assert.match((await subject.ask("GET", "/livez?verbose")).text, /\[\+\]etcd ok\n[^]*livez check passed\n$/);
});
