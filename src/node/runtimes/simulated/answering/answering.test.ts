import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { answerTo, type Asked } from "./answer.ts";
import { speechOf } from "./connection.ts";
import { answeringContainers, plainAddress } from "./containers.ts";
import { requestLog } from "./request-log.ts";

const web = {
  id: 1,
  pod: "web-1",
  namespace: "shop",
  node: "n1",
  container: "server",
  hostname: "web-1",
  addresses: ["10.244.0.5", "fd00:10:244::5"],
  ports: [{ protocol: "TCP", port: 80 }] as const,
  log: "/dev/null",
};
const asked = (target: string, headers: Asked["headers"] = []): Asked => ({
  method: "GET",
  target,
  version: "1.1",
  headers,
  address: "fd00:10:244::5",
  port: 80,
  client: { address: "fd00:10:244::9", port: 41_000 },
});

test("the first bytes of a connection tell HTTP, HTTP/2 and everything else; half a word waits for its other half", () => {
  const cases: [string, ReturnType<typeof speechOf>][] = [
    ["GET / HTTP/1.1\r\n", "http"],
    ["OPTIONS * HTTP/1.1\r\n", "http"],
    ["PATCH /x", "http"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2"],
    ["P", "unsure"],
    ["GET", "unsure"],
    ["PRI * HT", "unsure"],
    ["PING\r\n", "other"],
    ["get / HTTP/1.1", "other"],
    ["GETAWAY", "other"],
    ["\x16\x03\x01", "other"],
  ];
  for (const [bytes, speech] of cases) assert.equal(speechOf(Buffer.from(bytes, "latin1")), speech, bytes);
});

test("a request is told as text, and as JSON to who accepts that", () => {
  const container = answeringContainers().add(web);
  const text = answerTo(container, asked("/x?y=1", [["Host", "web"]]));
  assert.equal(
    text.body,
    "pod: web-1\nnamespace: shop\nnode: n1\ncontainer: server\naddress: fd00:10:244::5\nport: 80\n" +
      "client: [fd00:10:244::9]:41000\nrequest: GET /x?y=1 HTTP/1.1\n\nHost: web\n",
  );
  const json = answerTo(container, asked("/", [["Accept", "application/json"]]));
  assert.equal(json.type, "application/json");
  assert.deepEqual(JSON.parse(json.body), {
    pod: "web-1",
    namespace: "shop",
    node: "n1",
    container: "server",
    address: "fd00:10:244::5",
    port: 80,
    client: "[fd00:10:244::9]:41000",
    request: "GET / HTTP/1.1",
    headers: [{ name: "Accept", value: "application/json" }],
  });
});

test("agnhost's paths; what would need a program is refused", () => {
  const container = answeringContainers().add(web);
  const body = (target: string): string => answerTo(container, asked(target)).body;
  assert.equal(body("/hostname"), "web-1");
  assert.equal(body("/clientip"), "[fd00:10:244::9]:41000");
  assert.equal(body("/echo?msg=a%20b&msg=c"), "a b");
  assert.equal(body("/echo"), "");
  assert.equal(body("/healthz"), "ok");
  for (const path of ["/shell?cmd=id", "/exit"]) {
    const { status, body: said } = answerTo(container, asked(path));
    assert.equal(status, 403);
    assert.match(said, /^\/(shell|exit) is refused: this pod is simulated/);
  }
  assert.match(body("//[not-a-url"), /^pod: web-1/);
});

test("a container is found by its addresses and TCP ports alone, and one that is removed is not", () => {
  const containers = answeringContainers();
  containers.add({ ...web, ports: [...web.ports, { protocol: "UDP", port: 53 }] });
  assert.equal(containers.at("10.244.0.5", 80)?.pod, "web-1");
  assert.equal(containers.at("fd00:10:244::5", 80)?.pod, "web-1");
  assert.equal(containers.at("10.244.0.5", 53), undefined);
  assert.equal(containers.at("10.244.0.6", 80), undefined);
  assert.throws(
    () => containers.add({ ...web, id: 2, pod: "other" }),
    /other: shop\/web-1 answers at 10\.244\.0\.5 already/,
  );
  containers.remove(1);
  assert.equal(containers.at("10.244.0.5", 80), undefined);
  assert.deepEqual(["::ffff:10.0.0.1", "fd00:0::1", undefined].map(plainAddress), ["10.0.0.1", "fd00::1", ""]);
});

test("requests are logged to a bound, which the last line tells, and bytes that are no text are not", async () => {
  const directory = await mkdtemp(join(tmpdir(), "fairlead-requests-"));
  const file = join(directory, "0.log");
  try {
    const log = requestLog(() => 0);
    log.line(file, "GET /\x1b[2J\n200");
    await log.end(file);
    assert.equal(await readFile(file, "utf8"), "1970-01-01T00:00:00.000Z GET /?[2J?200\n");
    for (let index = 0; index < 5000; index += 1) log.line(file, "x".repeat(1000));
    await log.end(file);
    const text = await readFile(file, "utf8");
    assert.ok(text.length < 300_000, `${text.length} bytes`);
    assert.ok(text.endsWith("simulated: this log is full; later requests are answered, not logged\n"));
  } finally {
    await rm(directory, { recursive: true });
  }
});
