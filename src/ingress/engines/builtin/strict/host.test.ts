import assert from "node:assert/strict";
import { test } from "node:test";
import { isHost } from "./host.ts";

test("a host is a name or an address, with or without a port", () => {
  for (const host of [
    "a",
    "a.example",
    "A.Example:80",
    "a_b.example",
    "192.0.2.1:8080",
    "[2001:db8::1]",
    "[::1]:443",
    "a.example.",
  ])
    assert.equal(isHost(host), true, host);
  for (const host of [
    "",
    ":80",
    "a b",
    "a/b",
    "a@b",
    "a,b",
    "a:b",
    "a:",
    "a:123456",
    "[::1",
    "::1",
    "-a",
    ".a",
    "a..b",
    "a?b",
    "a#b",
    "a\\b",
    "ä",
    "%61",
    "a".repeat(300),
  ])
    assert.equal(isHost(host), false, host);
});
