import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import type { RouteFilters } from "../../src/ingress/filters/filters.ts";
import { silentLog } from "../../src/observe/log.ts";
import { until } from "../lab/until.ts";
import { endpoint, openDoor, type Endpoint } from "./exchange-door.ts";
import { answerTo, ask, askHttp2, begin, keptAgent, openHttp2, openRaw, rawExchange } from "./lab/clients.ts";
import { cookieAffinity } from "./plans.ts";

const host = "a.example";

test("a request goes to an endpoint and its answer comes back, over HTTP/1.1 and HTTP/2", async () => {
  await using shop = await endpoint(
    createServer((request, response) => {
      response.setHeader("x-seen", `${request.method} ${request.url} ${request.headers.host}`);
      request.pipe(response);
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const answered = await ask(door.place, { host, path: "/cart?full=1", method: "POST", body: "two shirts" });
  assert.equal(answered.status, 200);
  assert.equal(answered.text, "two shirts");
  assert.equal(answered.headers["x-seen"], "POST /cart?full=1 a.example");
  const session = await openHttp2(door.second, host);
  const second = await askHttp2(session, { host, path: "/cart", method: "PUT", body: "three" });
  assert.equal(second.status, 200);
  assert.equal(String(second.body), "three");
  assert.equal(second.headers["x-seen"], "PUT /cart a.example");
  session.close();
  await until("two lines in the access log", () => door.log.length === 2);
  assert.deepEqual(
    door.log.map(({ protocol, status, received, sent }) => ({ protocol, status, received, sent })),
    [
      { protocol: "HTTP/1.1", status: 200, received: 10, sent: 10 },
      { protocol: "HTTP/2.0", status: 200, received: 5, sent: 5 },
    ],
  );
  assert.equal(door.handler.underWay, 0);
});

/** A server of the test's own that speaks TCP: what it is told is given to `heard`, a whole request head at a time. */
const rawServer = (heard: (socket: Socket, head: string) => void): Server =>
  createTcpServer((socket) => {
    let text = "";
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
        const head = text.slice(0, end + 4);
        text = text.slice(end + 4);
        heard(socket, head);
      }
    });
  });

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

test("a host or a path without a route is answered 404, a route without an endpoint 503, and each is logged once", async () => {
  await using door = await openDoor({ endpoints: [] });
  assert.equal((await ask(door.place, { host: "b.example" })).status, 404);
  const none = await ask(door.place, { host });
  assert.equal(none.status, 503);
  assert.equal(none.text, "503 Service Unavailable\n");
  assert.equal((await ask(door.place, { host: "A.Example.:80", method: "HEAD" })).status, 503);
  assert.deepEqual(
    door.log.map(({ status, backend }) => ({ status, backend })),
    [404, 503, 503].map((status) => ({ status, backend: undefined })),
  );
});

test("what is no target or no Host is answered 400, and a URL as target names the host", async () => {
  await using shop = await endpoint(createServer((request, response) => response.end(request.url)));
  await using door = await openDoor({ endpoints: [shop.port] });
  const status = async (head: string): Promise<string> => {
    const said = await rawExchange(door.place, `${head}\r\nConnection: close\r\n\r\n`);
    return said.slice(0, said.indexOf("\r\n"));
  };
  const bad = "HTTP/1.1 400 Bad Request";
  assert.equal(await status("GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example"), bad);
  assert.equal(await status("GET / HTTP/1.1\r\nHost: a example"), bad);
  assert.equal(await status("GET / HTTP/1.1\r\nHost: a.example:80x"), bad);
  assert.equal(await status("GET /a#b HTTP/1.1\r\nHost: a.example"), bad);
  assert.equal(await status("GET http://b.example/ HTTP/1.1\r\nHost: a.example"), bad);
  assert.equal(await status("GET http://me@a.example/ HTTP/1.1\r\nHost: a.example"), bad);
  assert.equal(await status("OPTIONS * HTTP/1.1\r\nHost: a.example"), bad);
  assert.equal(await status("GET / HTTP/1.0"), "HTTP/1.1 404 Not Found");
  const whole = await rawExchange(
    door.place,
    "GET http://a.example:8080?x=1 HTTP/1.1\r\nHost: A.EXAMPLE\r\nConnection: close\r\n\r\n",
  );
  assert.match(whole, /^HTTP\/1\.1 200 OK/);
  assert.match(whole, /\/\?x=1$/);
  const session = await openHttp2(door.second, host);
  assert.equal((await askHttp2(session, { host, headers: { host: "b.example" } })).status, 400);
  session.close();
  const upgrade = "Connection: Upgrade\r\nUpgrade: raw\r\nContent-Length: 5";
  assert.match(
    await rawExchange(door.place, `GET / HTTP/1.1\r\nHost: a.example\r\n${upgrade}\r\n\r\nhello`),
    /^HTTP\/1\.1 400 /,
  );
  const statuses = door.log.map((line) => line.status);
  assert.equal(statuses.filter((one) => one === 400).length, 9);
});

