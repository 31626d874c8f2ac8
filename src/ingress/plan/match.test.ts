import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ingress, planned, rule, service } from "../../../test/ingress/plan-examples.ts";
import { matchHost, matchRoute } from "./match.ts";
import { pathExpression } from "../expressions/expression.ts";
import { byPrecedence } from "./paths.ts";
import type { HostPlan, IngressPlan, PathMatch, RoutePlan } from "./plan.ts";

const planFor = (...hosts: string[]): IngressPlan =>
  planned([service(), ingress({ rules: hosts.map((host) => rule(host, "/")) })]).plan;

/** The path of the route that a request goes to. */
const routed = (paths: readonly string[], asked: string): string | undefined => {
  const { plan } = planned([service(), ingress({ rules: [rule("a.example", ...paths)] })]);
  const route = matchRoute(plan.hosts.get("a.example")!, asked);
  return route === undefined ? undefined : `${route.match.type} ${route.path}`;
};

test("CTL-130: a host is exact whatever its case, a wildcard is one label more, and no host is any", () => {
  const plan = planFor("A.Example", "*.foo.com");
  equal(matchHost(plan, "a.example")?.host, "a.example");
  equal(matchHost(plan, "bar.foo.com")?.host, "*.foo.com");
  equal(matchHost(plan, "baz.bar.foo.com"), undefined);
  equal(matchHost(plan, "foo.com"), undefined);
  equal(matchHost(plan, ".foo.com"), undefined);
  equal(matchHost(plan, ""), undefined);
  for (const host of ["a.example", "baz.bar.foo.com", "", "10.0.0.1"]) equal(matchHost(planFor(""), host)?.host, "");
});

test("CTL-131: the most specific host decides alone", () => {
  const plan = planFor("bar.foo.com", "*.foo.com", "");
  equal(matchHost(plan, "bar.foo.com")?.host, "bar.foo.com");
  equal(matchHost(plan, "other.foo.com")?.host, "*.foo.com");
  equal(matchHost(plan, "foo.com")?.host, "");
  const { plan: narrow } = planned([service(), ingress({ rules: [rule("a.example", "/foo"), rule("", "/")] })]);
  equal(matchRoute(matchHost(narrow, "a.example")!, "/bar"), undefined);
});

/** CTL-142 … CTL-148: which of the five rules match. */
const TABLE = [
  ["CTL-142", "/foo", ["Exact /foo", "Prefix /foo", "Prefix /foo/", "Prefix /"]],
  ["CTL-143", "/foo/", ["Prefix /foo", "Prefix /foo/", "Prefix /"]],
  ["CTL-144", "/foo/bar", ["Prefix /foo", "Prefix /foo/", "Prefix /"]],
  ["CTL-145", "/foobar", ["Prefix /"]],
  ["CTL-146", "/FOO", ["Prefix /"]],
  ["CTL-147", "/aaa/bbb/ccc", ["Prefix /aaa/bbb", "Prefix /"]],
  ["CTL-148", "/aaa/bbbxyz", ["Prefix /"]],
] as const;
const RULES = ["Exact /foo", "Prefix /foo", "Prefix /foo/", "Prefix /aaa/bbb", "Prefix /"] as const;

for (const [statement, asked, matching] of TABLE) {
  test(`${statement}: ${asked} is matched by ${matching.join(", ")} alone`, () => {
    for (const each of RULES) {
      equal(routed([each], asked) !== undefined, (matching as readonly string[]).includes(each), each);
    }
  });
}

test("CTL-132: an exact path is equal in case and to its last slash", () => {
  equal(routed(["Exact /foo"], "/foo"), "exact /foo");
  equal(routed(["Exact /foo"], "/foo/"), undefined);
  equal(routed(["Exact /foo/"], "/foo"), undefined);
  equal(routed(["Exact /foo"], "/Foo"), undefined);
});

test("CTL-133: a prefix matches whole elements, in their case", () => {
  for (const asked of ["/foo", "/foo/", "/foo/bar"]) {
    equal(routed(["Prefix /foo"], asked), "prefix /foo");
    equal(routed(["Prefix /foo/"], asked), "prefix /foo/");
  }
  for (const asked of ["/foobar", "/FOO", "/", "*", ""]) equal(routed(["Prefix /foo"], asked), undefined);
  for (const asked of ["/", "/a", "/a/b/", "*"]) equal(routed(["Prefix /"], asked), "prefix /");
});

test("CTL-134: ImplementationSpecific is Prefix", () => {
  equal(routed(["ImplementationSpecific /foo"], "/foo/bar"), "prefix /foo");
  equal(routed(["ImplementationSpecific /foo"], "/foobar"), undefined);
});

test("CTL-135: the longest path wins, and Exact goes before Prefix", () => {
  const all = ["/", "/a", "/a/b", "Exact /a", "Exact /a/b/c"];
  equal(routed(all, "/a"), "exact /a");
  equal(routed(all, "/a/"), "prefix /a");
  equal(routed(all, "/a/b/c"), "exact /a/b/c");
  equal(routed(all, "/a/b/c/d"), "prefix /a/b");
  equal(routed(all, "/z"), "prefix /");
});

const match: fc.Arbitrary<PathMatch> = fc
  .record({
    type: fc.constantFrom("exact", "prefix", "regex"),
    path: fc
      .array(fc.constantFrom("a", "b", "ab", ""), { maxLength: 4 })
      .map((parts) => parts.map((part) => `/${part}`).join("")),
  })
  .map(({ type, path }): PathMatch =>
    type === "regex"
      ? { type, source: `${path}/(a|b)` }
      : { type, path: type === "prefix" ? path.replace(/\/+$/, "") : path },
  );

/** As the plan says it: one after the other. */
function first(routes: readonly RoutePlan[], asked: string): RoutePlan | undefined {
  return routes.find(({ match }) => {
    if (match.type === "exact") return match.path === asked;
    if (match.type === "regex") return pathExpression(match.source).test(asked);
    return match.path === "" || asked === match.path || asked.startsWith(`${match.path}/`);
  });
}

test("CTL-135: the index of a host finds the first route in order that matches", () => {
  const asked = fc
    .array(fc.constantFrom("a", "b", "ab", "", "abc"), { maxLength: 6 })
    .map((parts) => `/${parts.join("/")}`);
  fc.assert(
    fc.property(
      fc.array(match, { maxLength: 8 }),
      fc.array(asked, { minLength: 1, maxLength: 20 }),
      (matches, paths) => {
        const routes = matches.sort(byPrecedence).map((one, at) => ({ id: String(at), match: one }) as RoutePlan);
        const host: HostPlan = { host: "a.example", routes };
        for (const one of paths) equal(matchRoute(host, one)?.id, first(routes, one)?.id, one);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("with 5,000 hosts, and with 5,000 paths in one, a request is matched in microseconds", () => {
  const count = 5_000;
  const many = Array.from({ length: count }, (_, at) => rule(`h${at}.example`, "/"));
  const { plan } = planned([
    service(),
    ingress({ rules: [...many, rule("a.example", ...Array.from({ length: count }, (_, at) => `/p${at}/x`))] }),
  ]);
  const host = matchHost(plan, "a.example")!;
  matchRoute(host, "/");
  const began = performance.now();
  for (let at = 0; at < count; at += 1) {
    ok(matchHost(plan, `h${at}.example`) !== undefined);
    ok(matchRoute(host, `/p${at}/x/y/z`) !== undefined);
  }
  // A linear search would take seconds.
  ok(performance.now() - began < 500);
});
