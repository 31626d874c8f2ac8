import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { startBackends, type Backends } from "./lab/backends.ts";
import { createCertificate } from "./lab/certificates.ts";
import { answerTo, ask, begin, openRaw, openWebSocket, said } from "./lab/clients.ts";

/** The pods themselves, without a door: what a test of a door takes for granted. */
let lab: Backends;
before(async () => void (lab = await startBackends()));
after(async () => lab.end());

const at = (pod: { address: string; port: number }) => ({ address: pod.address, port: pod.port, tls: false });

void test("a pod tells who it is and what it saw, byte for byte", async () => {
  const pod = await lab.pod();
  const { seen, status } = await ask(at(pod), {
    path: "/a%2Fb//./c?x=%20",
    method: "POST",
    headers: { "X-Odd": "1" },
    body: "hello",
  });
  assert.equal(status, 200);
  assert.deepEqual([seen.pod, seen.uid, seen.target, seen.length], [pod.name, pod.uid, "/a%2Fb//./c?x=%20", 5]);
  assert.ok(seen.headers.some(([name, value]) => name === "X-Odd" && value === "1"));
  assert.equal(seen.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
});

void test("a pod answers as it is told to", async () => {
  const pod = await lab.pod();
  const place = at(pod);
  assert.equal((await ask(place, { how: { status: 404, body: "no" } })).text, "no");
  assert.equal((await ask(place, { how: { bytes: 200_000 } })).body.length, 200_000);
  assert.deepEqual((await ask(place, { how: { early: [{ link: "</a.css>; rel=preload" }] } })).hints, [
    "</a.css>; rel=preload",
  ]);
  assert.deepEqual({ ...(await ask(place, { how: { trailers: { "x-end": "yes" } } })).trailers }, { "x-end": "yes" });
  await assert.rejects(ask(place, { how: { reset: "before" } }), /ECONNRESET/);
  await assert.rejects(ask(place, { how: { reset: "in-head" } }), /ECONNRESET|socket hang up/);
  await assert.rejects(ask(place, { how: { reset: "in-body" } }), /aborted|ECONNRESET/);
  assert.equal((await ask(place, { how: { reset: "before", pods: ["another"] } })).status, 200);
  const echo = await ask(place, { how: { echo: true }, method: "POST", body: "to and fro" });
  assert.equal(echo.text, "to and fro");
});

void test("what is held waits until it is released, and who goes before is seen", async () => {
  const pod = await lab.pod();
  const held = ask(at(pod), { path: "/held", how: { hold: "gate" } });
  await lab.sees("/held");
  const gone = begin(at(pod), { path: "/gone", how: { hold: "never" } });
  gone.on("error", () => undefined);
  gone.end();
  await lab.sees("/gone");
  gone.destroy();
  await lab.sees("/gone", ({ outcome }) => outcome === "aborted");
  await lab.release("gate");
  assert.equal((await held).status, 200);
  await lab.sees("/held", ({ outcome }) => outcome === "ended");
});

void test("a pod that ends finishes what is under way; its address may be another's then", async () => {
  const pod = await lab.pod();
  const request = begin(at(pod), { path: "/last", how: { hold: "last" } });
  const answered = answerTo(request);
  request.end();
  await lab.sees("/last");
  const ended = pod.end();
  await until("connections to be refused", async () => {
    const error = await ask(at(pod)).catch((reason: unknown) => reason as NodeJS.ErrnoException);
    return error instanceof Error && error.code === "ECONNREFUSED";
  });
  await lab.release("last");
  assert.equal((await answered).status, 200);
  await ended;
  const heir = await lab.pod({ address: pod.address });
  assert.equal((await ask(at(pod))).seen.uid, heir.uid);
});

void test("WebSocket, bare upgrade with half close, and refusal", async () => {
  const pod = await lab.pod();
  const socket = await openWebSocket(at(pod), {});
  assert.equal(await said(socket, "who"), pod.name);
  assert.equal(await said(socket, "x".repeat(1 << 20)), "x".repeat(1 << 20));
  socket.terminate();
  await assert.rejects(openWebSocket(at(pod), { how: { upgrade: "refused", status: 401 } }), /refused with 401/);
  const raw = await openRaw(at(pod));
  raw.write(
    'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: bare\r\nx-do: {"upgrade":"bare"}\r\n\r\nhello',
  );
  await raw.has("hello");
  raw.socket.end();
  assert.match(await raw.over(), /hellobye from /);
});

void test("a pod with TLS says what name it was asked for", async () => {
  const { certificate, key } = await createCertificate(["pod.test"]);
  const pod = await lab.pod({ protocol: "https", certificate, key });
  const { seen } = await ask({ ...at(pod), tls: true }, { host: "pod.test" });
  assert.equal(seen.serverName, "pod.test");
});
