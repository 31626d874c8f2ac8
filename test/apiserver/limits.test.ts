import assert from "node:assert/strict";
import { connect } from "node:tls";
import { after, before, test } from "node:test";
import { memoryStore } from "../../src/store/memory/memory.ts";
import { createAuthority } from "./certificates.ts";
import { createCluster, type Cluster } from "./cluster.ts";

let cluster: Cluster;
before(async () => {
  cluster = await createCluster({
    tokens: [(token) => (token === "good" ? { user: "robot", groups: [] } : undefined)],
  });
});
after(() => cluster.close());

const configMaps = "/api/v1/namespaces/default/configmaps";

/** The server still answers. */
const isUnharmed = async (): Promise<void> => assert.equal((await cluster.ask("GET", "/readyz")).text, "ok");

void test("anonymous sees health and version, nothing else", async () => {
  for (const path of ["/healthz", "/livez", "/readyz", "/version"]) {
    assert.equal((await cluster.ask("GET", path, undefined, { as: "anonymous" })).code, 200, path);
  }
  const refused = await cluster.ask("GET", configMaps, undefined, { as: "anonymous" });
  assert.equal(refused.code, 403);
  assert.equal(refused.body.kind, "Status");
  assert.equal((await cluster.ask("GET", "/api", undefined, { as: "anonymous" })).code, 403);
});

void test("a known token is let in, an unknown one and another authority's certificate answer 401", async () => {
  const bearer = (token: string) => ({ as: "anonymous" as const, headers: { authorization: `Bearer ${token}` } });
  assert.equal((await cluster.ask("GET", configMaps, undefined, bearer("good"))).code, 200);
  assert.equal((await cluster.ask("GET", configMaps, undefined, bearer("bad"))).code, 401);
  const stranger = await (await createAuthority("CN=stranger")).client("O=system:masters, CN=admin");
  assert.equal((await cluster.ask("GET", configMaps, undefined, { as: stranger })).code, 401);
});

void test("a body of more than 3 MiB answers 413", async () => {
  const answer = await cluster.ask("POST", configMaps, {
    metadata: { name: "big" },
    data: { a: "x".repeat(3 * 1024 * 1024) },
  });
  assert.equal(answer.code, 413);
  assert.equal(answer.body.reason, "RequestEntityTooLarge");
  await isUnharmed();
});

const yaml = { headers: { "content-type": "application/yaml" } };

