import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createSecureServer, request as httpsRequest, type Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { clusterScene, NODE, POD_IP, type ClusterScene } from "./scene.ts";

let scene: ClusterScene;
let server: Server;
let secure: SecureServer;
const portOf = (of: Server | SecureServer): number => (of.address() as AddressInfo).port;
const SERVICES = "/api/v1/namespaces/default/services";

const PAGE = '<html><a href="/x">x</a><a href="y">y</a><img src="http://elsewhere/i.png"></html>';

async function echo(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body });
}

before(async () => {
  scene = await clusterScene();
  server = createServer((request, answer) => {
    if (request.url === "/page") {
      const body = gzipSync(PAGE);
      answer.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-encoding": "gzip" }).end(body);
    } else if (request.url === "/moved") {
      answer.writeHead(302, { location: "/elsewhere", connection: "keep-alive" }).end();
    } else if (request.url === "/teapot") {
      answer.writeHead(418, { "x-own": ["a", "b"] }).end("short and stout");
    } else void echo(request).then((text) => answer.writeHead(200, { "content-type": "application/json" }).end(text));
  });
  server.on("upgrade", (request, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`,
    );
    socket.on("data", (chunk: Buffer) => socket.end(`echo ${chunk.toString()}`));
  });
  secure = createSecureServer({ ...scene.cluster.serverPair }, (_, answer) => answer.end("secure"));
  for (const each of [server, secure]) await new Promise<void>((resolve) => each.listen(0, "127.0.0.1", resolve));

  const ask = (method: string, path: string, body: unknown) => scene.cluster.ask(method, path, body);
  const spec = {
    ports: [
      { name: "http", port: 80 },
      { name: "https", port: 443 },
      { name: "dead", port: 9 },
    ],
  };
  const made = [await ask("POST", SERVICES, { metadata: { name: "web" }, spec })];
  made.push(await ask("POST", SERVICES, { metadata: { name: "single" }, spec: { ports: [{ port: 80 }] } }));
  made.push(await ask("POST", SERVICES, { metadata: { name: "none" }, spec: { ports: [{ port: 80 }] } }));
  const targetRef = { kind: "Pod", name: "talker", namespace: "default" };
  const endpoints = (name: string, subsets: unknown) =>
    ask("POST", "/api/v1/namespaces/default/endpoints", { metadata: { name }, subsets });
  const addresses = [{ ip: POD_IP, targetRef, nodeName: NODE }];
  made.push(
    await endpoints("web", [
      {
        addresses,
        ports: [
          { name: "http", port: portOf(server) },
          { name: "https", port: portOf(secure) },
        ],
      },
      { addresses, ports: [{ name: "dead", port: 1 }] },
    ]),
    await endpoints("single", [{ addresses, ports: [{ port: portOf(server) }] }]),
    await endpoints("none", [
      { addresses: [{ ip: "10.9.9.9" }, { ip: "10.9.9.8", targetRef }], ports: [{ port: portOf(server) }] },
      { notReadyAddresses: addresses, ports: [{ port: portOf(server) }] },
    ]),
  );
  for (const { code, text } of made) assert.equal(code, 201, text);
});
after(async () => {
  server.close();
  secure.close();
  await scene.close();
});

const get = (path: string, options = {}) => scene.cluster.ask("GET", SERVICES + path, undefined, options);

for (const [name, of] of [
  ["single", "a name alone is the port without a name"],
  ["web:http", "a port by its name"],
  ["web:80", "a port by the Service's number"],
  ["http:web:80", "with a scheme"],
] as const) {
  void test(`SVC-204: ${name}: ${of}`, async () => {
    const { code, body, text } = await get(`/${name}/proxy/x/y%2Fz?a=b&c`);
    assert.equal(code, 200, text);
    assert.equal(body.url, "/x/y%2Fz?a=b&c");
  });
}

void test("SVC-204: https:web:443 and https:web:https speak TLS to the pod; https:single: is the port without a name", async () => {
  assert.equal((await get("/https:web:443/proxy/")).text, "secure");
  assert.equal((await get("/https:web:https/proxy/")).text, "secure");
  const { code, body } = await get("/https:single:/proxy/");
  assert.equal(code, 503);
  assert.match(body.message, /error trying to reach service/);
});

void test("SVC-204: what is no such form is a bad request", async () => {
  for (const name of ["ftp:web:80", "a:b:c:d", "%3A80"]) {
    const { code, body } = await get(`/${name}/proxy/`);
    assert.equal(code, 400);
    assert.equal(body.message, `invalid service request ${JSON.stringify(decodeURIComponent(name))}`);
  }
});

void test("SVC-205: a number that is no port of the Service answers 503, also a pod's own", async () => {
  const { code, body } = await get(`/web:${portOf(server)}/proxy/`);
  assert.equal(code, 503);
  assert.equal(body.reason, "ServiceUnavailable");
  assert.equal(body.message, `no service port ${portOf(server)} found for service "web"`);
  assert.equal((await get("/nowhere:80/proxy/")).code, 404);
});

void test("SVC-206: without a port a Service of several ports has none that is meant", async () => {
  const { code, body } = await get("/web/proxy/");
  assert.equal(code, 503);
  assert.equal(body.message, 'no endpoints available for service "web"');
});

void test("SVC-207, SVC-208: addresses that are no pod's of the namespace, moved or not ready, are never used", async () => {
  const { code, body } = await get("/none/proxy/");
  assert.equal(code, 503);
  assert.equal(body.message, 'no endpoints available for service "none"');
  assert.equal((await get("/nowhere/proxy/")).code, 404);
});

void test("SVC-209: method, body, query and headers go on, without what names the client", async () => {
  const headers = { "x-own": "1", authorization: "", "content-type": "text/plain" };
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    const { body } = await scene.cluster.ask(method, `${SERVICES}/single/proxy/thing`, "hello", { headers });
    assert.deepEqual([body.method, body.url, body.body], [method, "/thing", "hello"]);
    assert.equal(body.headers["x-own"], "1");
    assert.equal(body.headers.authorization, undefined);
    assert.equal(body.headers.host, `${POD_IP}:${portOf(server)}`);
    assert.equal(body.headers["x-forwarded-uri"], `${SERVICES}/single/proxy/thing`);
  }
  const teapot = await get("/single/proxy/teapot");
  assert.deepEqual([teapot.code, teapot.text, teapot.headers["x-own"]], [418, "short and stout", "a, b"]);
});

void test("SVC-209: absolute links in a page and in Location come to lead through the proxy", async () => {
  const page = await get("/single/proxy/page");
  assert.equal(
    page.text,
    PAGE.replace('"/x"', `"${SERVICES}/single/proxy/x"`),
    "relative links and those of other hosts stay",
  );
  assert.equal(page.headers["content-encoding"], undefined);
  const moved = await get("/single/proxy/moved");
  assert.equal(moved.code, 302);
  assert.equal(moved.headers.location, `${SERVICES}/single/proxy/elsewhere`);
});

void test("SVC-209: a connection that asks for another protocol becomes one to the pod", async () => {
  const { port, ca, admin } = scene.cluster;
  const text = await new Promise<string>((resolve, reject) => {
    const asked = httpsRequest({
      host: "127.0.0.1",
      port,
      ca,
      ...admin,
      agent: false,
      path: `${SERVICES}/single/proxy/socket`,
      headers: { connection: "Upgrade", upgrade: "own-protocol" },
    });
    asked.on("error", reject);
    asked.on("response", (answer) => reject(new Error(`answered ${answer.statusCode}`)));
    asked.on("upgrade", (answer, socket) => {
      assert.equal(answer.headers.upgrade, "own-protocol");
      let heard = "";
      socket.on("data", (chunk: Buffer) => (heard += chunk.toString()));
      socket.on("end", () => resolve(heard));
      socket.on("error", reject);
      socket.write("hello");
    });
    asked.end();
  });
  assert.equal(text, "echo hello");
});

void test("SVC-210: GET and HEAD without a slash at the end are sent to where relative links work", async () => {
  for (const method of ["GET", "HEAD"]) {
    const { code, headers } = await scene.cluster.ask(method, `${SERVICES}/single/proxy?a=b`);
    assert.equal(code, 301);
    assert.equal(headers.location, `${SERVICES}/single/proxy/?a=b`);
  }
  assert.equal((await scene.cluster.ask("POST", `${SERVICES}/single/proxy`, "x")).body.url, "/");
});

void test("SVC-211: pods have the same proxy: their first declared port, or one said by number, ready or not", async () => {
  const pods = "/api/v1/namespaces/default/pods";
  const { code, body, text } = await scene.cluster.ask("GET", `${pods}/talker:${portOf(server)}/proxy/x`);
  assert.equal(code, 200, text);
  assert.equal(body.url, "/x");
  const spec = {
    nodeName: NODE,
    containers: [{ name: "main", image: "none", command: ["true"], ports: [{ containerPort: portOf(server) }] }],
  };
  await scene.cluster.ask("DELETE", `${pods}/talker?gracePeriodSeconds=0`);
  await scene.cluster.ask("POST", pods, { metadata: { name: "talker" }, spec });
  const status = { phase: "Pending", podIP: POD_IP, podIPs: [{ ip: POD_IP }] };
  const merge = { headers: { "content-type": "application/merge-patch+json" } };
  await scene.cluster.ask("PATCH", `${pods}/talker/status`, JSON.stringify({ status }), merge);
  assert.equal((await scene.cluster.ask("GET", `${pods}/talker/proxy/y`)).body.url, "/y");
  assert.equal((await scene.cluster.ask("GET", `${pods}/nobody/proxy/`)).code, 404);
});

void test("a pod that does not answer is told as 503 with the reason", async () => {
  const { code, body } = await get("/web:dead/proxy/");
  assert.equal(code, 503);
  assert.match(body.message, /^error trying to reach service: dial tcp 127\.0\.0\.1:1: connect: connection refused/);
});