test("an endpoint that resets a request before its answer costs nothing: it is tried at another one", async () => {
  let resets = 0;
  await using broken = await endpoint(
    rawServer((socket) => {
      resets += 1;
      socket.resetAndDestroy();
    }),
  );
  await using shop = await endpoint(createServer((_, response) => response.end("ok")));
  await using door = await openDoor({ endpoints: [broken.port, shop.port] });
  for (let asked = 0; asked < 10; asked += 1) assert.equal((await ask(door.place, { host })).text, "ok");
  assert.ok(resets > 0, "the broken one was never asked");
  const { backend } = door.log.find(({ backend: some }) => some?.tries === 2)!;
  assert.equal(backend?.endpoint, `127.0.0.1:${shop.port}`);
});

test("a POST that may have been acted on is not sent twice, but one that reached nobody is", async () => {
  let acted = 0;
  await using broken = await endpoint(
    rawServer((socket) => {
      acted += 1;
      socket.resetAndDestroy();
    }),
  );
  await using door = await openDoor({ endpoints: [broken.port] });
  assert.equal((await ask(door.place, { host, method: "POST", body: "pay" })).status, 502);
  assert.equal(acted, 1);
  await using shop = await endpoint(
    createServer((request, response) => {
      request.pipe(response);
    }),
  );
  await broken.stop();
  door.follow({ endpoints: [broken.port, shop.port] });
  for (let asked = 0; asked < 6; asked += 1) {
    assert.equal((await ask(door.place, { host, method: "POST", body: "pay" })).text, "pay");
  }
});

test("a connection that the endpoint closes just as it is used again loses no request", async () => {
  const used = new WeakSet<Socket>();
  const server = rawServer((socket) => {
    // The next request on it meets a connection that is closing.
    if (used.has(socket)) socket.resetAndDestroy();
    else socket.write(OK);
    used.add(socket);
  });
  await using shop = await endpoint(server);
  await using door = await openDoor({ endpoints: [shop.port] });
  for (let asked = 0; asked < 20; asked += 1) assert.equal((await ask(door.place, { host })).text, "ok");
  assert.ok(
    door.log.some(({ backend }) => backend?.tries === 2),
    "no connection was ever used twice",
  );
});

