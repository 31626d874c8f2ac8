import { equal } from "node:assert/strict";
import { test } from "node:test";
import { canonicalPath } from "../heads/canonical-path.ts";
import { usualSettings } from "../settings/defaults.ts";
import { guardedRoute, isGuarded } from "./guards.ts";
import { byPrecedence } from "./paths.ts";
import type { HostPlan, PathMatch, RoutePlan } from "./plan.ts";

const route = (path: string, isClosed: boolean, type: PathMatch["type"] = "prefix"): RoutePlan => ({
  id: `${type} ${path}`,
  ingress: { namespace: "default", name: "i" },
  host: "a.example",
  match: type === "regex" ? { type, source: path } : { type, path: path.replace(/\/$/, "") },
  path,
  settings: isClosed ? { ...usualSettings, sources: { allow: ["192.0.2.1/32"], deny: [] } } : usualSettings,
  backend: undefined,
  affinity: undefined,
  canaries: [],
});
const hostOf = (...routes: RoutePlan[]): HostPlan => ({
  host: "a.example",
  routes: routes.toSorted((one, other) => byPrecedence(one.match, other.match)),
});
const by = (host: HostPlan, path: string): string | undefined => guardedRoute(host, canonicalPath(path), path)?.path;

void test("a route that keeps somebody out has all spellings of its path", () => {
  const host = hostOf(route("/", false), route("/admin", true));
  equal(isGuarded(host), true);
  for (const path of [
    "/ADMIN",
    "/admin;x",
    "/;/admin/users",
    "/admin%2Fx",
    "/admin%00",
    "/%5Cadmin",
    "/%2561dmin",
    "//x/admin",
    "/\\x/admin/",
  ])
    equal(by(host, path), "/admin", path);
  for (const path of ["/", "/administrator", "/Ad", "/x%2Fadmin", "/x;/admin"]) equal(by(host, path), "/", path);
});

void test("what nobody is kept out of is found by its path alone", () => {
  const host = hostOf(route("/", false), route("/admin", false));
  equal(isGuarded(host), false);
  equal(by(host, "/ADMIN"), "/");
  equal(by(host, "/admin%2Fx"), "/");
  equal(by(hostOf(route("/admin", true)), "/ADMIN"), undefined, "there is no other way in");
});

void test("a route for just a spelling is for it, and an open one below a closed one stays open", () => {
  const host = hostOf(route("/docs", false), route("/Docs", true), route("/Docs/free", false), route("/", false));
  equal(by(host, "/docs/x"), "/docs");
  equal(by(host, "/Docs/x"), "/Docs");
  equal(by(host, "/DOCS"), "/Docs");
  equal(by(host, "/DOCS/Free"), "/");
  equal(by(host, "/Docs/free"), "/Docs/free");
});

void test("what would lead out of an open route into a closed one is the closed one's", () => {
  const host = hostOf(route("/", true), route("/public", false));
  equal(by(host, "/public/x"), "/public");
  equal(by(host, "/public/%252e%252e/secret"), "/");
  equal(by(host, "/public%2F..;/secret"), "/");
});

void test("expressions keep somebody out of every spelling too", () => {
  const host = hostOf(route("/", false), route("/adm[a-z]+", true, "regex"));
  equal(by(host, "/;x/admin"), "/adm[a-z]+");
  equal(by(host, "/%2561dmin"), "/adm[a-z]+");
  equal(by(host, "/other"), "/");
});
