import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import type { Listener } from "../../src/ingress/engine.ts";
import { until } from "../lab/until.ts";
import { certificate, dial, planWith, readAll, stand } from "./builtin/stand.ts";
import { endpoint } from "./exchange-door.ts";

const run = promisify(execFile);
const host = "a.example";
const behind: Listener = { address: "127.0.0.1", port: 0, tls: false, proxyProtocol: true };
const ask = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

/** Answers what it is told of who asks. */
const teller = async (): ReturnType<typeof endpoint> =>
  endpoint(
    createServer(({ headers }, outgoing) => {
      outgoing.end(["for", "proto", "port"].map((what) => headers[`x-forwarded-${what}`]).join(" "));
    }),
  );

test("who a PROXY header says is the client is the client, over plain HTTP, TLS and a Unix socket; the header may come byte by byte", async () => {
  await using shop = await teller();
  const directory = await mkdtemp("/var/tmp/fairlead-door-");
  const path = join(directory, "door");
  const listeners = [behind, { ...behind, tls: true }, { ...behind, address: path }];
  await using door = await stand(planWith({ endpoints: [shop.port] }, { "": await certificate("", host) }), {
    listeners,
  });
  const one = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 8443\r\n";
  const version2 = Buffer.from("0d0a0d0a000d0a515549540a21110014c0000201c0000202dc0401bb2000050100000000", "hex");

  const first = await dial(door.port(0));
  first.write(one + ask);
  assert.match(await readAll(first), /\r\n\r\n192\.0\.2\.1 http 8443$/);

  const slow = await dial(door.port(0));
  slow.setNoDelay(true);
  for (const byte of one + ask) {
    slow.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(await readAll(slow), /\r\n\r\n192\.0\.2\.1 http 8443$/);

  const raw = await dial(door.port(1));
  raw.write(one);
  const tls = connectTls({ socket: raw, servername: host, rejectUnauthorized: false });
  tls.write(ask);
  assert.match(await readAll(tls), /\r\n\r\n192\.0\.2\.1 https 8443$/);

  // The proxy before us has ended TLS, and says so.
  const unix = connect({ path, allowHalfOpen: true });
  await once(unix, "connect");
  unix.write(version2);
  unix.write(ask);
  assert.match(await readAll(unix), /\r\n\r\n192\.0\.2\.1 https 443$/);

  // A proxy that speaks for itself, as when it looks whether we are well.
  const own = await dial(door.port(0));
  own.write(Buffer.concat([Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex"), Buffer.from(ask)]));
  assert.match(await readAll(own), new RegExp(`\\r\\n\\r\\n127\\.0\\.0\\.1 http ${door.port(0)}$`));
  const { stdout } = await run("curl", [
    "-sS",
    "-m",
    "20",
    "--haproxy-protocol",
    "-H",
    `Host: ${host}`,
    `http://127.0.0.1:${door.port(0)}/`,
  ]);
  assert.match(stdout, /^127\.0\.0\.1 http/);
  for (const socket of [first, slow, raw, unix, own]) socket.destroy();
  await rm(directory, { recursive: true });
});

test("where a PROXY header is due nothing is served without one, and one that does not come in time is not waited for", async () => {
  await using shop = await teller();
  await using door = await stand(planWith({ endpoints: [shop.port] }), {
    listeners: [behind, { ...behind, proxyProtocol: false }],
    limits: { proxyHeader: 300, sweep: 50 },
  });
  for (const bytes of [ask, "PROXY TCP4 192.0.2.1\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1", ""]) {
    const socket = await dial(door.port(0));
    socket.write(bytes);
    assert.equal(await readAll(socket), "");
    socket.end();
  }
  // And where none is due, it is no request.
  const socket = await dial(door.port(1));
  socket.write(`PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${ask}`);
  assert.match(await readAll(socket), /^HTTP\/1\.1 400 /);
  socket.end();
  await until("every connection to be over", () => door.engine.figures.open === 0);
});
