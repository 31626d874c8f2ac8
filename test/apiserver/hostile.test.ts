import assert from "node:assert/strict";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { connect, type TLSSocket } from "node:tls";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { createCluster, type Cluster } from "./cluster.ts";

let cluster: Cluster;
before(async () => {
  cluster = await createCluster();
});
after(() => cluster.close());

const configMaps = "/api/v1/namespaces/default/configmaps";
let count = 0;

/** The server still reads and writes, and quickly. */
async function isUnharmed(): Promise<void> {
  const began = performance.now();
  const { code } = await cluster.ask("POST", configMaps, { metadata: { name: `unharmed-${(count += 1)}` } });
  assert.equal(code, 201);
  assert.ok(performance.now() - began < 2000, "it answers quickly");
}

const raw = (): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const { key, cert } = cluster.admin;
    const socket = connect({ host: "127.0.0.1", port: cluster.port, ca: cluster.ca, key, cert }, () => resolve(socket));
    socket.once("error", reject);
  });

/** Sends these bytes and answers all that comes back until the server closes. */
async function spoken(bytes: string): Promise<string> {
  const socket = await raw();
  let heard = "";
  socket.on("data", (chunk: Buffer) => (heard += chunk.toString()));
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.write(bytes);
  await closed;
  return heard;
}

