import { deepEqual, equal, notEqual } from "node:assert/strict";
import { test } from "node:test";
import { template } from "../filters/variables.ts";
import type { RoutePlan } from "../plan/plan.ts";
import type { RequestHead } from "../request.ts";
import { compileKey } from "../selection/key-template.ts";
import { isHttpUrl, KEY_VARIABLES, REQUEST_VARIABLES, unknownVariables } from "./variables.ts";

const REQUEST: RequestHead = {
  method: "GET",
  target: "/a?x=1",
  path: "/a",
  query: "?x=1",
  host: "a.example",
  authority: "a.example:8080",
  scheme: "http",
  protocol: "HTTP/1.1",
  headers: { "x-one": "1", cookie: "x=c", host: "a.example:8080" },
  client: "192.0.2.1",
  port: 80,
  requestId: "id",
};
const ROUTE = { ingress: { namespace: "shop", name: "web" }, backend: "shop/web:80" } as RoutePlan;

/** One that may end in anything, with something. */
const whole = (name: string): string => (name === "http_" ? "http_x_one" : name.endsWith("_") ? `${name}x` : name);

void test("every variable that is accepted is one that whoever uses it knows", () => {
  for (const name of REQUEST_VARIABLES) {
    const text = `$${whole(name)}`;
    notEqual(template(text, ROUTE)(REQUEST), text, name);
  }
  for (const name of KEY_VARIABLES) notEqual(compileKey(`$${whole(name)}`)(REQUEST), "", name);
});

void test("variables that are not known are named as they stand", () => {
  deepEqual(unknownVariables("$host/${geoip_city}$$x$http_", REQUEST_VARIABLES), ["geoip_city", "", "x", "http_"]);
  deepEqual(unknownVariables("$http_x_user-${scheme}", REQUEST_VARIABLES), []);
});

void test("a URL is absolute, with or without variables", () => {
  for (const url of [
    "https://a.example",
    "$scheme://$host$request_uri",
    "${scheme}://a.example/",
    "http://a:8080/x?y=z",
    "http://a:8080$request_uri",
    "http://a:8080${uri}$is_args",
  ])
    equal(isHttpUrl(url), true, url);
  for (const url of [
    "/a",
    "a.example",
    "ftp://a",
    "https://",
    "https:///x",
    "https://a b",
    "javascript:x",
    "$host/x",
    "",
  ])
    equal(isHttpUrl(url), false, url);
});
