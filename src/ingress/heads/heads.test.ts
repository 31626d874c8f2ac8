import { deepEqual, doesNotThrow, equal, ok } from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { test } from "node:test";
import { array, assert, constantFrom, dictionary, ipV4, oneof, property, string, webFragments } from "fast-check";
import { requestHead } from "../../../test/ingress/filter-examples.ts";
import { addressSet } from "../../net/address-set.ts";
import { upgradeOf } from "./connection.ts";
import { endToEnd, outgoingHead, responseHead, type Going } from "./forwarding.ts";
import { clientOf, originOf } from "./origin.ts";
import { page } from "./page.ts";
import { requestIdOf } from "./request-id.ts";

const trust = addressSet(["10.0.0.0/8", "fd00::/8"]);
const stranger = { client: "192.0.2.1", tls: false, port: 80 };
const proxy = { client: "::ffff:10.0.0.1", tls: false, port: 80 };

const sent = (headers: IncomingHttpHeaders, peer = stranger, going?: Going) =>
  outgoingHead(requestHead("/a?b", { headers, authority: "A.example:80" }), originOf(peer, headers, trust), going);

/** What we set of every request from 192.0.2.1. */
const ours = {
  host: "A.example:80",
  "x-request-id": "1",
  "x-real-ip": "192.0.2.1",
  "x-forwarded-for": "192.0.2.1",
  "x-forwarded-host": "A.example:80",
  "x-forwarded-port": "80",
  "x-forwarded-proto": "http",
  "x-forwarded-scheme": "http",
  "x-scheme": "http",
};

test("what is of one connection ends here, with whatever Connection names", () => {
  const headers = {
    host: "A.example:80",
    connection: "Keep-Alive, X-Own , ,authorization,Host, content-length",
    "keep-alive": "timeout=5",
    "proxy-connection": "keep-alive",
    "proxy-authorization": "Basic x",
    "proxy-authenticate": "Basic",
    te: "gzip, trailers",
    "transfer-encoding": "chunked",
    upgrade: "websocket",
    "http2-settings": "x",
    trailer: "x-sum",
    expect: "100-continue",
    proxy: "http://evil.example",
    "x-own": "1",
    authorization: "Basic y",
    ":path": "/",
    accept: "*/*",
    "content-length": "5",
    cookie: "a=b; c=d",
  };
  deepEqual(sent(headers), {
    target: "/a?b",
    headers: { ...ours, accept: "*/*", "content-length": "5", cookie: "a=b; c=d" },
  });
});

test("trailers are wanted of gRPC alone, and Upgrade goes on where it is agreed on", () => {
  const headers = { te: "trailers", connection: "upgrade", upgrade: "websocket" };
  deepEqual(sent(headers, stranger, { trailers: true }).headers, { ...ours, te: "trailers" });
  deepEqual(sent(headers, stranger, { upgrade: "websocket" }).headers, {
    ...ours,
    connection: "upgrade",
    upgrade: "websocket",
  });
});

test("what a stranger says for whom it asks is replaced, and so is what only somebody in front can know", () => {
  const headers = {
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": "admin.example",
    "x-forwarded-proto": "https",
    "x-forwarded-port": "443",
    "x-forwarded-user": "root",
    "x-forwarded-prefix": "/admin",
    "x-real-ip": "127.0.0.1",
    forwarded: "for=127.0.0.1",
    "ssl-client-verify": "SUCCESS",
    x_forwarded_for: "127.0.0.1",
    x_own: "1",
  };
  deepEqual(sent(headers).headers, { ...ours, "x-original-forwarded-for": "127.0.0.1" });
});

test("what a trusted proxy says for whom it asks is taken, and the proxy is put behind it", () => {
  const headers = {
    "x-forwarded-for": "1.1.1.1, 192.0.2.7",
    "x-forwarded-host": "b.example, c.example",
    "x-forwarded-proto": "HTTPS",
    "x-forwarded-prefix": "/app",
    forwarded: "for=192.0.2.7",
  };
  deepEqual(sent(headers, proxy).headers, {
    host: "b.example",
    "x-request-id": "1",
    "x-real-ip": "192.0.2.7",
    "x-forwarded-for": "1.1.1.1, 192.0.2.7, 10.0.0.1",
    "x-original-forwarded-for": "1.1.1.1, 192.0.2.7",
    "x-forwarded-host": "b.example",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
    "x-forwarded-scheme": "https",
    "x-scheme": "https",
    "x-forwarded-prefix": "/app",
    forwarded: "for=192.0.2.7",
  });
});