test("keys of every object, in JSON and in YAML, change nobody's prototype", async () => {
  const yaml = { headers: { "content-type": "application/yaml" } };
  const bodies: [string, object][] = [
    ['{"__proto__":{"polluted":true},"metadata":{"name":"p1"}}', {}],
    ['{"metadata":{"name":"p2"},"data":{"__proto__":"x"}}', {}],
    ["metadata: {name: p3}\n__proto__: {polluted: true}\n", yaml],
    ["metadata: {name: p4, labels: {__proto__: x}}\n", yaml],
  ];
  for (const [body, options] of bodies) {
    const answer = await cluster.ask("POST", configMaps, body, options);
    assert.deepEqual([answer.code, answer.body?.kind], [400, "Status"], `${body}: ${answer.text}`);
  }
  const harmless = '{"metadata":{"name":"p5"},"data":{"constructor":"x","prototype":"y","toString":"z"}}';
  assert.equal((await cluster.ask("POST", configMaps, harmless)).code, 201);
  const read = await cluster.ask("GET", `${configMaps}/p5`);
  assert.deepEqual(read.body.data, { constructor: "x", prototype: "y", toString: "z" });
  const merge = { headers: { "content-type": "application/merge-patch+json" } };
  const patched = await cluster.ask("PATCH", `${configMaps}/p5`, '{"__proto__":{"polluted":true}}', merge);
  assert.equal(patched.code, 400, patched.text);
  const jsonPatch = { headers: { "content-type": "application/json-patch+json" } };
  for (const path of ["/__proto__/polluted", "/constructor/prototype/polluted", "/data/__proto__/polluted"]) {
    const answer = await cluster.ask(
      "PATCH",
      `${configMaps}/p5`,
      JSON.stringify([{ op: "add", path, value: "x" }]),
      jsonPatch,
    );
    assert.ok(answer.code >= 400 && answer.code < 500, `${path}: ${answer.text}`);
    assert.equal(answer.body.kind, "Status", path);
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  await isUnharmed();
});

test("names of every object as kinds, namespaces, fields and selectors are only words", async () => {
  for (const [path, codes] of [
    ["/api/v1/constructor", [404]],
    ["/apis/__proto__/v1/pods", [404]],
    ["/api/v1/namespaces/__proto__/configmaps", [200, 400, 404]],
    [`${configMaps}/constructor`, [404]],
    [`${configMaps}/p5/__proto__`, [404]],
    [`${configMaps}?fieldSelector=__proto__%3Dx`, [400]],
    [`${configMaps}?labelSelector=a%20in%20(`, [400]],
    [`${configMaps}?limit=-1`, [200, 400]],
    [`${configMaps}?continue=nonsense`, [400, 410]],
    [`${configMaps}?resourceVersion=x`, [400]],
    // Upstream has no better answer to it either.
    [`${configMaps}?watch=1&resourceVersion=x`, [500]],
  ] as const) {
    const answer = await cluster.ask("GET", path);
    assert.ok(
      (codes as readonly number[]).includes(answer.code),
      `${path}: ${answer.code} ${answer.text.slice(0, 200)}`,
    );
    if (answer.code >= 400 && !path.startsWith("/apis/")) assert.equal(answer.body.kind, "Status", path);
  }
});

test("patches that are none, and patches without end", async () => {
  await cluster.ask("POST", configMaps, { metadata: { name: "patched" } });
  const cases: [string, string, number[]][] = [
    ["application/json-patch+json", "{}", [400, 422]],
    ["application/json-patch+json", '[{"op":"frobnicate","path":"/a"}]', [400, 422]],
    ["application/json-patch+json", '[{"op":"remove","path":"/nothing"}]', [400, 422]],
    ["application/json-patch+json", '[{"op":"test","path":"/metadata/name","value":"other"}]', [422]],
    ["application/merge-patch+json", "[", [400]],
    ["application/merge-patch+json", "[1]", [400, 422]],
    ["application/strategic-merge-patch+json", '"words"', [400, 422]],
    // Upstream has no better answer to it either.
    ["application/strategic-merge-patch+json", '{"$patch":"frobnicate"}', [500]],
    ["application/merge-patch+json", `{"x":${"[".repeat(150)}${"]".repeat(150)}}`, [400]],
    ["text/plain", "{}", [415]],
  ];
  for (const [type, body, codes] of cases) {
    const answer = await cluster.ask("PATCH", `${configMaps}/patched`, body, { headers: { "content-type": type } });
    assert.ok(codes.includes(answer.code), `${type} ${body.slice(0, 80)}: ${answer.code} ${answer.text.slice(0, 200)}`);
    assert.equal(answer.body.kind, "Status", body.slice(0, 80));
  }
  await isUnharmed();
});

test("YAML of nearly 3 MiB that nests, repeats or refers without end answers 400 or 413 within seconds", async () => {
  const yaml = { headers: { "content-type": "application/yaml" } };
  for (const [name, body] of [
    ["lists in lists", "- ".repeat(200_000)],
    ["spaced brackets", `a: ${"[ ".repeat(100_000)}`],
    ["maps in maps", Array.from({ length: 2000 }, (_, at) => `${" ".repeat(at)}a:`).join("\n")],
    ["lists in lists, a line each", Array.from({ length: 1000 }, (_, at) => `${" ".repeat(at)}- `).join("\n")],
    ["aliases", `a: &a [1]\nb: [${"*a,".repeat(200_000)}]\n`],
  ] as const) {
    const began = performance.now();
    const answer = await cluster.ask("POST", configMaps, body, yaml);
    assert.ok([400, 413].includes(answer.code), `${name}: ${answer.code} ${answer.text.slice(0, 200)}`);
    assert.equal(answer.body.kind, "Status", name);
    assert.ok(performance.now() - began < 10_000, `${name} took ${Math.round(performance.now() - began)} ms`);
  }
  const wide = Array.from({ length: 50_000 }, (_, at) => `  k${at}: "${at}"`).join("\n");
  const began = performance.now();
  const answer = await cluster.ask("POST", configMaps, `metadata: {name: wide}\ndata:\n${wide}\n`, yaml);
  assert.ok(answer.code === 201 || answer.code === 413 || answer.code === 422, answer.text.slice(0, 200));
  assert.ok(performance.now() - began < 10_000, `many keys took ${Math.round(performance.now() - began)} ms`);
  await isUnharmed();
});

test("bodies that stop half way, or never come, hold nobody up", async () => {
  const sockets = await Promise.all(Array.from({ length: 20 }, raw));
  for (const [at, socket] of sockets.entries()) {
    const body =
      at % 2 === 0 ? `content-length: 1000\r\n\r\n{"metadata":` : `transfer-encoding: chunked\r\n\r\n5\r\n{"met`;
    socket.on("error", () => {});
    socket.write(`POST ${configMaps} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${body}`);
  }
  await isUnharmed();
  const before = await cluster.ask("GET", configMaps);
  for (const socket of sockets) socket.destroy();
  await isUnharmed();
  const after = await cluster.ask("GET", configMaps);
  assert.equal(after.body.items.length, before.body.items.length + 1, "nothing was made of half a body");
});

test("a body that comes slowly is read to its end", async () => {
  const socket = await raw();
  let heard = "";
  socket.on("data", (chunk: Buffer) => (heard += chunk.toString()));
  const body = JSON.stringify({ metadata: { name: "slow" } });
  socket.write(
    `POST ${configMaps} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  for (const letter of body) {
    socket.write(letter);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until("the answer", () => heard.includes("\r\n\r\n"));
  assert.match(heard, /^HTTP\/1\.1 201 /);
  socket.destroy();
});

test("HTTP that contradicts itself is refused and the connection closed", async () => {
  for (const bytes of [
    "GET / HTTP/1.1\r\n\r\n",
    "FROB / HTTP/1.1\r\nhost: x\r\n\r\n",
    `POST ${configMaps} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`,
    `POST ${configMaps} HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n{}`,
    `GET /version HTTP/1.1\r\nhost: x\r\n${Array.from({ length: 5000 }, (_, at) => `x-${at}: ${"y".repeat(40)}`).join("\r\n")}\r\n\r\n`,
  ]) {
    assert.match(await spoken(bytes), /^HTTP\/1\.1 4\d\d /, bytes.slice(0, 80));
  }
  await isUnharmed();
});

test("HTTP/2: streams reset half way and a flood of them leave the server unharmed", async () => {
  const { key, cert } = cluster.admin;
  const session: ClientHttp2Session = connectHttp2(`https://127.0.0.1:${cluster.port}`, { ca: cluster.ca, key, cert });
  session.on("error", () => {});
  await new Promise<void>((resolve) => session.once("connect", () => resolve()));
  for (let at = 0; at < 300; at++) {
    const stream = session.request({ ":method": "POST", ":path": configMaps, "content-type": "application/json" });
    stream.on("error", () => {});
    stream.write('{"metadata":');
    stream.close(8);
  }
  await isUnharmed();
  session.destroy();
  await isUnharmed();
});
