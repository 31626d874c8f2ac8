import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { parse } from "yaml";
import { systemClock } from "../../observe/clock.ts";
import { writePrivate } from "./files.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { ensurePki } from "./pki.ts";
import { DAY, kubernetesNames, NODE_CLIENT_NAME } from "./plan.ts";

const NODE = "n1";
const NAMES = { dns: kubernetesNames("cluster.local"), ips: ["192.0.2.7", "10.96.0.1", "fd00:10:96::1"] };
const at = (nowMs: number) => ({ ...systemClock, now: () => nowMs });
const START = Date.UTC(2026, 0, 1);

let root: string;
let count = 0;
before(() => (root = mkdtempSync(join(tmpdir(), "fairlead-pki-"))));
after(() => rmSync(root, { recursive: true }));
const fresh = (): string => join(root, String(count++), "pki");

void test("the first start makes an authority for ten years and leaves with every name", async () => {
  const directory = fresh();
  const pki = await ensurePki({ directory, names: NAMES, nodeName: NODE, clock: at(START) });
  const ca = new X509Certificate(pki.ca);
  assert.ok(ca.ca);
  assert.ok(ca.validToDate.getTime() >= START + 3650 * DAY);
  const server = new X509Certificate(pki.apiserver.cert);
  for (const name of ["localhost", ...NAMES.dns]) assert.equal(server.checkHost(name, { subject: "never" }), name);
  for (const ip of ["127.0.0.1", "::1", ...NAMES.ips]) assert.ok(server.checkIP(ip), ip);
  assert.ok(new X509Certificate(pki.node.cert).checkHost(NODE, { subject: "never" }));
  assert.deepEqual(new X509Certificate(pki.admin.cert).subject, "O=system:masters\nCN=kubernetes-admin");
  assert.deepEqual(new X509Certificate(pki.nodeClient.cert).subject, `CN=${NODE_CLIENT_NAME}`);
  assert.deepEqual(new X509Certificate(pki.nodePart.cert).subject, `O=system:nodes\nCN=system:node:${NODE}`);
  assert.deepEqual(new X509Certificate(pki.proxyPart.cert).subject, "CN=system:kube-proxy");
  assert.deepEqual(new X509Certificate(pki.dnsPart.cert).subject, "CN=system:fairlead:dns");
  assert.deepEqual(new X509Certificate(pki.ingressPart.cert).subject, "CN=system:fairlead:ingress");
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  const files = readdirSync(directory);
  assert.equal(files.length, 20);
  for (const file of files) assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600, file);
  assert.deepEqual(readdirSync(join(directory, "..")), ["pki"], "nothing aside is left");
});

void test("a start with good files changes nothing and does not load the certificate writer", async () => {
  const directory = fresh();
  const first = await ensurePki({ directory, names: NAMES, nodeName: NODE, clock: at(START) });
  const script = `
    const { ensurePki } = await import(${JSON.stringify(new URL("pki.ts", import.meta.url).href)});
    const clock = { now: () => ${START + 100 * DAY}, after: () => () => {} };
    const pki = await ensurePki({ directory: ${JSON.stringify(directory)}, names: ${JSON.stringify(NAMES)}, nodeName: "n1", clock });
    console.log(JSON.stringify([pki.apiserver.cert, typeof Reflect.getMetadata]));`;
  const { systemHost } = await import("../../host/processes.ts");
  const { stdout } = await systemHost().check(process.execPath, ["--input-type=module", "-e", script]);
  assert.deepEqual(JSON.parse(stdout), [first.apiserver.cert, "undefined"]);
  const again = await ensurePki({ directory, names: NAMES, nodeName: NODE, clock: at(START) });
  assert.deepEqual(again, first);
});

void test("a leaf is issued anew when a name is missing or under 30 days are left; the authority stays", async () => {
  const directory = fresh();
  const first = await ensurePki({ directory, names: NAMES, nodeName: NODE, clock: at(START) });
  const moved = { ...NAMES, ips: [...NAMES.ips, "192.0.2.99"] };
  const second = await ensurePki({ directory, names: moved, nodeName: NODE, clock: at(START + DAY) });
  assert.equal(second.ca, first.ca);
  assert.notEqual(second.apiserver.cert, first.apiserver.cert);
  assert.equal(second.admin.cert, first.admin.cert);
  assert.ok(new X509Certificate(second.apiserver.cert).checkIP("192.0.2.99"));
  const kept = await ensurePki({ directory, names: moved, nodeName: NODE, clock: at(START + 334 * DAY) });
  assert.equal(kept.admin.cert, first.admin.cert);
  const renewed = await ensurePki({ directory, names: moved, nodeName: NODE, clock: at(START + 335 * DAY + 1) });
  assert.notEqual(renewed.admin.cert, first.admin.cert);
  assert.equal(renewed.ca, first.ca);
  assert.ok(new X509Certificate(renewed.admin.cert).verify(new X509Certificate(renewed.ca).publicKey));
});

