import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { array, assert, constantFrom, property, string } from "fast-check";
import { canonicalPath } from "./canonical-path.ts";

for (const [path, expected] of [
  ["/", "/"],
  ["/a/b", "/a/b"],
  ["/a/b/", "/a/b/"],
  ["/public/../admin", "/admin"],
  ["/public/..%2Fadmin", "/public/..%2Fadmin"],
  ["/public/%2e%2E/admin", "/admin"],
  ["/public/.%2e/admin/", "/admin/"],
  ["/./a/./b/.", "/a/b/"],
  ["/a/..", "/"],
  ["/a/b/..", "/a/"],
  ["/../../a", "/a"],
  ["//admin", "/admin"],
  ["/a//b///c/", "/a/b/c/"],
  ["//", "/"],
  ["/%61dmin", "/admin"],
  ["/%7Euser/%2D%5f", "/~user/-_"],
  ["/a%2fb%3f", "/a%2Fb%3F"],
  ["/%2541", "/%2541"],
  ["/%zz%4", "/%zz%4"],
  ["/.well-known/x", "/.well-known/x"],
  ["/a/...", "/a/..."],
  ["/a;b=c/d", "/a;b=c/d"],
] as const) {
  test(`${path} is ${expected}`, () => equal(canonicalPath(path), expected));
}

test("a canonical path has one spelling, and no way up", () => {
  const piece = constantFrom("a", ".", "..", "", "%2e", "%2E.", "%61", "%2F", "%25", "%252e", "b%2", "%");
  assert(
    property(array(piece, { maxLength: 12 }), string(), (pieces, text) => {
      const path = `/${[...pieces, text].join("/")}`;
      const once = canonicalPath(path);
      ok(once.startsWith("/"));
      equal(canonicalPath(once), once);
      ok(!once.split("/").some((segment) => segment === ".." || segment === "."), once);
    }),
    { numRuns: 2000 },
  );
});

test("a long path of nothing but ways up takes no time", () => {
  const began = performance.now();
  canonicalPath("/a/..".repeat(100_000));
  canonicalPath("/%2e%2e".repeat(100_000));
  canonicalPath("/".repeat(500_000));
  ok(performance.now() - began < 3000);
});
