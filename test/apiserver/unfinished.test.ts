import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { connect, type TLSSocket } from "node:tls";
import { after, before, test } from "node:test";
import { manualClock } from "../client/waiting.ts";
import type { Pair } from "./certificates.ts";
import { createCluster, type Cluster } from "./cluster.ts";
import { until } from "../lab/until.ts";

const clock = manualClock();
let cluster: Cluster;
let jane: Pair;
before(async () => {
  clock.advance(Date.now() - clock.now());
  cluster = await createCluster({ clock, inFlight: { reading: 10, writing: 1 } });
  // Administrators are never counted.
  jane = await cluster.authority.client("CN=jane");
});
after(() => cluster.close());

const configMaps = "/api/v1/namespaces/default/configmaps";
const MINUTE = 60_000;
let count = 0;

/** What becomes of a write while others are under way: 201, or 429 when there is no place for it. */
const write = async (): Promise<number> =>
  (await cluster.ask("POST", configMaps, { metadata: { name: `write-${(count += 1)}` } }, { as: jane })).code;

/** YAML, which is whole wherever a line ends. */
const HALF = "metadata:\n  name: half\n";

const placeIsTaken = (): Promise<unknown> => until("the place to be taken", async () => (await write()) === 429);
const placeIsFree = (): Promise<unknown> => until("the place to be free", async () => (await write()) === 201);

interface Unfinished {
  readonly heard: () => string;
  readonly breakOff: () => void;
  readonly goOn: () => void;
}

/** A POST over HTTP/1.1 whose body does not end. */
async function overHttp1(length: number): Promise<Unfinished> {
  const { port, ca } = cluster;
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const opened = connect({ host: "127.0.0.1", port, ca, ...jane }, () => resolve(opened));
    opened.once("error", reject);
  });
  let heard = "";
  socket.on("data", (chunk: Buffer) => (heard += chunk.toString()));
  socket.on("error", () => {});
  socket.write(
    `POST ${configMaps} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/yaml\r\nContent-Length: ${length}\r\n\r\n${HALF}`,
  );
  return {
    heard: () => heard,
    breakOff: () => socket.destroy(),
    goOn: () => socket.write("x".repeat(1024 * 1024)),
  };
}

/** The same over HTTP/2, where nobody need say how long the body will be. */
async function overHttp2(): Promise<Unfinished> {
  const session = connectHttp2(`https://127.0.0.1:${cluster.port}`, { ca: cluster.ca, ...jane });
  session.on("error", () => {});
  const stream = session.request({
    ":method": "POST",
    ":path": configMaps,
    "content-type": "application/yaml",
  });
  let heard = "";
  stream.on("response", (headers) => (heard += `HTTP/2 ${headers[":status"]} `));
  stream.on("data", (chunk: Buffer) => (heard += chunk.toString()));
  stream.on("error", () => {});
  stream.write(HALF);
  return {
    heard: () => heard,
    breakOff: () => session.destroy(),
    goOn: () => void (stream.writable && stream.write("x".repeat(1024 * 1024))),
  };
}

for (const [version, open] of [
  ["HTTP/1.1", overHttp1],
  ["HTTP/2", overHttp2],
] as const) {
  void test(`${version}: a request whose body does not end is ended after a minute, and its place is free again`, async () => {
    const request = await open(100);
    await placeIsTaken();
    clock.advance(MINUTE - 1);
    assert.equal(request.heard(), "");
    assert.equal(await write(), 429);
    clock.advance(1);
    await until("the answer", () => request.heard().includes('"code":504'));
    assert.match(request.heard(), /^HTTP\/(1\.1|2) 504 .*"reason":"Timeout"/s);
    await placeIsFree();
    assert.equal((await cluster.ask("GET", `${configMaps}/half`)).code, 404, "nothing of it is made");
    request.breakOff();
  });

  void test(`${version}: a request that breaks off leaves nothing behind`, async () => {
    const request = await open(100);
    await placeIsTaken();
    request.breakOff();
    await placeIsFree();
    clock.advance(MINUTE);
    await placeIsFree();
    assert.equal((await cluster.ask("GET", `${configMaps}/half`)).code, 404, "a half is not taken for a whole");
  });

  void test(`${version}: a client that is still sending hears that its body is too large`, async () => {
    const request = await open(64 * 1024 * 1024);
    request.goOn();
    await until("the answer", () => {
      request.goOn();
      return request.heard().includes('"code":413');
    });
    assert.match(request.heard(), /^HTTP\/(1\.1|2) 413 /);
    await placeIsFree();
    request.breakOff();
  });
}

void test("a watch, and a request that has come whole, may take as long as they like", async () => {
  const message = await cluster.open("GET", `${configMaps}?watch=true`, { as: jane });
  let heard = "";
  message.on("data", (chunk: Buffer) => (heard += chunk.toString()));
  clock.advance(10 * MINUTE);
  await cluster.ask("POST", configMaps, { metadata: { name: "still-watched" } });
  await until("the event", () => heard.includes('"still-watched"'));
  message.destroy();
});
