import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { test, type TestContext } from "node:test";
import { Server as GrpcServer, ServerCredentials, status } from "@grpc/grpc-js";
import type { Container, Probe } from "../../api/generated/types.ts";
import type { Execution } from "../runtimes/runtime.ts";
import { makeCertificates } from "../../../test/client/certificates.ts";
import { attempt } from "./attempt.ts";
import { healthRequest, healthStatus } from "./health-message.ts";
import type { ProbeResult } from "./result.ts";

const never = new AbortController().signal;

const ask = (probe: Probe, container: Partial<Container> = {}, exec?: () => Promise<Execution>): Promise<ProbeResult> =>
  attempt(
    // Long enough on a busy machine, where only the answer is looked at.
    { timeoutSeconds: 20, ...probe },
    {
      podIP: "127.0.0.1",
      container: { name: "c", ...container },
      exec: exec ?? (() => Promise.reject(new Error("no command is expected"))),
    },
    never,
  );

async function listening(
  t: TestContext,
  server: Server | SecureServer | ReturnType<typeof createTcpServer>,
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
const http = (t: TestContext, answer: RequestListener): Promise<number> => listening(t, createServer(answer));

void test("CTL-105: httpGet passes from 200 to 399 and fails otherwise", async (t) => {
  const port = await http(t, (request, response) => {
    response.statusCode = Number(request.url?.slice(1));
    response.end();
  });
  const at = (path: string): Promise<ProbeResult> => ask({ httpGet: { port, path } });
  assert.deepEqual(await at("/200"), { ok: true, message: "HTTP probe failed with statuscode: 200" });
  assert.equal((await at("204")).ok, true, "a path without its slash");
  assert.equal((await at("/304")).warning, true);
  assert.deepEqual(await at("/400"), { ok: false, message: "HTTP probe failed with statuscode: 400" });
  assert.equal((await at("/503")).ok, false);
});

void test("CTL-105: httpGet follows redirects on its host, up to ten; one to another host passes with a warning", async (t) => {
  const port = await http(t, ({ url = "" }, response) => {
    const to = (location: string): void => void response.writeHead(302, { location });
    if (url === "/elsewhere") to("http://127.0.0.2/never-asked");
    else if (url === "/near") to("/good?x=1");
    else if (url === "/bad") to("/gone");
    else if (url === "/gone") response.statusCode = 500;
    else if (/^\/\d+$/.test(url)) to(url === "/0" ? "/good" : `/${Number(url.slice(1)) - 1}`);
    response.end();
  });
  const at = (path: string): Promise<ProbeResult> => ask({ httpGet: { port, path } });
  const elsewhere = await at("/elsewhere");
  assert.deepEqual([elsewhere.ok, elsewhere.warning], [true, true]);
  assert.match(elsewhere.message, /127\.0\.0\.2/);
  assert.deepEqual([(await at("/near")).ok, (await at("/near")).warning], [true, undefined]);
  assert.equal((await at("/bad")).ok, false);
  assert.equal((await at("/9")).ok, true, "ten are followed");
  assert.match((await at("/10")).message, /stopped after 10 redirects/);
});

void test("CTL-105: httpGet with scheme HTTPS does not verify who answers", async (t) => {
  const { cert, key } = await makeCertificates();
  const port = await listening(
    t,
    createSecureServer({ cert, key }, (_, response) => response.end()),
  );
  assert.equal((await ask({ httpGet: { port, scheme: "HTTPS" } })).ok, true);
  assert.equal((await ask({ httpGet: { port } })).ok, false);
});

void test("CTL-105: httpGet goes to the pod's address or `host`, with the headers given", async (t) => {
  const seen: IncomingMessage["headers"][] = [];
  const port = await http(t, (request, response) => {
    seen.push(request.headers);
    response.end();
  });
  await ask({ httpGet: { port } });
  const httpHeaders = [
    { name: "X-A", value: "1" },
    { name: "x-a", value: "2" },
    { name: "Host", value: "web.example" },
    { name: "Accept", value: "" },
  ];
  await ask({ httpGet: { port, httpHeaders } });
  assert.deepEqual(
    seen.map((headers) => [headers.host, headers["user-agent"], headers.accept, headers["x-a"]]),
    [
      [`127.0.0.1:${port}`, "kube-probe/1.36", "*/*", undefined],
      ["web.example", "kube-probe/1.36", undefined, "1, 2"],
    ],
  );
  const other = await ask({ httpGet: { port, host: "127.0.0.9" } });
  assert.match(other.message, /ECONNREFUSED 127\.0\.0\.9/);
});

void test("CTL-105: a port by its name, and a name that the container does not have", async (t) => {
  const port = await http(t, (_, response) => response.end());
  const container = { ports: [{ name: "web", containerPort: port }] };
  assert.equal((await ask({ httpGet: { port: "web" } }, container)).ok, true);
  assert.equal((await ask({ tcpSocket: { port: "web" } }, container)).ok, true);
  assert.match((await ask({ tcpSocket: { port: "other" } }, container)).message, /has no port named "other"/);
});

void test("CTL-105: tcpSocket passes when it can connect", async (t) => {
  const port = await listening(t, createTcpServer());
  assert.equal((await ask({ tcpSocket: { port } })).ok, true);
  assert.match((await ask({ tcpSocket: { port, host: "127.0.0.9" } })).message, /ECONNREFUSED/);
});

void test("CTL-103: what does not answer within timeoutSeconds has failed, and says what was asked", async (t) => {
  const port = await listening(t, createTcpServer());
  const { ok, message } = await ask({ httpGet: { port, path: "/x" }, timeoutSeconds: 1 });
  assert.equal(ok, false);
  assert.equal(message, `timeout: httpGet HTTP /x at port ${port} did not answer within 1 s`);
});

void test("CTL-105: exec passes with exit code 0; a command that does not end in time is killed", async () => {
  const execution = (ended: Promise<number>, kill = (): void => {}): Execution => {
    const stderr = new PassThrough();
    stderr.end("it said so");
    return { stdout: new PassThrough(), stderr, ended, kill };
  };
  const probe = { exec: { command: ["check"] } };
  assert.equal((await ask(probe, {}, () => Promise.resolve(execution(Promise.resolve(0))))).ok, true);
  const failed = await ask(probe, {}, async () => execution(new Promise((resolve) => setTimeout(resolve, 20, 3))));
  assert.deepEqual(failed, { ok: false, message: "it said so" });
  let kills = 0;
  const hangs = execution(new Promise(() => {}), () => (kills += 1));
  const late = await ask({ ...probe, timeoutSeconds: 1 }, {}, () => Promise.resolve(hangs));
  assert.deepEqual([late.ok, kills], [false, 1]);
  assert.match(late.message, /command \["check"\] did not answer within 1 s/);
});

const HEALTH = {
  Check: {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false as const,
    responseStream: false as const,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
};

void test("CTL-105: grpc passes when the health service says SERVING", async (t) => {
  const server = new GrpcServer();
  const asked: string[] = [];
  server.addService(HEALTH, {
    Check(call: { request: Buffer }, answer: (error: object | null, reply?: Buffer) => void) {
      const service = call.request.subarray(2).toString();
      asked.push(service);
      if (service === "unknown") answer({ code: status.NOT_FOUND, details: "no such service" });
      else answer(null, Buffer.from([8, service === "bad" ? 2 : 1]));
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  t.after(() => server.forceShutdown());
  const check = (service?: string): Promise<ProbeResult> => ask({ grpc: { port, service } });
  assert.deepEqual(await check(), { ok: true, message: "service healthy" });
  assert.equal((await check("bad")).message, 'service unhealthy (responded with "NOT_SERVING")');
  assert.match((await check("unknown")).message, /grpc-status 5: no such service/);
  assert.deepEqual(asked, ["", "bad", "unknown"]);
  server.removeService(HEALTH);
  assert.match((await check()).message, /does not implement the grpc health protocol/);
});

void test("CTL-105: grpc at a port of something else, and at one where nobody listens", async (t) => {
  const port = await http(t, (_, response) => response.end("hello"));
  const { ok, message } = await ask({ grpc: { port } });
  assert.equal(ok, false);
  assert.notEqual(message, "");
  const free = await listening(t, createTcpServer());
  assert.match(
    (await ask({ grpc: { port: free }, timeoutSeconds: 1 })).message,
    /grpc health check at port \d+ did not/,
  );
  assert.match((await ask({ grpc: { port: 1 } })).message, /ECONNREFUSED/);
});

void test("health messages: frames of every length, and answers that are none", () => {
  assert.deepEqual([...healthRequest("")], [0, 0, 0, 0, 0]);
  assert.deepEqual([...healthRequest("ab")], [0, 0, 0, 0, 4, 10, 2, 97, 98]);
  assert.deepEqual([...healthRequest("x".repeat(200))].slice(0, 9), [0, 0, 0, 0, 203, 10, 200, 1, 120]);
  const frame = (...message: number[]): Buffer => Buffer.from([0, 0, 0, 0, message.length, ...message]);
  assert.equal(healthStatus(frame()), "UNKNOWN");
  assert.equal(healthStatus(frame(8, 1)), "SERVING");
  assert.equal(healthStatus(frame(18, 1, 97, 8, 3)), "SERVICE_UNKNOWN");
  assert.equal(healthStatus(frame(8, 99)), "99");
  assert.throws(() => healthStatus(frame(8)), /has no end/);
  assert.throws(() => healthStatus(Buffer.from([1, 0, 0, 0, 0])), /no whole, uncompressed message/);
  assert.throws(() => healthStatus(Buffer.from("HTTP/1.1")), /no whole/);
});
