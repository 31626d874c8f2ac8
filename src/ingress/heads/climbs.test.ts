import assert from "node:assert/strict";
import { test } from "node:test";
import { climbs } from "./climbs.ts";

void test("a path climbs where any server could take an element for ..", () => {
  for (const path of [
    "/..",
    "/../",
    "/a/../b",
    "/a/%2e%2e/b",
    "/a/.%2E/b",
    "/a/%2e./b",
    "/a/..%2fb",
    "/a%2f..%2Fb",
    "/a/..;x=1/b",
    "/a/..%3bx/b",
    "/a/..\\b",
    "/a\\..\\b",
    "/a/..%5cb",
  ]) {
    assert.ok(climbs(path), path);
  }
  for (const path of [
    "/",
    "/a/./b",
    "/a..b",
    "/a/..b",
    "/a../b",
    "/a/.../b",
    "/%2e",
    "/a%2fb",
    "/a/%2e%2eb",
    "/a;..",
  ]) {
    assert.ok(!climbs(path), path);
  }
});
