import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { until } from "../lab/until.ts";
import { endpoint, openDoor } from "./exchange-door.ts";
import { ask, begin } from "./lab/clients.ts";

const host = "a.example";

interface Mirrored {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

test("each request is mirrored with its body, and what its mirror says is forgotten", async () => {
  const mirrored: Mirrored[] = [];
  await using mirror = await endpoint(
    createServer((request, response) => {
      void buffer(request).then((body) => {
        mirrored.push({ method: request.method, url: request.url, headers: request.headers, body: String(body) });
        response.writeHead(500).end("what?");
      });
    }),
  );
  await using shop = await endpoint(
    createServer((request, response) => {
      request.pipe(response);
    }),
  );
  const url = `http://127.0.0.1:${mirror.port}$request_uri`;
  const settings = { mirror: { url, host: "m.example", body: true } };
  await using door = await openDoor({ endpoints: [shop.port], settings });
  assert.equal((await ask(door.place, { host, path: "/a?b=1" })).status, 200);
  await until("the first is mirrored", () => mirrored.length === 1);
  assert.equal((await ask(door.place, { host, path: "/pay", method: "POST", body: "12 coins" })).text, "12 coins");
  await until("the second is mirrored", () => mirrored.length === 2);
  assert.deepEqual(
    mirrored.map(({ method, url: target, body, headers }) => [method, target, headers.host, body]),
    [
      ["GET", "/a?b=1", "m.example", ""],
      ["POST", "/pay", "m.example", "12 coins"],
    ],
  );
  // A mirror that is gone costs nothing.
  await mirror.stop();
  assert.equal((await ask(door.place, { host })).status, 200);
});

test("an answer goes no faster than its route allows, and comes whole", async () => {
  const body = Buffer.alloc(300_000, "abcdefghij");
  await using shop = await endpoint(createServer((_, response) => response.end(body)));
  const filters = { sendRate: { bytesPerSecond: 200_000, after: 50_000 } };
  await using door = await openDoor({ endpoints: [shop.port] }, { filters });
  const began = performance.now();
  const answered = await ask(door.place, { host });
  const took = performance.now() - began;
  assert.ok(answered.body.equals(body));
  // 250 kB at 200 kB a second, a quarter of a second of which may go ahead.
  assert.ok(took >= 900, `300 kB came in ${took} ms`);
  await until("it is logged", () => door.log.length === 1);
  assert.equal(door.log[0]?.sent, 300_000);
});

test("a client that leaves a paced answer leaves nothing behind", async () => {
  await using shop = await endpoint(createServer((_, response) => response.end(Buffer.alloc(500_000))));
  const filters = { sendRate: { bytesPerSecond: 1000, after: 0 } };
  await using door = await openDoor({ endpoints: [shop.port] }, { filters });
  const asked = begin(door.place, { host });
  asked.on("error", () => undefined);
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  await once(response, "data");
  asked.destroy();
  await until("it is over", () => door.handler.underWay === 0);
  assert.equal(door.log.length, 1);
});

test("HTTPS to endpoints: by whatever names clients ask, over connections that are kept", async (t) => {
  const { createCertificate } = await import("./lab/certificates.ts");
  const { createServer: createTlsServer } = await import("node:https");
  const ca = await createCertificate(["ca"], { isCa: true });
  const { certificate: cert, key } = await createCertificate(["shop.internal"], { ca });
  const names: (string | false)[] = [];
  const server = createTlsServer({ cert, key }, (request, response) => {
    names.push((request.socket as unknown as { servername: string | false }).servername);
    response.end(request.headers.host);
  });
  await using shop = await endpoint(server);
  const tls = { ca: ca.certificate, certificate: undefined, key: undefined, serverName: "shop.internal" };
  const choices = { endpoints: [shop.port], backend: { protocol: "HTTPS", tls } } as const;
  await using door = await openDoor(choices);
  for (let asked = 0; asked < 5; asked += 1) {
    assert.equal((await ask(door.place, { host: `a.example:${8000 + asked}` })).text, `a.example:${8000 + asked}`);
  }
  assert.deepEqual([...new Set(names)], ["shop.internal"]);
  assert.equal(shop.connections, 1);
  await t.test("a certificate of somebody else is refused", async () => {
    door.follow({ ...choices, backend: { protocol: "HTTPS", tls: { ...tls, serverName: "other.internal" } } });
    assert.equal((await ask(door.place, { host })).status, 502);
  });
  await t.test("without an authority none is", async () => {
    door.follow({ ...choices, backend: { protocol: "HTTPS", tls: undefined } });
    assert.equal((await ask(door.place, { host })).status, 200);
    assert.equal(names.at(-1), false);
  });
});