void test("a leaf by halves, unreadable or of another key is issued anew", async () => {
  const directory = fresh();
  const first = await ensurePki({ directory, names: NAMES, nodeName: NODE, clock: at(START) });
  rmSync(join(directory, "admin.key"));
  writeFileSync(join(directory, "parts.crt"), "nonsense");
  writeFileSync(join(directory, "node.key"), first.apiserver.key);
  const second = await ensurePki({ directory, names: NAMES, nodeName: NODE, clock: at(START) });
  for (const name of ["admin", "parts", "node"] as const) assert.notEqual(second[name].cert, first[name].cert, name);
  assert.equal(second.apiserver.cert, first.apiserver.cert);
  assert.equal(readFileSync(join(directory, "admin.key"), "utf8"), second.admin.key);
});

void test("an authority by halves, unreadable or past its end is refused, naming the file", async () => {
  const cases: [string, (directory: string) => void, RegExp, number?][] = [
    ["without certificate", (directory) => rmSync(join(directory, "ca.crt")), /ca\.crt is missing/],
    ["without key", (directory) => rmSync(join(directory, "ca.key")), /ca\.key is missing/],
    ["unreadable", (directory) => writeFileSync(join(directory, "ca.key"), "x"), /ca\.key: the key cannot be read/],
    ["past its end", () => {}, /ended on 2035-12-30T00:00:00Z/, START + 3651 * DAY],
  ];
  for (const [name, damage, words, now = START] of cases) {
    const directory = fresh();
    await ensurePki({ directory, names: NAMES, nodeName: NODE, clock: at(START) });
    damage(directory);
    await assert.rejects(ensurePki({ directory, names: NAMES, nodeName: NODE, clock: at(now) }), words, name);
  }
});

void test("the certificates work for mutual TLS, and a server's certificate does not pass for a client's", async () => {
  const pki = await ensurePki({ directory: fresh(), names: NAMES, nodeName: NODE, clock: at(Date.now()) });
  const server = createServer({ ...pki.apiserver, ca: pki.ca, requestCert: true, rejectUnauthorized: false });
  const seen: [boolean, string | undefined][] = [];
  server.on("secureConnection", (socket: TLSSocket) => {
    seen.push([socket.authorized, [socket.getPeerCertificate().subject?.CN ?? ""].flat()[0]]);
    socket.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  for (const pair of [pki.admin, pki.node]) {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ host: "127.0.0.1", port, servername: "kubernetes", ca: pki.ca, ...pair });
    await once(socket, "secureConnect");
    assert.ok(socket.authorized);
    socket.resume();
    await once(socket, "close");
  }
  server.close();
  assert.deepEqual(seen, [
    [true, "kubernetes-admin"],
    [false, `system:node:${NODE}`],
  ]);
});

void test("kubeconfig: one context with everything embedded, readable as YAML", () => {
  const text = kubeconfig({ server: "https://127.0.0.1:6443", ca: "CA\n", cert: "C", key: "K", namespace: "on" });
  const config = parse(text, { version: "1.1" }) as Record<string, unknown>;
  assert.deepEqual(config["contexts"], [
    { name: "fairlead", context: { cluster: "fairlead", user: "kubernetes-admin", namespace: "on" } },
  ]);
  assert.equal(config["current-context"], "fairlead");
  assert.deepEqual(config["clusters"], [
    {
      name: "fairlead",
      cluster: { server: "https://127.0.0.1:6443", "certificate-authority-data": btoa("CA\n") },
    },
  ]);
});

void test("a private file is written whole with mode 0600, and a failed write leaves nothing aside", async () => {
  const directory = mkdtempSync(join(root, "private-"));
  const path = join(directory, "kubeconfig");
  writeFileSync(path, "old");
  chmodSync(path, 0o644);
  await writePrivate(path, "new");
  assert.equal(readFileSync(path, "utf8"), "new");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await assert.rejects(writePrivate(join(path, "below"), "x"), /writing .*below/);
  assert.deepEqual(readdirSync(directory), ["kubeconfig"]);
});
