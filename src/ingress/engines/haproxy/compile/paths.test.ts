import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PathMatch, RoutePlan } from "../../../plan/plan.ts";
import { usualSettings } from "../../../settings/defaults.ts";
import { hostEntries, type HostEntries } from "./paths.ts";

const route = (match: PathMatch, at: number): RoutePlan => ({
  id: `r${at}`,
  ingress: { namespace: "default", name: "i" },
  host: "a.example",
  match,
  path: "/",
  settings: usualSettings,
  backend: undefined,
  affinity: undefined,
  canaries: [],
});
const exact = (path: string): PathMatch => ({ type: "exact", path });
const prefix = (path: string): PathMatch => ({ type: "prefix", path });
const regex = (source: string): PathMatch => ({ type: "regex", source });

const entriesOf = (host: string, ...matches: PathMatch[]): HostEntries =>
  hostEntries(
    { host, routes: matches.map(route) },
    ({ id }) => id,
    () => "behind",
  );

/** What HAProxy finds in the entries, as its rules look. */
function found({ hosts, exact: equal, prefix: longest, expressions }: HostEntries, path: string): string | undefined {
  if (hosts === undefined) return undefined;
  const [, where] = hosts;
  if (where.startsWith("=")) return where.slice(1);
  const key = `${where}${path}`;
  if (where.startsWith("~")) return expressions.find(([pattern]) => new RegExp(pattern).test(key))?.[1];
  return (
    equal.find(([one]) => one === key)?.[1] ??
    longest.filter(([one]) => `${key}/`.startsWith(one)).toSorted(([one], [other]) => other.length - one.length)[0]?.[1]
  );
}

/** What a plan says: the first that matches. */
function said(matches: readonly PathMatch[], path: string): string | undefined {
  const at = matches.findIndex((match) => {
    if (match.type === "exact") return match.path === path;
    if (match.type === "prefix") return path === match.path || path.startsWith(`${match.path}/`);
    return new RegExp(`^(?:${match.source.replace(/^\^/, "")})`, "i").test(path);
  });
  return at < 0 ? undefined : `r${at}`;
}

const PATHS = ["/", "/foo", "/foo/", "/foo//", "/foo/bar", "/foo/bar/x", "/foobar", "/FOO", "/v1/x", "/foo.bar"];

void describe("maps find what the first route that matches says, in whatever order routes are", () => {
  const pool = [prefix(""), prefix("/foo"), prefix("/foo/bar"), exact("/foo"), exact("/foo/"), exact("/foo/bar")];
  void test("CTL-132, CTL-133, CTL-135: all orders of three of six", () => {
    let compared = 0;
    for (const one of pool)
      for (const other of pool)
        for (const third of pool) {
          const matches = [one, other, third];
          const entries = entriesOf("a.example", ...matches);
          for (const path of PATHS) {
            assert.equal(found(entries, path), said(matches, path), `${JSON.stringify(matches)} ${path}`);
            compared += 1;
          }
        }
    assert.equal(compared, 6 ** 3 * PATHS.length);
  });

  void test("expressions keep the order of everything", () => {
    for (const matches of [
      [exact("/v1/x"), regex("/v[0-9]+"), prefix("")],
      [regex("^/foo.bar"), prefix("/foo"), exact("/FOO")],
      [prefix("/foo"), regex("/(foo|v1)"), regex("/")],
    ])
      for (const path of PATHS)
        assert.equal(
          found(entriesOf("*.example", ...matches), path),
          said(matches, path),
          `${JSON.stringify(matches)} ${path}`,
        );
  });
});

void test("one route for all of a host is its answer; any host has a key that no client can name", () => {
  assert.deepEqual(entriesOf("a.example", prefix("")).hosts, ["a.example", "=r0"]);
  assert.deepEqual(entriesOf("", prefix("")).hosts, ["*", "=r0"]);
  assert.deepEqual(entriesOf("", prefix("/x")).prefix, [["*/x/", "r0"]]);
  assert.equal(entriesOf("a.example").hosts, undefined);
});

void test("an expression that PCRE2 could take long for leaves the whole host to the engine behind", () => {
  for (const source of ["/(a+)+$", "/(a|a)*$", "/(.*)x(.*)y"])
    assert.deepEqual(entriesOf("a.example", regex(source), prefix("")).hosts, ["a.example", "=behind"], source);
});

void test("an expression that PCRE2 could read differently leaves the whole host to the engine behind", () => {
  for (const source of [
    "/[^]",
    "/[]",
    "/(?<=a)b",
    "/(?<n>x)",
    "/\\u0061",
    "/\\cA",
    "/x++",
    "/[[:alpha:]]",
    "/é",
    "/\\k<n>",
  ])
    assert.deepEqual(entriesOf("a.example", regex(source), prefix("")).hosts, ["a.example", "=behind"], source);
  for (const source of ["/a|/b", "/(?:a|b)/(c*)", "/x{2,3}", "/\\d+\\.", "/(?=y)", "/[a-z_]+$"])
    assert.equal(entriesOf("a.example", regex(source)).hosts?.[1], "~a.example", source);
});
