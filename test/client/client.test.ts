import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { before, test } from "node:test";
import type { Client } from "../../src/client/client.ts";
import { createClient } from "../../src/client/connect.ts";
import type { Connection } from "../../src/client/connection.ts";
import { configMaps, nodes } from "../../src/api/resources.ts";
import { ApiError, isApiError } from "../../src/api/status.ts";
import type { Certificates } from "./certificates.ts";
import { makeCertificates } from "./certificates.ts";
import { FakeServer, refuse } from "./fake-server.ts";
import { manualClock, until } from "./waiting.ts";

let certificates: Certificates;
before(async () => {
  certificates = await makeCertificates();
});

async function served(
  t: TestContext,
  connection: Partial<Connection> = {},
  at: { path?: string } = {},
): Promise<{ server: FakeServer; client: Client }> {
  const server = new FakeServer(certificates);
  await server.start(at);
  const client = createClient({ server: server.url, ca: certificates.ca, ...connection });
  t.after(async () => {
    client.close();
    await server.stop();
  });
  return { server, client };
}

test("requests name the path, query, media type, token and body that the API wants", async (t) => {
  const { server, client } = await served(t, { token: () => "secret", userAgent: "fairlead-test" });
  const seen: string[] = [];
  for (let count = 0; count < 7; count += 1) {
    server.listFaults.push((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        seen.push(`${request.method ?? ""} ${request.url ?? ""} ${request.headers["content-type"] ?? "-"} ${body}`);
        response.end('{"kind":"ConfigMap","metadata":{}}');
      });
      assert.equal(request.headers.authorization, "Bearer secret");
      assert.equal(request.headers["user-agent"], "fairlead-test");
      return true;
    });
  }
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "x", name: "y" } };
  await client.get(configMaps, { namespace: "x", name: "y" });
  await client.create(configMaps, object, { dryRun: true, fieldManager: "me" });
  await client.update(configMaps, object);
  await client.updateStatus(nodes, { apiVersion: "v1", kind: "Node", metadata: { name: "n" } });
  await client.patch(configMaps, { namespace: "x", name: "y" }, "merge", { a: 1 });
  await client.patch(nodes, { name: "n" }, "strategic", {}, { subresource: "status" });
  await client.delete(configMaps, { namespace: "x", name: "y" }, { preconditions: { uid: "u" } });
  const json = JSON.stringify(object);
  assert.deepEqual(seen, [
    "GET /api/v1/namespaces/x/configmaps/y - ",
    `POST /api/v1/namespaces/x/configmaps?dryRun=All&fieldManager=me application/json ${json}`,
    `PUT /api/v1/namespaces/x/configmaps/y application/json ${json}`,
    'PUT /api/v1/nodes/n/status application/json {"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}',
    'PATCH /api/v1/namespaces/x/configmaps/y application/merge-patch+json {"a":1}',
    "PATCH /api/v1/nodes/n/status application/strategic-merge-patch+json {}",
    'DELETE /api/v1/namespaces/x/configmaps/y application/json {"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u"}}',
  ]);
  assert.equal(server.connections, 1, "all went over one kept connection");
});

test("what the server refused is an ApiError, also when it is said as text; what broke on the way is not", async (t) => {
  const { server, client } = await served(t);
  server.listFaults.push(
    (_request, response) => (refuse(response, 409, "Conflict"), true),
    (_request, response) => (response.writeHead(503), response.end("try later"), true),
    (request) => (request.socket.destroy(), true),
    (_request, response) => (response.end("{"), true),
  );
  await assert.rejects(client.list(configMaps), (error) => isApiError(error, "Conflict"));
  await assert.rejects(
    client.list(configMaps),
    (error) => isApiError(error, "ServiceUnavailable") && /answered 503: try later/.test(error.message),
  );
  await assert.rejects(
    client.raw("POST", "/x", {}),
    (error) => !(error instanceof ApiError) && error instanceof Error && /POST https:.*\/x: /.test(error.message),
  );
  await assert.rejects(
    client.list(configMaps),
    (error) => error instanceof Error && error.cause instanceof SyntaxError,
  );
});

test("a read over a kept connection which the server has closed is sent again; a write is not", async (t) => {
  const { server, client } = await served(t);
  await client.list(configMaps);
  server.listFaults.push((request) => (request.socket.destroy(), true));
  await client.list(configMaps);
  server.listFaults.push((request) => (request.socket.destroy(), true));
  await assert.rejects(client.raw("POST", "/x", {}), /POST/);
  assert.equal(server.requests.length, 4);
});

test("a request without a whole answer within the deadline is given up", async (t) => {
  const clock = manualClock();
  const { server, client } = await served(t, { clock, deadline: 5000 });
  server.listFaults.push(() => true);
  const answer = assert.rejects(client.list(configMaps), /no whole answer within 5000 ms/);
  await until("the server has the request", () => server.requests.length === 1);
  clock.advance(5001);
  await answer;
});

test("an aborted request rejects and its connection is closed", async (t) => {
  const { server, client } = await served(t);
  let closed = false;
  server.listFaults.push((request) => (request.socket.on("close", () => (closed = true)), true));
  const aborting = new AbortController();
  const answer = assert.rejects(client.list(configMaps, {}, aborting.signal), /given up/);
  await until("the server has the request", () => server.requests.length === 1);
  aborting.abort();
  await answer;
  await until("the server sees the connection closed", () => closed);
});

test("TLS: a new connection resumes the session; a wrong authority or name is refused", async (t) => {
  const { server, client } = await served(t);
  await client.list(configMaps);
  server.listFaults.push((_request, response) => {
    response.setHeader("connection", "close");
    return false;
  });
  await client.list(configMaps);
  await client.list(configMaps);
  assert.deepEqual([server.connections, server.sessionsReused], [2, 1]);

  const other = createClient({ server: server.url, ca: (await makeCertificates()).ca });
  await assert.rejects(other.list(configMaps), /certificate/);
  const misnamed = createClient({ server: server.url, ca: certificates.ca, serverName: "elsewhere.example" });
  await assert.rejects(misnamed.list(configMaps), /elsewhere\.example/);
  const address = createClient({ server: `https://127.0.0.1:${server.port}`, ca: certificates.ca });
  assert.equal((await address.list(configMaps)).kind, "ConfigMapList");
  address.close();
});

test("TLS over a Unix socket checks the certificate against the host of the URL", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-client-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "api.sock");
  const { server, client } = await served(t, { server: "https://127.0.0.1:6443", socketPath: path }, { path });
  server.put("a", "1");
  assert.equal((await client.list(configMaps)).items.length, 1);
  const misnamed = createClient({ server: "https://elsewhere.example", ca: certificates.ca, socketPath: path });
  await assert.rejects(misnamed.list(configMaps), /elsewhere\.example/);
});

test("a path is never built without a name or a namespace it needs", async (t) => {
  const { client } = await served(t);
  await assert.rejects(client.get(configMaps, { name: "x" }), /needs metadata\.namespace/);
  await assert.rejects(client.delete(nodes, { name: "" }), /needs metadata\.name/);
});
