import { equal } from "node:assert/strict";
import { test } from "node:test";
import { requestHead } from "../../../test/ingress/plans.ts";
import { compileKey } from "./key-template.ts";

const request = requestHead({
  target: "/a/b?User=7&x=%20&flag&user=8",
  path: "/a/b",
  query: "?User=7&x=%20&flag&user=8",
  authority: "a.example:8080",
  headers: { "x-tenant": "acme", "set-cookie": ["a", "b"], cookie: "sid=s1; other=2" },
});
const cases: readonly (readonly [string, string])[] = [
  ["$remote_addr", "192.0.2.1"],
  ["$request_uri", "/a/b?User=7&x=%20&flag&user=8"],
  ["$uri", "/a/b"],
  ["$args", "User=7&x=%20&flag&user=8"],
  ["$host", "a.example"],
  ["$http_host", "a.example:8080"],
  ["$scheme", "http"],
  ["$request_method", "GET"],
  ["$arg_user", "7"],
  ["$arg_x", "%20"],
  ["$arg_flag", ""],
  ["$arg_none", ""],
  ["$http_x_tenant", "acme"],
  ["$http_X_Tenant", "acme"],
  ["$http_set_cookie", "a, b"],
  ["$http_none", ""],
  ["$cookie_sid", "s1"],
  ["$cookie_none", ""],
  ["$unknown", ""],
  ["$toString", ""],
  ["plain", "plain"],
  ["a-$host-${arg_user}b", "a-a.example-7b"],
  ["$remote_addr$request_method", "192.0.2.1GET"],
  ["$", "$"],
  ["$5 ${}", " ${}"],
  ["", ""],
];
for (const [template, key] of cases) {
  void test(`the key ${template} of a request`, () => equal(compileKey(template)(request), key));
}