test("nonsense of a trusted proxy is passed over", () => {
  for (const [name, value] of [
    ["x-forwarded-host", "a b"],
    ["x-forwarded-host", "x\r\ny: z"],
    ["x-forwarded-host", ""],
    ["x-forwarded-proto", "javascript"],
    ["x-forwarded-port", "99999"],
    ["x-forwarded-port", "-1"],
    ["x-forwarded-port", "80.5"],
    ["x-forwarded-for", "unknown"],
  ] as const) {
    deepEqual(
      originOf(proxy, { [name]: value }, trust),
      { peer: "10.0.0.1", isTrusted: true, client: "10.0.0.1", scheme: "http", authority: undefined, port: 80 },
      `${name}: ${value}`,
    );
  }
});

for (const [said, client] of [
  [undefined, "10.0.0.1"],
  ["", "10.0.0.1"],
  ["192.0.2.7", "192.0.2.7"],
  ["6.6.6.6, 192.0.2.7", "192.0.2.7"],
  ["6.6.6.6, 192.0.2.7, 10.0.0.9", "192.0.2.7"],
  ["6.6.6.6,192.0.2.7 ,10.0.0.9,", "10.0.0.1"],
  ["192.0.2.7:4711", "192.0.2.7"],
  ["[2001:db8::1]:4711, 10.2.2.2", "2001:db8::1"],
  ["2001:db8::1, fd00::1", "2001:db8::1"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["6.6.6.6, unknown, 10.0.0.9", "10.0.0.9"],
  ["10.0.0.7, 10.0.0.8", "10.0.0.7"],
  [" , ", "10.0.0.1"],
] as const) {
  test(`of ${JSON.stringify(said)} the client is ${client}`, () => {
    equal(clientOf("10.0.0.1", said === undefined ? {} : { "x-forwarded-for": said }, trust), client);
    equal(clientOf("192.0.2.1", said === undefined ? {} : { "x-forwarded-for": said }, trust), "192.0.2.1");
  });
}

test("the client is the last address that nobody trusted has written, whatever is in front of it", () => {
  const trusted = ipV4().map((ip) => `10.${ip.split(".").slice(1).join(".")}`);
  const anything = oneof(ipV4(), string(), constantFrom("unknown", "", "10.0.0.1"));
  assert(
    property(array(anything), array(trusted, { maxLength: 20 }), (front, behind) => {
      const list = [...front, "192.0.2.7", ...behind].join(", ");
      equal(clientOf("10.0.0.1", { "x-forwarded-for": list }, trust), "192.0.2.7");
    }),
  );
});

test("nobody has more than a hundred proxies", () => {
  const hops = (count: number) => ({ "x-forwarded-for": `192.0.2.7${", 10.0.0.2".repeat(count)}` });
  deepEqual([clientOf("10.0.0.1", hops(99), trust), clientOf("10.0.0.1", hops(100), trust)], ["192.0.2.7", "10.0.0.2"]);
});

test("10,000 entries of X-Forwarded-For are walked back over in no time", () => {
  const began = performance.now();
  for (let count = 0; count < 100; count += 1) {
    clientOf("10.0.0.1", { "x-forwarded-for": "10.0.0.2, ".repeat(10_000) + "10.0.0.2" }, trust);
    clientOf("10.0.0.1", { "x-forwarded-for": ",".repeat(10_000) }, trust);
    clientOf("10.0.0.1", { "x-forwarded-for": "1".repeat(100_000) }, trust);
  }
  ok(performance.now() - began < 3000);
});

const name = oneof(
  string({ minLength: 1, maxLength: 12 }).map((text) => text.toLowerCase()),
  constantFrom(
    "connection",
    "te",
    "host",
    "cookie",
    "__proto__",
    "constructor",
    "x-forwarded-for",
    "upgrade",
    "content-length",
  ),
);
const anyHeaders = dictionary(name, oneof(string(), webFragments(), array(string(), { maxLength: 3 })));

test("no header that Connection names goes on, either way", () => {
  assert(
    property(array(string({ minLength: 1, maxLength: 8 }), { maxLength: 10 }), (words) => {
      const named = words.map((word) => word.replaceAll(",", "").trim().toLowerCase()).filter((word) => word !== "");
      const headers: Record<string, string> = { connection: named.map((word) => word.toUpperCase()).join(" , ") };
      for (const word of named) headers[word] = "1";
      headers["connection"] = named.map((word) => word.toUpperCase()).join(" , ");
      const lower = new Set(headers["connection"].split(",").map((word) => word.trim().toLowerCase()));
      const passed = (came: object) =>
        Object.keys(came).filter((key) => lower.has(key) && key !== "host" && key !== "content-length");
      deepEqual(passed(endToEnd(headers)), []);
      deepEqual(
        passed(outgoingHead(requestHead("/", { headers }), originOf(stranger, headers, trust)).headers).filter(
          (key) => !(key in ours),
        ),
        [],
      );
      deepEqual(
        passed(responseHead(200, headers, "1").headers).filter((key) => key !== "x-request-id"),
        [],
      );
    }),
    { numRuns: 1000 },
  );
});

test("heads with any names and values throw nothing, and change no prototype", () => {
  assert(
    property(anyHeaders, (headers) => {
      const came = headers as IncomingHttpHeaders;
      doesNotThrow(() => {
        for (const peer of [stranger, proxy]) {
          const outgoing = outgoingHead(requestHead("/", { headers: came }), originOf(peer, came, trust));
          equal(Object.getPrototypeOf(outgoing.headers), Object.prototype);
        }
        const response = responseHead(200, headers, "1");
        equal(Object.getPrototypeOf(response.headers), Object.prototype);
        upgradeOf(came as Record<string, string>);
        requestIdOf(came, Math.random);
      });
    }),
    { numRuns: 2000 },
  );
});

test("of an answer everything goes on but what is of the connection, and for servers in front", () => {
  deepEqual(
    responseHead(
      200,
      {
        ":status": "200",
        connection: "close, x-own",
        "keep-alive": "timeout=5",
        "transfer-encoding": "chunked",
        "x-own": "1",
        "x-accel-redirect": "/secret",
        server: "x",
        date: "now",
        "alt-svc": "h3",
        trailer: "x-sum",
        "content-length": "5",
        "set-cookie": ["a=b", "c=d"],
      },
      "1",
    ),
    {
      status: 200,
      headers: {
        server: "x",
        date: "now",
        "alt-svc": "h3",
        trailer: "x-sum",
        "content-length": "5",
        "set-cookie": ["a=b", "c=d"],
        "x-request-id": "1",
      },
    },
  );
  equal(responseHead(200, { "x-request-id": "theirs" }, "1").headers["x-request-id"], "theirs");
});

for (const [connection, upgrade, expected] of [
  ["Upgrade", "websocket", "websocket"],
  ["keep-alive, upgrade", "WebSocket", "WebSocket"],
  ["keep-alive", "websocket", undefined],
  [undefined, "websocket", undefined],
  ["upgrade", undefined, undefined],
  ["upgrade, http2-settings", "h2c", undefined],
  ["upgrade", "h2c, websocket", undefined],
  ["upgrade", "a\r\nb", undefined],
  ["upgrade", "spdy/3.1", "spdy/3.1"],
] as const) {
  test(`Connection ${connection} and Upgrade ${JSON.stringify(upgrade)} want ${expected}`, () => {
    equal(
      upgradeOf({ ...(connection === undefined ? {} : { connection }), ...(upgrade === undefined ? {} : { upgrade }) }),
      expected,
    );
  });
}

test("a request is called as its client says, or by 32 hexadecimal digits", () => {
  equal(
    requestIdOf({ "x-request-id": "mine" }, () => 0),
    "mine",
  );
  for (const said of ["", "a b", "x".repeat(129), "ü", "a\r\nb"]) {
    equal(
      requestIdOf({ "x-request-id": said }, () => 0.5),
      "80000000".repeat(4),
    );
  }
});

test("pages name the status, as the client likes to read it, and nothing of us", () => {
  equal(page(503, undefined).body, "503 Service Unavailable\n");
  equal(page(404, "application/json").headers["content-type"], "text/plain; charset=utf-8");
  const { headers, body } = page(404, "text/html,application/xhtml+xml");
  equal(headers["content-type"], "text/html; charset=utf-8");
  equal(Number(headers["content-length"]), Buffer.byteLength(body));
  ok(body.includes("404 Not Found") && !/fairlead|\d\.\d/i.test(body));
  equal(page(499, undefined).body, "499\n");
});
