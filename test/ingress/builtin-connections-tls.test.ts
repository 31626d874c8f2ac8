import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { createLog } from "../../src/observe/log.ts";
import { until } from "../lab/until.ts";
import { certificate, dial, dialTls, planWith, readAll, stand } from "./builtin/stand.ts";
import { endpoint } from "./exchange-door.ts";

const run = promisify(execFile);
const host = "a.example";
const here = async (): ReturnType<typeof endpoint> =>
  endpoint(createServer((_, outgoing) => void outgoing.end("here")));

const nameOf = (socket: TLSSocket): string =>
  new X509Certificate(socket.getPeerCertificate().raw).subject.replace("CN=", "");

test("CTL-140: the certificate is the one of the name, of its wildcard, or of no name, whatever the case of the name", async () => {
  await using shop = await here();
  const certificates = {
    "": await certificate("", "no-name.example"),
    "a.example": await certificate("shop/a", "a.example"),
    "*.example": await certificate("shop/any", "any.example"),
  };
  await using door = await stand(planWith({ endpoints: [shop.port] }, certificates));
  const asked = async (servername: string | undefined): Promise<string> => {
    const socket = await dialTls(door.port(1), servername === undefined ? {} : { servername });
    const name = nameOf(socket);
    socket.destroy();
    return name;
  };
  assert.equal(await asked("a.example"), "a.example");
  assert.equal(await asked("A.Example"), "a.example");
  assert.equal(await asked("b.example"), "any.example");
  assert.equal(await asked("c.b.example"), "no-name.example");
  assert.equal(await asked("example"), "no-name.example");
  assert.equal(await asked("unknown.test"), "no-name.example");
  assert.equal(await asked(undefined), "no-name.example");
});

test("ALPN chooses HTTP/2 or HTTP/1.1, TLS 1.2 and 1.3 are spoken, and 1.1 is not", async () => {
  await using shop = await here();
  await using door = await stand(planWith({ endpoints: [shop.port] }, { "": await certificate("", host) }));
  const port = door.port(1);
  const curl = async (...options: string[]): Promise<string> => {
    const at = `${host}:${port}:127.0.0.1`;
    const says = ["-w", " %{http_version} %{http_code}", "--resolve", at];
    const { stdout } = await run("curl", ["-sSk", "-m", "20", ...says, ...options, `https://${host}:${port}/`]);
    return stdout;
  };
  assert.equal(await curl("--http2"), "here 2 200");
  assert.equal(await curl("--http1.1"), "here 1.1 200");
  assert.equal(await curl("--no-alpn"), "here 1.1 200");
  assert.equal(await curl("--http2", "--tls-max", "1.2"), "here 2 200");
  await assert.rejects(curl("--tls-max", "1.1", "--ciphers", "DEFAULT:@SECLEVEL=0"));
  await assert.rejects(curl("--tls-max", "1.2", "--ciphers", "AES128-SHA"));
  const { stdout } = await run("sh", [
    "-c",
    `openssl s_client -connect 127.0.0.1:${port} -servername ${host} -alpn h2 </dev/null 2>&1`,
  ]);
  assert.match(stdout, /ALPN protocol: h2/);
  assert.match(stdout, /TLSv1\.3/);
  await until("handshakes that came to nothing to be counted", () => door.engine.figures.handshakesFailed >= 2);
});

/** A session of TLS that can be resumed. */
async function sessionOf(port: number, servername: string, maxVersion: "TLSv1.2" | "TLSv1.3"): Promise<Buffer> {
  const socket = await dialTls(port, { servername, maxVersion });
  const session = Promise.withResolvers<Buffer>();
  socket.on("session", session.resolve);
  if (maxVersion === "TLSv1.2") session.resolve(socket.getSession()!);
  socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\n\r\n`);
  await once(socket, "data");
  const got = await session.promise;
  socket.destroy();
  return got;
}

for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const)
  test(`a session of ${maxVersion} is resumed for its own name, also after its certificate was renewed, and never for another name`, async () => {
    await using shop = await here();
    const shared = await certificate("shop/shared", "a.example", "b.example");
    const certificates = { "": await certificate("", "x.example"), "a.example": shared, "b.example": shared };
    const choices = { endpoints: [shop.port] };
    await using door = await stand(planWith(choices, certificates));
    const port = door.port(1);
    const resumed = async (servername: string, session: Buffer): Promise<boolean> => {
      const socket = await dialTls(port, { servername, session, maxVersion });
      const is = socket.isSessionReused();
      socket.destroy();
      return is;
    };
    const session = await sessionOf(port, "a.example", maxVersion);
    assert.equal(await resumed("a.example", session), true);
    assert.equal(await resumed("b.example", session), false, "with the same certificate, but another name");
    assert.equal(await resumed("x.example", session), false);
    const renewed = await certificate("shop/shared", "a.example");
    await door.engine.apply(planWith(choices, { ...certificates, "a.example": renewed }));
    assert.equal(await resumed("a.example", session), true);
  });

test("a session is resumed by another engine that has the same secret, and by no engine with another", async () => {
  await using shop = await here();
  const plan = planWith({ endpoints: [shop.port] }, { [host]: await certificate("shop/a", host) });
  const ticketSecret = Buffer.alloc(32, 1);
  await using first = await stand(plan, { ticketSecret });
  await using same = await stand(plan, { ticketSecret });
  await using other = await stand(plan);
  const session = await sessionOf(first.port(1), host, "TLSv1.3");
  for (const [door, isReused] of [
    [same, true],
    [other, false],
  ] as const) {
    const socket = await dialTls(door.port(1), { servername: host, session });
    assert.equal(socket.isSessionReused(), isReused);
    socket.destroy();
  }
});

test("certificates rotate 50 times under load: each new handshake gets the newest one at once, and no connection ends", async () => {
  await using shop = await here();
  const made = await Promise.all([0, 1, 2, 3].map(async (i) => certificate(`shop/${i}`, `v${i}.example`)));
  const choices = { endpoints: [shop.port] };
  await using door = await stand(planWith(choices, { "": made[0]!, [host]: made[0]! }));
  const port = door.port(1);
  const first = await dialTls(port, { servername: host });
  const session = connectHttp2(`https://127.0.0.1:${port}`, { servername: host, rejectUnauthorized: false });
  let ended = 0;
  first.on("close", () => (ended += 1));
  session.on("close", () => (ended += 1));
  const over = new AbortController();
  let answers = 0;
  const load = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const stream = session.request({ ":authority": host, ":path": "/" });
      stream.resume();
      const [head] = (await once(stream, "response")) as [{ ":status": number }];
      assert.equal(head[":status"], 200);
      await once(stream, "close");
      answers += 1;
    }
  };
  const loads = [load(), load()];
  for (let i = 1; i <= 50; i += 1) {
    await door.engine.apply(planWith(choices, { "": made[0]!, [host]: made[i % 4]! }));
    const socket = await dialTls(port, { servername: host });
    assert.equal(nameOf(socket), `v${i % 4}.example`);
    socket.destroy();
  }
  over.abort();
  await Promise.all(loads);
  first.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  assert.match(String((await once(first, "data"))[0]), /^HTTP\/1\.1 200/);
  assert.equal(ended, 0);
  assert.ok(answers > 50, `${answers} answers`);
  first.destroy();
  session.destroy();
});

