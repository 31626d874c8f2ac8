import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { answerTo, ask as askAt, begin, keptAgent, openRaw, rawExchange } from "../lab/clients.ts";
import { headerOf } from "../lab/behaviour.ts";
import { TRUSTED_CLIENT, type EngineSubject } from "../lab/door.ts";
import { onStage } from "./stage.ts";

/** Messages of HTTP/1.1 go through as they are, but for what is of the connection. */
export const messageExamples = (subject: EngineSubject): void =>
  onStage(subject, "messages", (add) => {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT", "LOCK"]) {
      add(`method ${method} goes through, with a body`, async ({ site }) => {
        const { ask } = await site();
        const { seen } = await ask({ method, body: "a body", headers: { "content-length": 6 } });
        assert.deepEqual([seen.method, seen.length], [method, 6]);
      });
    }

    add("methods TRACE and CONNECT are not carried to pods", async ({ site, door, lab }) => {
      const { host } = await site();
      for (const head of [
        `CONNECT ${host}:80 HTTP/1.1\r\nHost: ${host}:80`,
        `CONNECT /no-tunnel HTTP/1.1\r\nHost: ${host}`,
      ]) {
        const answer = await rawExchange(door.plain, `${head}\r\nConnection: close\r\n\r\n`);
        assert.match(answer, /^(HTTP\/1\.1 4\d\d|HTTP\/1\.1 501|$)/);
      }
      assert.deepEqual(
        (await lab.seen()).filter(({ method }) => method === "CONNECT"),
        [],
      );
    });

    add("HEAD has the headers of a body, and none", async ({ site, door }) => {
      const { host } = await site();
      const agent = keptAgent(door.plain);
      const head = await askAt(door.plain, { host, method: "HEAD", how: { bytes: 1000 }, agent });
      assert.equal(head.status, 200);
      assert.equal(head.headers["content-length"], "1000");
      assert.equal(head.body.length, 0);
      // The next answer of the connection is where it should be.
      const next = await askAt(door.plain, { host, agent });
      assert.ok(next.reused);
      assert.equal(next.status, 200);
      agent.destroy();
    });

    for (const status of [204, 304]) {
      add(`${status} has no body, and the connection goes on`, async ({ site, door }) => {
        const { host } = await site();
        const agent = keptAgent(door.plain);
        const empty = await askAt(door.plain, { host, how: { status, headers: [["etag", '"x"']] }, agent });
        assert.equal(empty.status, status);
        assert.equal(empty.headers.etag, '"x"');
        assert.equal(empty.headers["transfer-encoding"], undefined);
        const next = await askAt(door.plain, { host, agent });
        assert.ok(next.reused);
        assert.equal(next.status, 200);
        agent.destroy();
      });
    }

    for (const status of [200, 201, 206, 302, 400, 401, 404, 418, 429, 500, 502, 503, 504, 599]) {
      add(`status ${status} of a pod is the client's`, async ({ site }) => {
        const { ask, pods } = await site();
        const answered = await ask({ how: { status, body: "as it is" } });
        assert.deepEqual([answered.status, answered.text, answered.pod], [status, "as it is", pods[0]!.name]);
      });
    }

    add("bodies of a length and chunked bodies go through, both ways", async ({ site }) => {
      const { ask } = await site();
      const body = "0123456789".repeat(50_000);
      const counted = await ask({ method: "POST", body });
      assert.equal(headerOf(counted.seen, "content-length"), "500000");
      assert.equal(counted.seen.length, 500_000);
      const chunked = await ask({ method: "POST", body, headers: { "transfer-encoding": "chunked" } });
      assert.equal(chunked.seen.length, 500_000);
      assert.equal(chunked.seen.sha256, counted.seen.sha256);
      const answered = await ask({ how: { chunked: true, bytes: 500_000 } });
      assert.equal(answered.body.length, 500_000);
      assert.equal(answered.headers["transfer-encoding"], "chunked");
      assert.equal((await ask({ how: { bytes: 500_000 } })).headers["content-length"], "500000");
    });

    add("a request without a body gets none", async ({ site }) => {
      const { ask } = await site();
      const { seen } = await ask();
      assert.equal(headerOf(seen, "transfer-encoding"), undefined);
      assert.ok([undefined, "0"].includes(headerOf(seen, "content-length")));
    });

    add("trailers of a response reach the client", async ({ site }) => {
      const { ask } = await site();
      const { trailers } = await ask({ how: { trailers: { "x-checksum": "abc" } }, headers: { te: "trailers" } });
      assert.equal(trailers["x-checksum"], "abc");
    });

    add("trailers of a request reach the pod", async ({ site, door, lab }) => {
      const { host } = await site();
      const path = "/with-trailers";
      await rawExchange(
        door.plain,
        `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 42\r\n\r\n`,
      );
      const seen = await lab.sees(path, ({ outcome }) => outcome === "ended");
      assert.equal(seen.length, 3);
      assert.equal(seen.trailers["x-sum"], "42");
    });

    add("100-continue: the body is asked for, and arrives", async ({ site, door }) => {
      const { host } = await site();
      const request = begin(door.plain, {
        host,
        method: "POST",
        headers: { expect: "100-continue", "content-length": 5 },
      });
      const answered = answerTo(request);
      request.flushHeaders();
      await new Promise((resolve) => request.once("continue", resolve));
      request.end("hello");
      assert.equal((await answered).seen.length, 5);
    });

    add("early hints come before the answer", async ({ site }) => {
      const { ask } = await site();
      const { hints, status } = await ask({ how: { early: [{ link: "</style.css>; rel=preload; as=style" }] } });
      assert.equal(status, 200);
      assert.deepEqual(hints, ["</style.css>; rel=preload; as=style"]);
    });

    add("a compressed body is not touched", async ({ site }) => {
      const { ask } = await site();
      const body = gzipSync("hello ".repeat(1000));
      const { seen } = await ask({ method: "POST", body, headers: { "content-encoding": "gzip" } });
      assert.equal(seen.length, body.length);
      assert.equal(headerOf(seen, "content-encoding"), "gzip");
      const echo = await ask({ method: "POST", body, how: { echo: true, headers: [["content-encoding", "gzip"]] } });
      assert.deepEqual(echo.body, body);
      assert.equal(echo.headers["content-encoding"], "gzip");
      assert.equal(
        headerOf((await ask({ headers: { "accept-encoding": "br, zstd;q=0.5" } })).seen, "accept-encoding"),
        "br, zstd;q=0.5",
      );
    });

    add("headers of one name stay several, Set-Cookie above all", async ({ site }) => {
      const { ask } = await site();
      const headers: [string, string][] = [
        ["set-cookie", "a=1; Path=/"],
        ["set-cookie", "b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT"],
        ["www-authenticate", "Basic"],
        ["www-authenticate", "Bearer"],
        ["x-many", "1"],
        ["x-many", "2"],
      ];
      const answered = await ask({ how: { headers } });
      assert.deepEqual(answered.headers["set-cookie"], ["a=1; Path=/", "b=2; Expires=Thu, 01 Jan 2026 00:00:00 GMT"]);
      assert.equal(answered.headers["x-many"], "1, 2");
      assert.equal(answered.headers["www-authenticate"], "Basic, Bearer");
      const { seen } = await ask({ headers: { "x-list": ["1", "2"], cookie: "a=1; b=2" } });
      assert.equal(headerOf(seen, "x-list")?.replace(" | ", ", "), "1, 2");
      assert.equal(headerOf(seen, "cookie"), "a=1; b=2");
    });

    add(
      "headers of the connection end here: what Connection names, Keep-Alive, TE, Proxy-*",
      async ({ site, door, lab }) => {
        const { host } = await site();
        const path = "/hop-by-hop";
        const answer = await rawExchange(
          door.plain,
          [
            `GET ${path} HTTP/1.1`,
            `Host: ${host}`,
            "Connection: close, X-Mine",
            "Keep-Alive: timeout=5",
            "X-Mine: secret",
            "X-Yours: kept",
            "Proxy-Connection: keep-alive",
            "Proxy-Authorization: Basic eDp5",
            "TE: trailers, deflate",
            `x-do: ${JSON.stringify({
              headers: [
                ["keep-alive", "timeout=77"],
                ["proxy-authenticate", "Basic"],
                ["x-hop", "1"],
              ],
            })}`,
            "\r\n",
          ].join("\r\n"),
        );
        const seen = await lab.sees(path);
        assert.equal(headerOf(seen, "x-mine"), undefined);
        assert.equal(headerOf(seen, "x-yours"), "kept");
        assert.equal(headerOf(seen, "keep-alive"), undefined);
        assert.equal(headerOf(seen, "proxy-connection"), undefined);
        assert.equal(headerOf(seen, "proxy-authorization"), undefined);
        assert.ok([undefined, "trailers"].includes(headerOf(seen, "te")));
        assert.doesNotMatch(answer.split("\r\n\r\n")[0]!, /timeout=77/);
        assert.match(answer, /x-hop: 1/i);
      },
    );

    add("Connection cannot take away headers that matter", async ({ site, door, lab }) => {
      const { host } = await site();
      const path = "/names-much";
      await rawExchange(
        door.plain,
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nX-Real-IP: 9.9.9.9\r\nConnection: close, X-Forwarded-For, X-Forwarded-Proto, X-Real-IP, Host\r\n\r\n`,
      );
      const seen = await lab.sees(path);
      assert.equal(headerOf(seen, "x-forwarded-for"), "127.0.0.1");
      assert.equal(headerOf(seen, "x-real-ip"), "127.0.0.1");
      assert.equal(headerOf(seen, "x-forwarded-proto"), "http");
      assert.equal(headerOf(seen, "host"), host);
    });

    add("X-Forwarded-* say how the client came, by plain HTTP and by TLS", async ({ site, door }) => {
      const { ask, askTls, host } = await site();
      const { seen } = await ask();
      assert.equal(headerOf(seen, "host"), host);
      assert.equal(headerOf(seen, "x-forwarded-for"), "127.0.0.1");
      assert.equal(headerOf(seen, "x-real-ip"), "127.0.0.1");
      assert.equal(headerOf(seen, "x-forwarded-proto"), "http");
      assert.equal(headerOf(seen, "x-forwarded-scheme"), "http");
      assert.equal(headerOf(seen, "x-scheme"), "http");
      assert.equal(headerOf(seen, "x-forwarded-host"), host);
      assert.equal(headerOf(seen, "x-forwarded-port"), `${door.plain.port}`);
      assert.match(headerOf(seen, "x-request-id") ?? "", /^[0-9a-f-]{32,36}$/);
      const secure = (await askTls()).seen;
      assert.equal(headerOf(secure, "x-forwarded-proto"), "https");
      assert.equal(headerOf(secure, "x-forwarded-port"), `${door.secure.port}`);
    });

    add(
      "what a stranger says in X-Forwarded-* is replaced, and what somebody trusted says is kept",
      async ({ site }) => {
        const { ask } = await site();
        const headers = {
          "x-forwarded-for": "203.0.113.7, 198.51.100.2",
          "x-forwarded-proto": "https",
          "x-forwarded-host": "spoofed.test",
          "x-forwarded-port": "1",
          "x-real-ip": "203.0.113.7",
          forwarded: "for=203.0.113.7;proto=https",
        };
        const strange = (await ask({ headers })).seen;
        assert.equal(headerOf(strange, "x-forwarded-for"), "127.0.0.1");
        assert.equal(headerOf(strange, "x-real-ip"), "127.0.0.1");
        assert.equal(headerOf(strange, "x-forwarded-proto"), "http");
        assert.notEqual(headerOf(strange, "x-forwarded-host"), "spoofed.test");
        assert.doesNotMatch(headerOf(strange, "forwarded") ?? "", /203\.0\.113\.7/);
        const trusted = (await ask({ headers, localAddress: TRUSTED_CLIENT })).seen;
        assert.match(headerOf(trusted, "x-forwarded-for") ?? "", /198\.51\.100\.2/);
        assert.equal(headerOf(trusted, "x-real-ip"), "198.51.100.2");
        assert.equal(headerOf(trusted, "x-forwarded-proto"), "https");
        assert.equal(headerOf(trusted, "x-forwarded-host"), "spoofed.test");
      },
    );

    add("header names with underscores cannot pass for those that we set", async ({ site }) => {
      const { ask } = await site();
      const { seen } = await ask({ headers: { x_forwarded_for: "203.0.113.7", "X_Real-IP": "203.0.113.7" } });
      assert.equal(headerOf(seen, "x_forwarded_for"), undefined);
      assert.equal(headerOf(seen, "x_real-ip"), undefined);
    });

    add(
      "X-Request-ID is kept where the client says one, and sent back in neither case to another",
      async ({ site }) => {
        const { ask } = await site();
        assert.equal(headerOf((await ask({ headers: { "x-request-id": "mine-1" } })).seen, "x-request-id"), "mine-1");
        const [one, two] = [(await ask()).seen, (await ask()).seen];
        assert.notEqual(headerOf(one, "x-request-id"), headerOf(two, "x-request-id"));
      },
    );

    for (const [version, header] of [
      ["1", Buffer.from("PROXY TCP4 203.0.113.9 198.51.100.1 4711 80\r\n")],
      ["1, IPv6", Buffer.from("PROXY TCP6 2001:db8::9 2001:db8::1 4711 80\r\n")],
      ["2", proxyV2([203, 0, 113, 9])],
    ] as const) {
      add(`PROXY protocol version ${version} says who the client is`, async ({ site, door, lab }) => {
        const { host } = await site();
        const path = `/proxied-${encodeURIComponent(version)}`;
        const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
        await rawExchange(door.proxied, Buffer.concat([header, Buffer.from(request)]));
        const seen = await lab.sees(path);
        const client = version.includes("6") ? "2001:db8::9" : "203.0.113.9";
        assert.equal(headerOf(seen, "x-forwarded-for"), client);
        assert.equal(headerOf(seen, "x-real-ip"), client);
      });
    }

    add("PROXY protocol in pieces is read, or refused by who wants it whole; never read otherwise", async (stage) => {
      const { site, door, lab, subject } = stage;
      const { host } = await site();
      const request = (path: string): Buffer =>
        Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      const pieces = await openRaw(door.proxied);
      const whole = Buffer.concat([proxyV2([203, 0, 113, 10]), request("/proxied-pieces")]);
      for (let i = 0; i < whole.length; i += 7) {
        pieces.write(whole.subarray(i, i + 7));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await pieces.over();
      const [seen] = await lab.seenOf("/proxied-pieces");
      if (subject.wantsProxyHeaderWhole !== true) assert.ok(seen !== undefined, "it reaches a pod");
      if (seen !== undefined) assert.equal(headerOf(seen, "x-real-ip"), "203.0.113.10");
    });

    add("PROXY protocol LOCAL: the client is the connection's own", async ({ site, door, lab }) => {
      const { host } = await site();
      const request = (path: string): Buffer =>
        Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      const local = Buffer.concat([Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex"), request("/proxied-local")]);
      await rawExchange(door.proxied, local);
      assert.equal(headerOf(await lab.sees("/proxied-local"), "x-real-ip"), "127.0.0.1");
    });

    add("a connection without PROXY protocol where it should be is answered nothing", async ({ site, door, lab }) => {
      const { host } = await site();
      const answer = await rawExchange(
        door.proxied,
        `GET /unproxied HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      assert.ok(answer === "" || answer.startsWith("HTTP/1.1 400"), answer);
      assert.deepEqual(await lab.seenOf("/unproxied"), []);
    });

    add("a kept connection goes from host to host", async ({ site, door }) => {
      const [one, two] = [await site({ pods: 1 }), await site({ pods: 3 })];
      const agent = keptAgent(door.plain);
      for (let i = 0; i < 6; i++) {
        const { host } = i % 2 === 0 ? one : two;
        const { status, seen, reused } = await askAt(door.plain, { host, agent });
        assert.equal(status, 200);
        assert.equal(headerOf(seen, "host"), host);
        assert.equal(reused, i > 0);
      }
      agent.destroy();
    });

    add("requests that are sent without waiting are answered in their order", async ({ site, door }) => {
      const { host } = await site({ pods: 3 });
      const connection = await openRaw(door.plain);
      const request = (i: number, close = ""): string =>
        `GET /pipelined-${i} HTTP/1.1\r\nHost: ${host}\r\nx-do: ${JSON.stringify({ delay: 60 - i * 10 })}\r\n${close}\r\n`;
      connection.write(request(0) + request(1) + request(2) + request(3, "Connection: close\r\n"));
      const answer = await connection.over();
      const targets = [...answer.matchAll(/"target":"(.*?)"/g)].map(([, target]) => target);
      assert.deepEqual(targets, ["/pipelined-0", "/pipelined-1", "/pipelined-2", "/pipelined-3"]);
    });

    add("HTTP/1.0 is answered, and its connection closed", async ({ site, door }) => {
      const { host } = await site();
      const answer = await rawExchange(
        door.plain,
        `GET /old HTTP/1.0\r\nHost: ${host}\r\nx-do: ${JSON.stringify({ chunked: true, body: "whole" })}\r\n\r\n`,
      );
      assert.match(answer, /^HTTP\/1\.[01] 200/);
      assert.doesNotMatch(answer, /transfer-encoding/i);
      assert.match(answer, /\r\n\r\nwhole$/);
    });

    add("the access log has each request once, with who answered", async ({ site, door }) => {
      const { ask, host, pods, name } = await site();
      await ask({
        path: "/logged?x=1",
        method: "POST",
        body: "12345",
        headers: { "user-agent": "suite", referer: "http://r/" },
      });
      const found = () => door.log.filter((exchange) => exchange.host === host);
      while (found().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(found().length, 1);
      const exchange = found()[0]!;
      assert.equal(exchange.status, 200);
      assert.equal(exchange.method, "POST");
      assert.equal(exchange.target, "/logged?x=1");
      assert.equal(exchange.received, 5);
      assert.equal(exchange.client, "127.0.0.1");
      assert.equal(exchange.userAgent, "suite");
      assert.deepEqual(exchange.route, { ingress: { namespace: "default", name }, host, path: "/" });
      assert.equal(exchange.backend?.endpoint, `${pods[0]!.address}:${pods[0]!.port}`);
      assert.equal(exchange.backend?.tries, 1);
      await ask({ host: "nowhere.logged.test" });
      const missed = () => door.log.find((each) => each.host === "nowhere.logged.test");
      while (missed() === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(missed()?.status, 404);
      assert.equal(missed()?.route, undefined);
    });
  });

/** PROXY protocol version 2 for TCP over IPv4. */
function proxyV2(client: readonly [number, number, number, number]): Buffer {
  const head = Buffer.from("0d0a0d0a000d0a515549540a2111000c", "hex");
  return Buffer.concat([head, Buffer.from([...client, 198, 51, 100, 1]), Buffer.from([0x12, 0x67, 0x00, 0x50])]);
}