void test("bodies that are broken, too deep or hostile answer 400, and the server is unharmed", async () => {
  const deep = `{"metadata":{"name":"deep"},"x":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
  const bodies: [string, string, object][] = [
    ["not JSON", "{", {}],
    ["not an object", "[1]", {}],
    ["deep JSON", deep, {}],
    ["101 levels", `{"x":${"[".repeat(100)}${"]".repeat(100)}}`, {}],
    ["__proto__", '{"metadata":{"name":"p","labels":{"__proto__":"x"}}}', {}],
    ["broken YAML", "a: [", yaml],
    ["deep YAML", `a: ${"[".repeat(50_000)}`, yaml],
    [
      "alias bomb",
      `a: &a [x,x]\n${"bcdefghijk"
        .split("")
        .map((name, i) => `${name}: &${name} [${`*${"abcdefghij"[i]},`.repeat(9)}]`)
        .join("\n")}`,
      yaml,
    ],
    ["another kind", '{"kind":"Pod","apiVersion":"v1"}', {}],
    ["a wrong type", '{"metadata":{"name":"t"},"data":{"a":1}}', {}],
  ];
  for (const [name, body, options] of bodies) {
    const answer = await cluster.ask("POST", configMaps, body, options);
    assert.equal(answer.code, 400, `${name}: ${answer.text.slice(0, 200)}`);
    assert.equal(answer.body.kind, "Status", name);
  }
  await isUnharmed();
});

void test("YAML is read as YAML 1.1: yes is true, a date stays text", async () => {
  const body = "metadata:\n  name: yaml\nimmutable: yes\ndata:\n  day: 2001-01-01\n";
  const answer = await cluster.ask("POST", configMaps, body, yaml);
  assert.equal(answer.code, 201, answer.text);
  assert.equal(answer.body.immutable, true);
  assert.equal(answer.body.data.day, "2001-01-01");
});

void test("an unknown body type answers 415, an unknown path 404, a wrong method 405, each as Status", async () => {
  const cases: [string, string, number, string][] = [
    ["POST", configMaps, 415, "application/cbor"],
    ["PATCH", `${configMaps}/x`, 415, "application/json"],
    ["GET", "/api/v1/things", 404, ""],
    ["GET", "/api/v1/namespaces/default/nodes/x", 404, ""],
    ["GET", `${configMaps}/x/status`, 404, ""],
    ["PUT", configMaps, 405, ""],
    ["POST", "/api/v1/services", 405, ""],
    ["POST", "/version", 405, ""],
  ];
  for (const [method, path, code, type] of cases) {
    const headers: Record<string, string> = type === "" ? {} : { "content-type": type };
    const answer = await cluster.ask(method, path, method === "GET" ? undefined : "{}", { headers });
    assert.equal(answer.code, code, `${method} ${path}: ${answer.text}`);
    assert.equal(answer.body.kind, "Status", `${method} ${path}`);
  }
  for (const path of ["/apis/nothing/v1/things", "/apis/nothing.example/v1", "/nothing"]) {
    const answer = await cluster.ask("GET", path);
    assert.deepEqual([answer.code, answer.text], [404, "404 page not found\n"], path);
  }
});

void test("URLs and headers without end are refused, and the server is unharmed", async () => {
  assert.equal((await cluster.ask("GET", `${configMaps}?labelSelector=${"a".repeat(20_000)}`)).code, 400);
  const headers = { "x-long": "a".repeat(100_000) };
  const code = await cluster.ask("GET", "/version", undefined, { headers }).then(
    (answer) => answer.code,
    () => 400,
  );
  assert.ok(code >= 400 && code < 500, `answered ${code}`);
  assert.equal((await cluster.ask("GET", "/api/v1/namespaces/%ZZ/pods")).code, 400);
  await isUnharmed();
});

void test("a client that speaks no HTTP harms nobody", async () => {
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: cluster.port, ca: cluster.ca }, () =>
      socket.write("\u0000\u0001nonsense\r\n\r\n"),
    );
    socket.on("close", () => resolve());
    socket.on("error", reject);
    socket.resume();
  });
  await isUnharmed();
});

void test("what nobody expected answers 500 as Status and the server goes on", async () => {
  const broken = await createCluster({
    claims: {
      claim: async ({ next }) => {
        if (next?.metadata.name === "explode") throw new TypeError("no such thing");
        return { object: next, conditions: [], operations: [] };
      },
    },
  });
  try {
    const answer = await broken.ask("POST", configMaps, { metadata: { name: "explode" } });
    assert.equal(answer.code, 500);
    assert.equal(answer.body.reason, "InternalError");
    assert.equal((await broken.ask("POST", configMaps, { metadata: { name: "calm" } })).code, 201);
  } finally {
    await broken.close();
  }
});

void test("requests beyond what may be under way answer 429 with when to come again; administrators and health are let in", async () => {
  const busy = await createCluster({
    inFlight: { reading: 0, writing: 0 },
    tokens: [(token) => (token === "good" ? { user: "robot", groups: [] } : undefined)],
  });
  try {
    const headers = { authorization: "Bearer good" };
    for (const [method, path, body] of [
      ["GET", configMaps, undefined],
      ["POST", configMaps, { metadata: { name: "x" } }],
    ] as const) {
      const { code, body: said, headers: told } = await busy.ask(method, path, body, { as: "anonymous", headers });
      assert.deepEqual([code, said.reason, said.details.retryAfterSeconds], [429, "TooManyRequests", 1]);
      assert.equal(told["retry-after"], "1");
    }
    assert.equal((await busy.ask("GET", "/readyz", undefined, { as: "anonymous", headers })).code, 200);
    assert.equal((await busy.ask("GET", configMaps)).code, 200);
  } finally {
    await busy.close();
  }
});

void test("health fails while the store does, and keeps why to itself", async () => {
  const inner = memoryStore();
  let isBroken = false;
  const store = new Proxy(inner, {
    get: (target, name: keyof typeof inner) => {
      if (name === "revision" && isBroken)
        return () => Promise.reject(new Error("the disk of the secret project is full"));
      const member = target[name];
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const ailing = await createCluster({ store });
  try {
    assert.equal((await ailing.ask("GET", "/readyz")).text, "ok");
    isBroken = true;
    for (const path of ["/readyz", "/livez", "/healthz"]) {
      const { code, text } = await ailing.ask("GET", path, undefined, { as: "anonymous" });
      assert.equal(code, 500, path);
      assert.match(text, /^\[\+\]ping ok\n\[\+\]log ok\n\[-\]etcd failed: reason withheld\n[^]* check failed\n$/);
    }
    assert.equal((await ailing.ask("GET", "/livez/ping")).code, 200);
    assert.equal((await ailing.ask("GET", "/livez/etcd")).code, 500);
    assert.equal((await ailing.ask("GET", "/livez?exclude=etcd")).text, "ok");
  } finally {
    isBroken = false;
    await ailing.close();
  }
});
