import { equal } from "node:assert/strict";
import { test } from "node:test";
import { loosePath } from "./loose-path.ts";

const SAME = ["/", "/admin", "/admin/", "/a/b.css", "/a@b,c=d/(x)", "/x.tar.gz/y"];
for (const path of SAME) void test(`${path} is read in one way`, () => equal(loosePath(path), path));

const ADMIN = [
  "/ADMIN",
  "/admin;jsessionid=1",
  "/;/admin",
  "/;x/admin",
  "/x/..;/admin",
  "/\\admin",
  "\\admin",
  "/%5cadmin",
  "/%2fadmin",
  "/%2Fadmin",
  "/%2561dmin",
  "/%252561dmin",
  "/%c1%a1dmin",
  "/%c0%afadmin",
  "/%e0%81%a1dmin",
  "/%u0061dmin",
  "/admin%00",
  "/admin%00.css",
  "/admin%3fx",
  "/admin%23",
  "/admin%3b",
  "/admin.",
  "/admin...",
  "/admin%20",
  "/admin%0a",
  "/admin%20.",
  "/x/%2e%2e/admin",
  "/./admin",
];
for (const path of ADMIN) void test(`${path} is /admin to somebody`, () => equal(loosePath(path), "/admin"));

void test("what is behind a folder stays behind it", () => {
  equal(loosePath("/Admin%2fusers"), "/admin/users");
  equal(loosePath("/admin%2f"), "/admin/");
  equal(loosePath("/admin/.;x"), "/admin/");
  equal(loosePath("/a%2f..%2f..%2f..%2fadmin"), "/admin");
  equal(loosePath("/%"), "/%");
  equal(loosePath("/%zz"), "/%zz");
});

void test("a long one takes a moment", () => {
  for (const piece of ["..", ";", "%25", "%", "\\", "%c0%af", ". ", "/..", "A", "%u0061", "\xe0"]) {
    const began = performance.now();
    loosePath(`/${piece.repeat(32_768)}x`);
    equal(performance.now() - began < 1000, true, piece);
  }
});