test("an answer that breaks off breaks off for its client, whatever its framing", async () => {
  const answers: Record<string, string> = {
    "/length": "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
    "/chunked": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
  };
  await using shop = await endpoint(
    rawServer((socket, head) => {
      const path = head.split(" ")[1]!;
      socket.write(answers[path.replace("/end", "")]!, () =>
        path.endsWith("/end") ? socket.end() : socket.resetAndDestroy(),
      );
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  for (const path of ["/length", "/chunked", "/length/end", "/chunked/end"]) {
    await assert.rejects(
      ask(door.place, { host, path }),
      /aborted|ECONNRESET|socket hang up|terminated|premature/i,
      path,
    );
    const raw = await openRaw(door.place);
    raw.socket.write(`GET ${path} HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
    await assert.rejects(once(raw.socket, "end"), /ECONNRESET/, `${path} over HTTP/1.0`);
    const session = await openHttp2(door.second, host);
    await assert.rejects(askHttp2(session, { host, path }), /NGHTTP2_INTERNAL_ERROR/, `${path} over HTTP/2`);
    session.close();
  }
  await until("a line for each", () => door.log.length === 12);
});

test("a connection that breaks after an answer is whole hurts nobody", async () => {
  await using shop = await endpoint(
    rawServer((socket) => {
      socket.write(OK, () => socket.resetAndDestroy());
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  for (let asked = 0; asked < 20; asked += 1) assert.equal((await ask(door.place, { host })).text, "ok");
});

test("an answer without a length ends with the endpoint's connection", async () => {
  await using shop = await endpoint(
    rawServer((socket) => {
      socket.end("HTTP/1.1 200 OK\r\n\r\nall of it");
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  assert.equal((await ask(door.place, { host })).text, "all of it");
});

test("silence is answered 504 before the head, and cut after it", async () => {
  await using shop = await endpoint(
    rawServer((socket, head) => {
      if (head.startsWith("GET /half")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
    }),
  );
  const settings = { timeouts: { connect: 5000, send: 300, read: 300, tunnel: 1000 } };
  await using door = await openDoor({ endpoints: [shop.port], settings });
  assert.equal((await ask(door.place, { host })).status, 504);
  await assert.rejects(ask(door.place, { host, path: "/half" }), /aborted|ECONNRESET|terminated/);
});

test("an answer that is no HTTP is 502", async () => {
  await using shop = await endpoint(
    rawServer((socket) => {
      socket.end("SSH-2.0-OpenSSH_9.9\r\n\r\n");
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  assert.equal((await ask(door.place, { host })).status, 502);
});

test("statuses that a route retries are tried elsewhere, and passed on where there is nobody else", async () => {
  const answering = (status: number): Promise<Endpoint> =>
    endpoint(createServer((_, response) => response.writeHead(status).end(`said ${status}`)));
  await using busy = await answering(503);
  await using shop = await answering(200);
  const settings = { retry: { on: new Set(["http_503"] as const), nonIdempotent: false, tries: 3, timeout: 0 } };
  await using door = await openDoor({ endpoints: [busy.port, shop.port], settings });
  for (let asked = 0; asked < 6; asked += 1) assert.equal((await ask(door.place, { host })).text, "said 200");
  door.follow({ endpoints: [busy.port], settings });
  const answered = await ask(door.place, { host });
  assert.equal(answered.status, 503);
  assert.equal(answered.text, "said 503");
});

test("HEAD, 204 and 304 have no body, and what they say of one is passed on", async () => {
  await using shop = await endpoint(
    createServer((request, response) => {
      if (request.url === "/none") response.writeHead(204).end();
      else if (request.url === "/same") response.writeHead(304, { etag: '"1"' }).end();
      else response.writeHead(200, { "content-length": "1234" }).end();
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const session = await openHttp2(door.second, host);
  for (const [method, path, status, length] of [
    ["HEAD", "/", 200, "1234"],
    ["GET", "/none", 204, undefined],
    ["GET", "/same", 304, undefined],
  ] as const) {
    const first = await ask(door.place, { host, path, method });
    const second = await askHttp2(session, { host, path, method });
    for (const answered of [first, second]) {
      assert.equal(answered.status, status);
      assert.equal(answered.headers["content-length"], length);
      assert.equal(answered.body.length, 0);
    }
  }
  session.close();
});

test("trailers and early hints of an endpoint come through, to HTTP/1.1 and HTTP/2", async () => {
  await using shop = await endpoint(
    createServer((_, response) => {
      response.writeEarlyHints({ link: "</style.css>; rel=preload" });
      response.writeHead(200, { trailer: "x-sum" });
      response.write("sum");
      response.addTrailers({ "x-sum": "42" });
      response.end();
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const first = await ask(door.place, { host });
  assert.deepEqual(first.hints, ["</style.css>; rel=preload"]);
  assert.equal(first.trailers["x-sum"], "42");
  const session = await openHttp2(door.second, host);
  const second = await askHttp2(session, { host });
  assert.equal(second.trailers["x-sum"], "42");
  assert.equal(String(second.body), "sum");
  session.close();
});

test("trailers of a request reach its endpoint", async () => {
  await using shop = await endpoint(
    createServer((request, response) => {
      request.resume();
      request.on("end", () => response.end(JSON.stringify(request.trailers)));
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const asked = begin(door.place, { host, method: "POST", headers: { trailer: "x-sum" } });
  const answered = answerTo(asked);
  asked.write("a sum");
  asked.addTrailers({ "x-sum": "42" });
  asked.end();
  assert.deepEqual(JSON.parse((await answered).text), { "x-sum": "42" });
  await shop.stop();
  const lost = begin(door.place, { host, method: "POST", headers: { trailer: "x-sum" } });
  const refused = answerTo(lost);
  lost.end("a sum");
  assert.equal((await refused).status, 502);
});

test("100 Continue is said when an endpoint is there, and never where the body is not wanted", async () => {
  await using shop = await endpoint(
    createServer((request, response) => {
      request.pipe(response);
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port], settings: { maximumBody: 100 } });
  const asked = begin(door.place, { host, method: "POST", headers: { expect: "100-continue", "content-length": "5" } });
  const answered = answerTo(asked);
  asked.flushHeaders();
  await once(asked, "continue");
  asked.end("hello");
  assert.equal((await answered).text, "hello");
  const refused = begin(door.place, {
    host,
    method: "POST",
    headers: { expect: "100-continue", "content-length": "101" },
  });
  let hasContinued = false;
  refused.on("continue", () => (hasContinued = true));
  const refusal = answerTo(refused);
  refused.flushHeaders();
  assert.equal((await refusal).status, 413);
  assert.equal(hasContinued, false);
  refused.destroy();
  const session = await openHttp2(door.second, host);
  const stream = session.request({ ":method": "POST", ":authority": host, expect: "100-continue" });
  await once(stream, "continue");
  stream.end("second");
  assert.equal(await text(stream), "second");
  session.close();
});

test("a body that is larger than the route takes is answered 413, by its length and as it comes", async () => {
  await using shop = await endpoint(
    createServer((request, response) => {
      request.resume();
      request.on("end", () => response.end("taken"));
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port], settings: { maximumBody: 100_000 } });
  const fits = Buffer.alloc(100_000);
  const over = Buffer.alloc(100_001);
  const chunked = { "transfer-encoding": "chunked" };
  assert.equal((await ask(door.place, { host, method: "POST", body: fits, headers: chunked })).text, "taken");
  assert.equal((await ask(door.place, { host, method: "POST", body: over })).status, 413);
  assert.equal((await ask(door.place, { host, method: "POST", body: over, headers: chunked })).status, 413);
  const session = await openHttp2(door.second, host);
  assert.equal((await askHttp2(session, { host, method: "POST", body: fits })).status, 200);
  assert.equal((await askHttp2(session, { host, method: "POST", body: over })).status, 413);
  session.close();
});

test("a body of 64 kB is sent once more when its endpoint breaks, a longer one is not", async () => {
  let isBroken = true;
  const server = createServer((request, response) => {
    let size = 0;
    request.on("error", () => undefined);
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (isBroken && size >= 60_000) {
        isBroken = false;
        request.socket.resetAndDestroy();
      }
    });
    request.on("end", () => response.end(String(size)));
  });
  await using shop = await endpoint(server);
  await using door = await openDoor({ endpoints: [shop.port] });
  assert.equal((await ask(door.place, { host, method: "PUT", body: Buffer.alloc(65_000) })).text, "65000");
  assert.equal(isBroken, false);
  isBroken = true;
  assert.equal((await ask(door.place, { host, method: "PUT", body: Buffer.alloc(1_000_000) })).status, 502);
});

test("an answer that comes before the request has ended is passed on at once", async () => {
  await using shop = await endpoint(createServer((_, response) => response.writeHead(401).end("who are you?")));
  await using door = await openDoor({ endpoints: [shop.port] });
  const asked = begin(door.place, { host, method: "POST", headers: { "content-length": "1000000" } });
  const answered = answerTo(asked);
  asked.write("begin");
  assert.equal((await answered).text, "who are you?");
  asked.destroy();
  const session = await openHttp2(door.second, host);
  const stream = session.request({ ":method": "POST", ":authority": host });
  stream.on("error", () => undefined);
  stream.write("begin");
  assert.equal(await text(stream), "who are you?");
  stream.close();
  session.close();
});

test("bytes go both ways as they come", async () => {
  await using shop = await endpoint(
    createServer((request, response) => {
      response.flushHeaders();
      request.pipe(response);
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const session = await openHttp2(door.second, host);
  const stream = session.request({ ":method": "POST", ":authority": host });
  for (const word of ["one", "two", "three"]) {
    const came = once(stream, "data");
    stream.write(word);
    assert.equal(String((await came)[0]), word);
  }
  stream.end();
  session.close();
});

test("a slow reader holds its endpoint up, and a slow endpoint its client: little is kept between", async () => {
  let given = 0;
  let hasStopped = false;
  const piece = Buffer.alloc(65_536);
  const server = createServer((request, response) => {
    if (request.method === "POST") return; // Takes nothing.
    const more = (): void => {
      while (!response.destroyed && response.write(piece)) given += piece.length;
      given += piece.length;
    };
    response.on("drain", more);
    response.on("close", () => (hasStopped = true));
    more();
  });
  await using shop = await endpoint(server);
  const settings = { timeouts: { connect: 5000, send: 3000, read: 3000, tunnel: 1000 } };
  await using door = await openDoor({ endpoints: [shop.port], settings });
  const bound = 16 * 1024 * 1024;

  const raw = await openRaw(door.place);
  raw.socket.pause();
  raw.socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await settled("an endless answer", () => given);
  assert.ok(given > 65_536 && given < bound, `the endpoint has given ${given} bytes to a client that reads none`);
  raw.socket.destroy();
  await until("the endpoint hears of its client's end", () => hasStopped);

  const asked = begin(door.place, { host, method: "POST", headers: { "transfer-encoding": "chunked" } });
  asked.on("error", () => undefined);
  let sent = 0;
  const push = (): void => {
    while (!asked.destroyed && sent < 8 * bound && asked.write(piece)) sent += piece.length;
    sent += piece.length;
  };
  asked.on("drain", push);
  push();
  await settled("an endless body", () => sent);
  assert.ok(sent < bound, `the client has sent ${sent} bytes to an endpoint that takes none`);
  await until("it is given up, as the endpoint takes nothing", () => door.log.length === 2);
  asked.destroy();
  assert.deepEqual(
    door.log.map(({ status }) => status),
    [200, 504],
  );
  assert.equal(door.handler.underWay, 0);
});

test("a client that goes takes its request to the endpoint with it, and is logged as 499", async () => {
  let gone = 0;
  await using shop = await endpoint(
    createServer((request) => {
      request.socket.on("close", () => (gone += 1));
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const asked = begin(door.place, { host });
  asked.on("error", () => undefined);
  asked.end();
  await until("it is under way", () => shop.sockets.size === 1);
  asked.destroy();
  await until("the endpoint is told", () => gone === 1);
  const session = await openHttp2(door.second, host);
  const stream = session.request({ ":authority": host });
  await until("another is under way", () => shop.sockets.size === 1);
  stream.close(8);
  await until("the endpoint is told again", () => gone === 2);
  session.close();
  await until("both are logged", () => door.log.length === 2);
  assert.deepEqual(
    door.log.map(({ status, backend }) => [status, backend?.tries]),
    [
      [499, 1],
      [499, 1],
    ],
  );
});

test("cookies of 8 kB and heads of 100 kB come through", async () => {
  await using shop = await endpoint(
    createServer({ maxHeaderSize: 1 << 17 }, (request, response) => {
      response.setHeader("x-large", "v".repeat(100_000));
      response.end(request.headers.cookie);
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const cookie = `big=${"c".repeat(8192)}`;
  const answered = await ask(door.place, { host, headers: { cookie } });
  assert.equal(answered.text, cookie);
  assert.equal(answered.headers["x-large"]?.length, 100_000);
});

test("the session's cookie is set beside the endpoint's own", async () => {
  await using shop = await endpoint(
    createServer((_, response) => response.setHeader("set-cookie", ["a=1", "b=2"]).end("ok")),
  );
  await using door = await openDoor({ endpoints: [shop.port], affinity: cookieAffinity() });
  const answered = await ask(door.place, { host });
  assert.deepEqual(
    answered.cookies.map(({ name }) => name),
    ["a", "b", "INGRESSCOOKIE"],
  );
  const again = await ask(door.place, { host, headers: { cookie: `INGRESSCOOKIE=${answered.cookies[2]!.value}` } });
  assert.deepEqual(
    again.cookies.map(({ name }) => name),
    ["a", "b"],
  );
});

test("error pages come from the default backend, which is told what happened", async () => {
  await using shop = await endpoint(createServer((_, response) => response.writeHead(404).end("plain")));
  await using pages = await endpoint(
    createServer((request, response) => {
      const { "x-code": code, "x-original-uri": uri, "x-service-name": service } = request.headers;
      response.writeHead(Number(code)).end(`${request.method} ${String(code)} ${String(uri)} ${String(service)}`);
    }),
  );
  const settings = { errorPages: { codes: [404, 502, 503], backend: "shop/pages:80" } };
  const others = { "shop/pages:80": [pages.port] };
  await using door = await openDoor({ endpoints: [shop.port], settings, others });
  const answered = await ask(door.place, { host, path: "/lost", method: "POST", body: "x" });
  assert.equal(answered.status, 404);
  assert.equal(answered.text, "GET 404 /lost web");
  door.follow({ endpoints: [], settings, others });
  assert.equal((await ask(door.place, { host })).text, "GET 503 / web");
  await shop.stop();
  door.follow({ endpoints: [shop.port], settings, others });
  assert.equal((await ask(door.place, { host })).text, "GET 502 / web");
});

test("headers of one connection end with it, and the endpoint hears who asks", async () => {
  await using shop = await endpoint(
    createServer((request, response) => {
      response.setHeader("connection", "x-hop");
      response.setHeader("x-hop", "1");
      response.end(JSON.stringify(request.headers));
    }),
  );
  await using door = await openDoor({ endpoints: [shop.port] });
  const headers = { connection: "x-mine, keep-alive", "x-mine": "1", te: "trailers", "x-forwarded-for": "192.0.2.9" };
  const answered = await ask(door.place, { host, headers });
  const seen = JSON.parse(answered.text) as Record<string, string>;
  assert.equal(seen["x-mine"], undefined);
  assert.equal(seen["x-forwarded-for"], "127.0.0.1");
  assert.equal(seen["x-forwarded-proto"], "http");
  assert.equal(answered.headers["x-hop"], undefined);
});

test("an endpoint that leaves in the middle of requests lets them end, and new ones go elsewhere", async () => {
  const waiting: (() => void)[] = [];
  await using old = await endpoint(
    createServer((_, response) => {
      response.write("old ");
      waiting.push(() => response.end("whole"));
    }),
  );
  await using fresh = await endpoint(createServer((_, response) => response.end("new")));
  await using door = await openDoor({ endpoints: [old.port] });
  const asked = ask(door.place, { host });
  await until("it is under way", () => waiting.length === 1);
  door.follow({ endpoints: [fresh.port] });
  assert.equal((await ask(door.place, { host })).text, "new");
  waiting[0]!();
  assert.equal((await asked).text, "old whole");
  await until("no connection is left to the one that has gone", () => old.sockets.size === 0);
});

test("a name as endpoint is resolved; one that is not there is 502 and is named in the log", async () => {
  await using shop = await endpoint(createServer((_, response) => response.end("ok")));
  const told: object[] = [];
  const log = { ...silentLog, warn: (facts: object) => void told.push(facts) };
  const away = { port: shop.port, address: "nowhere.invalid", key: "nowhere.invalid" };
  await using door = await openDoor({ endpoints: [{ ...away, address: "localhost" }] }, { log });
  assert.equal((await ask(door.place, { host })).text, "ok");
  door.follow({ endpoints: [away] });
  assert.equal((await ask(door.place, { host })).status, 502);
  assert.match(JSON.stringify(told), /nowhere\.invalid/);
});

test("a handler that drains says on each answer that it is the last", async () => {
  await using shop = await endpoint(createServer((_, response) => response.end("ok")));
  await using door = await openDoor({ endpoints: [shop.port] });
  const agent = keptAgent(door.place);
  assert.equal((await ask(door.place, { host, agent })).headers.connection, "keep-alive");
  door.handler.drain();
  assert.equal((await ask(door.place, { host, agent })).headers.connection, "close");
  agent.destroy();
});

test("what filters decide later than at once is waited for", async () => {
  await using shop = await endpoint(createServer((_, response) => response.end("ok")));
  let ended = 0;
  const filters: RouteFilters = {
    admit: async ({ path }) => {
      await new Promise((resolve) => setImmediate(resolve));
      return path === "/no" ? { status: 403, body: "no\n" } : undefined;
    },
    respond: ({ headers }) => {
      headers["x-touched"] = "1";
    },
    ended: () => (ended += 1),
  };
  await using door = await openDoor({ endpoints: [shop.port] }, { filters });
  const refused = await ask(door.place, { host, path: "/no" });
  assert.equal(refused.status, 403);
  assert.equal(refused.text, "no\n");
  assert.equal(refused.headers["x-touched"], "1");
  assert.equal(ended, 0);
  assert.equal((await ask(door.place, { host, method: "POST", body: "x" })).text, "ok");
  assert.equal(ended, 1);
});

/** Waits until a number has grown and grows no more. */
async function settled(what: string, ask: () => number): Promise<void> {
  let last = -1;
  let same = 0;
  await until(
    `${what} to stand still`,
    () => {
      const now = ask();
      same = now === last && now > 0 ? same + 1 : 0;
      last = now;
      return same >= 5;
    },
    { every: 100 },
  );
}