test("of 5,000 certificates none costs anything before it is asked for", async () => {
  await using shop = await here();
  const one = await certificate("shop/one", host);
  const certificates = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`h${i}.example`, { ...one }]));
  const began = performance.now();
  await using door = await stand(planWith({ endpoints: [shop.port] }, { ...certificates, "": one }));
  const took = performance.now() - began;
  assert.ok(took < 2000, `the start took ${took} ms`);
  const socket = await dialTls(door.port(1), { servername: "h4321.example" });
  assert.equal(nameOf(socket), host);
  socket.destroy();
});

test("a certificate that cannot be used is said, and its name gets the one for no name", async () => {
  await using shop = await here();
  const lines: string[] = [];
  const log = createLog("ingress", "error", (line) => void lines.push(line));
  const bad = { secret: "shop/bad", chain: "no certificate", key: "no key" };
  const certificates = { "": await certificate("", "no-name.example"), [host]: bad };
  await using door = await stand(planWith({ endpoints: [shop.port] }, certificates), { log });
  for (let i = 0; i < 2; i += 1) {
    const socket = await dialTls(door.port(1), { servername: host });
    assert.equal(nameOf(socket), "no-name.example");
    socket.destroy();
  }
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /shop\/bad/);
});

test("a request for a host is served whatever name its handshake asked for", async () => {
  await using shop = await here();
  await using door = await stand(planWith({ endpoints: [shop.port] }, { "": await certificate("", host) }));
  const socket = await dialTls(door.port(1), { servername: "other.example" });
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  assert.match(await readAll(socket), /^HTTP\/1\.1 200 [^]*here$/);
});

test("HTTP without TLS at a port of TLS is answered 400, and a handshake that does not go on is cut", async () => {
  await using shop = await here();
  await using door = await stand(planWith({ endpoints: [shop.port] }, { "": await certificate("", host) }), {
    limits: { handshake: 300, sweep: 50 },
  });
  const plain = await dial(door.port(1));
  plain.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  assert.match(await readAll(plain), /^HTTP\/1\.1 400 /);
  plain.end();
  // One that says nothing, one that stops within its hello, and one within its handshake.
  const { stdout: hello } = await run("sh", [
    "-c",
    `openssl s_client -connect 127.0.0.1:${door.port(1)} -msg </dev/null 2>/dev/null | sed -n '/ClientHello/,/<<</p' | grep '^    ' | tr -d ' \\n'`,
  ]);
  const body = Buffer.from(hello, "hex");
  const header = Buffer.from([22, 3, 1, body.length >> 8, body.length & 255]);
  const whole = Buffer.concat([header, body]);
  for (const bytes of [Buffer.alloc(0), whole.subarray(0, 20), whole]) {
    const socket = await dial(door.port(1));
    socket.write(bytes);
    await readAll(socket);
    socket.end();
  }
  await until("every connection to be over", () => door.engine.figures.open === 0);
});

test("a handshake that comes byte by byte succeeds", async () => {
  await using shop = await here();
  await using door = await stand(planWith({ endpoints: [shop.port] }, { "": await certificate("", host) }));
  const { Duplex } = await import("node:stream");
  const below = await dial(door.port(1));
  below.setNoDelay(true);
  const slow = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      for (const byte of chunk) below.write(Buffer.from([byte]));
      done();
    },
  });
  below.on("data", (chunk) => slow.push(chunk));
  const { connect } = await import("node:tls");
  const socket = connect({ socket: slow, servername: host, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  assert.match(String((await once(socket, "data"))[0]), /^HTTP\/1\.1 200/);
  socket.destroy();
  below.destroy();
});
