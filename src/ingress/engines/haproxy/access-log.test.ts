import assert from "node:assert/strict";
import { test } from "node:test";
import { readLogLine } from "./access-log.ts";

const names = {
  route: (id: string) =>
    id === "r7" ? { ingress: { namespace: "default", name: "i" }, host: "shop.example", path: "/shop" } : undefined,
  backend: (slot: string) => (slot === "b1" ? "default/web:80" : undefined),
};

const line = (more: Record<string, unknown> = {}, target = "/x?y=1"): string =>
  `${JSON.stringify({
    s: 1_700_000_000_000,
    h: 2,
    i: 40,
    d: 125,
    c: "192.0.2.7",
    v: "HTTP/1.1",
    t: 1,
    m: "GET",
    n: "a.example",
    a: 200,
    e: "--",
    u: 300,
    b: 900,
    x: "-",
    z: "500",
    g: "curl/8",
    f: "-",
    q: "abc",
    r: "r7",
    k: "b1",
    p: "10.0.0.9:8080",
    w: 17,
    y: "0",
    ...more,
  })} ${target}`;

void test("a line is what ended, with names of ours for route and backend", () => {
  assert.deepEqual(readLogLine(line(), names), {
    at: 1_700_000_000_042,
    duration: 0.125,
    client: "192.0.2.7",
    protocol: "HTTP/1.1",
    tls: true,
    method: "GET",
    host: "a.example",
    target: "/x?y=1",
    status: 200,
    received: 0,
    sent: 500,
    userAgent: "curl/8",
    referer: undefined,
    requestId: "abc",
    route: { ingress: { namespace: "default", name: "i" }, host: "shop.example", path: "/shop" },
    backend: { id: "default/web:80", endpoint: "10.0.0.9:8080", latency: 0.017, tries: 1 },
  });
});

void test("HTTP/2 targets are without scheme and authority; retries are counted; a redispatch is marked by a plus", () => {
  const read = readLogLine(line({ v: "HTTP/2.0", y: "+2" }, "https://a.example/x} y"), names);
  assert.equal(read?.target, "/x} y");
  assert.equal(read?.protocol, "HTTP/2.0");
  assert.equal(read?.backend?.tries, 3);
});

void test("a client that goes before there is an answer is 499; one that goes in the body is not", () => {
  assert.equal(readLogLine(line({ a: -1, e: "CH" }), names)?.status, 499);
  assert.equal(readLogLine(line({ a: 200, e: "CD" }), names)?.status, 200);
});

void test("nobody asked, no route; text with braces and quotes", () => {
  const read = readLogLine(line({ r: "", k: "in", p: "-:-", g: 'x"} y', a: 404 }), names);
  assert.equal(read?.route, undefined);
  assert.equal(read?.backend, undefined);
  assert.equal(read?.userAgent, 'x"} y');
});

void test("anything else is no line of ours", () => {
  for (const text of ["", "x", "{", "{} ", "Server b1/x is UP", '{"s":'])
    assert.doesNotThrow(() => readLogLine(text, names), text);
  assert.equal(readLogLine("Server b1/x is UP", names), undefined);
});
