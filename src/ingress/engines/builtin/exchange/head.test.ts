import assert from "node:assert/strict";
import { test } from "node:test";
import { destinationOf, hostOf } from "./head.ts";

test("CTL-130: a host is compared in lower case, without its port and without the dot of the root", () => {
  const hosts: [string, string | undefined][] = [
    ["a.example", "a.example"],
    ["A.Example:8080", "a.example"],
    ["a.example.", "a.example"],
    ["a.example.:80", "a.example"],
    ["a_b.example", "a_b.example"],
    ["xn--nxasmq6b.example", "xn--nxasmq6b.example"],
    ["192.0.2.1:80", "192.0.2.1"],
    ["[2001:DB8::1]:80", "[2001:db8::1]"],
    ["[2001:db8::1]", "[2001:db8::1]"],
    ["a.example:", "a.example"],
    ["", undefined],
    [".", undefined],
    ["a.example:80x", undefined],
    ["a.example:123456", undefined],
    ["me@a.example", undefined],
    ["a.example/b", undefined],
    ["a example", undefined],
    ["*.example", undefined],
    ["a.example..", undefined],
    ["bücher.example", undefined],
    ["[::1", undefined],
  ];
  for (const [said, host] of hosts) assert.equal(hostOf(said), host, said);
});

test("a target is a path, or a URL whose host is that of Host", () => {
  const first = (target: string, host: string | undefined) => destinationOf(target, "HTTP/1.1", host, undefined);
  assert.deepEqual(first("/a?b", "A.example:80"), { target: "/a?b", host: "a.example", authority: "A.example:80" });
  assert.deepEqual(first("http://a.example/x", "a.example"), {
    target: "/x",
    host: "a.example",
    authority: "a.example",
  });
  assert.deepEqual(first("HTTPS://a.example?q", "a.example:443"), {
    target: "/?q",
    host: "a.example",
    authority: "a.example",
  });
  assert.deepEqual(destinationOf("/", "HTTP/1.0", undefined, undefined), { target: "/", host: "", authority: "" });
  assert.deepEqual(destinationOf("/", "HTTP/2.0", undefined, "a.example"), {
    target: "/",
    host: "a.example",
    authority: "a.example",
  });
  assert.deepEqual(destinationOf("/", "HTTP/2.0", "a.example:80", "a.example"), {
    target: "/",
    host: "a.example",
    authority: "a.example",
  });
  const refused: [string, string | undefined][] = [
    ["/", undefined],
    ["/", ""],
    ["*", "a.example"],
    ["a.example:443", "a.example"],
    ["ftp://a.example/", "a.example"],
    ["http://b.example/", "a.example"],
    ["http://me@a.example/", "a.example"],
    ["http:///x", "a.example"],
    ["/a#b", "a.example"],
    ["/a b", "a.example"],
    ["/a\u0000", "a.example"],
    ["/a\u007f", "a.example"],
    ["/ā", "a.example"],
    ["", "a.example"],
  ];
  for (const [target, host] of refused) assert.equal(typeof first(target, host), "string", `${target} ${host}`);
  assert.equal(typeof destinationOf("/", "HTTP/2.0", "b.example", "a.example"), "string");
});
