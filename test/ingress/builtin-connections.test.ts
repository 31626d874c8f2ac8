import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { createServer as createNetServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import type { Listener } from "../../src/ingress/engine.ts";
import { createBuiltinEngine } from "../../src/ingress/engines/builtin/builtin.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { until } from "../lab/until.ts";
import { certificate, dial, dialTls, planWith, readAll, stand } from "./builtin/stand.ts";
import { endpoint } from "./exchange-door.ts";
import { END_HEADERS, END_STREAM, fields, frame, PREFACE, TYPE } from "./smuggling/frames.ts";

const run = promisify(execFile);
const host = "a.example";
const plain: Listener = { address: "127.0.0.1", port: 0, tls: false, proxyProtocol: false };
const here = async (): ReturnType<typeof endpoint> =>
  endpoint(createServer((incoming, outgoing) => void incoming.resume().on("end", () => outgoing.end("here"))));

test("nobody is answered before there is a plan, and then at every address of both families, each with a port of its own", async () => {
  await using shop = await here();
  const listeners = ["0.0.0.0", "::"].map((address) => ({ ...plain, address }));
  const engine = createBuiltinEngine({
    listeners,
    trust: { from: [] },
    accessLog() {},
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  });
  assert.equal(engine.listening.length, 0);
  await engine.apply(planWith({ endpoints: [shop.port] }));
  const [four, six] = engine.listening;
  assert.ok(four!.port > 0 && six!.port > 0);
  for (const [port, address] of [
    [four!.port, "127.0.0.1"],
    [six!.port, "::1"],
  ] as const) {
    const socket = await dial(port, address);
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.match(await readAll(socket), /^HTTP\/1\.1 200 /);
    socket.end();
  }
  await engine.stop(0);
  await assert.rejects(engine.apply(planWith({ endpoints: [shop.port] })), /stopped/);
});

test("an address that cannot be had is said with who has it, nothing stays open, and the next plan tries again", async () => {
  await using shop = await here();
  const other = createNetServer();
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const engine = createBuiltinEngine({
    listeners: [plain, { ...plain, port }],
    trust: { from: [] },
    accessLog() {},
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  });
  const plan = planWith({ endpoints: [shop.port] });
  await assert.rejects(engine.apply(plan), {
    message: `listening for HTTP on 127.0.0.1:${port}: taken by node (pid ${process.pid}); end it, or choose another address`,
  });
  assert.equal(engine.listening.length, 0);
  other.close();
  await once(other, "close");
  await engine.apply(plan);
  assert.equal(engine.listening[1]!.port, port);
  await engine.stop(0);
});

test("HTTP/2 is spoken without TLS to clients that begin with it, and h2c that is offered is passed over", async () => {
  await using shop = await here();
  await using door = await stand(planWith({ endpoints: [shop.port] }));
  const curl = async (option: string): Promise<string> => {
    const says = ["-w", " %{http_version} %{http_code}", "-H", `Host: ${host}`];
    return (await run("curl", ["-sS", "-m", "20", option, ...says, `http://127.0.0.1:${door.port(0)}/`])).stdout;
  };
  assert.equal(await curl("--http2-prior-knowledge"), "here 2 200");
  assert.equal(await curl("--http2"), "here 1.1 200");
  // The preface may come in pieces.
  const socket = await dial(door.port(0));
  socket.setNoDelay(true);
  const ask = fields([
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", host],
  ]);
  const bytes = [PREFACE, frame(TYPE.SETTINGS, 0, 0), frame(TYPE.HEADERS, END_HEADERS | END_STREAM, 1, ask)];
  let got = "";
  socket.on("data", (chunk) => (got += chunk.toString("latin1")));
  for (const byte of Buffer.concat(bytes)) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until("the answer", () => got.includes("here"));
  socket.destroy();
  await until("every connection to be over", () => door.engine.figures.open === 0);
});

test("h2load and pipelined HTTP/1.1: every request is answered", async () => {
  await using shop = await here();
  await using door = await stand(planWith({ endpoints: [shop.port] }, { "": await certificate("", host) }));
  const load = async (scheme: string, port: number, ...options: string[]): Promise<string> => {
    const all = ["-n", "2000", "-c", "20", "-m", "32", "--connect-to", `127.0.0.1:${port}`, ...options];
    return (await run("h2load", [...all, `${scheme}://${host}/`], { timeout: 120_000 })).stdout;
  };
  const all = /2000 succeeded, 0 failed, 0 errored/;
  assert.match(await load("https", door.port(1)), all);
  assert.match(await load("http", door.port(0)), all);
  assert.match(await load("http", door.port(0), "--h1"), all);
});

test("streams that are reset as fast as they begin end their connection, and others do not notice", async () => {
  await using shop = await here();
  await using door = await stand(planWith({ endpoints: [shop.port] }, { "": await certificate("", host) }));
  const good = connectHttp2(`https://127.0.0.1:${door.port(1)}`, { servername: host, rejectUnauthorized: false });
  const bad = await dialTls(door.port(1), { ALPNProtocols: ["h2"], servername: host });
  bad.on("error", () => {});
  const closed = new Promise((resolve) => void bad.once("close", resolve));
  bad.resume();
  bad.write(Buffer.concat([PREFACE, frame(TYPE.SETTINGS, 0, 0)]));
  const ask = fields([
    [":method", "GET"],
    [":scheme", "https"],
    [":path", "/"],
    [":authority", host],
  ]);
  const cancel = Buffer.from([0, 0, 0, 8]);
  for (let i = 0; i < 20 && bad.writable; i += 1) {
    const some = Array.from({ length: 500 }, (_, at) => {
      const stream = (i * 500 + at) * 2 + 1;
      return [frame(TYPE.HEADERS, END_HEADERS | END_STREAM, stream, ask), frame(TYPE.RST_STREAM, 0, stream, cancel)];
    });
    bad.write(Buffer.concat(some.flat()));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  const stream = good.request({ ":authority": host });
  stream.resume();
  const [head] = (await once(stream, "response")) as [{ ":status": number }];
  assert.equal(head[":status"], 200);
  good.destroy();
});

test("requests that come before the answers of earlier ones are answered in order, and no more than so many", async () => {
  await using shop = await endpoint(createServer(({ url }, outgoing) => void outgoing.end(`<${url}>`)));
  await using door = await stand(planWith({ endpoints: [shop.port] }), { limits: { pipelined: 20 } });
  const ask = (i: number): string => `GET /${i} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const polite = await dial(door.port(0));
  let text = "";
  polite.on("data", (chunk) => (text += chunk.toString()));
  polite.write(Array.from({ length: 20 }, (_, i) => ask(i)).join(""));
  const order = Array.from({ length: 20 }, (_, i) => `</${i}>`).join("");
  await until("twenty answers", () => (text.match(/<\/\d+>/g) ?? []).length === 20);
  assert.equal((text.match(/<\/\d+>/g) ?? []).join(""), order);
  polite.destroy();
  const greedy = await dial(door.port(0));
  greedy.write(Array.from({ length: 100 }, (_, i) => ask(i)).join(""));
  const answers = [...(await readAll(greedy)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  assert.deepEqual(answers.slice(-2), ["200", "400"]);
  assert.ok(answers.length < 100);
  greedy.destroy();
});
