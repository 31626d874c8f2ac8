import { endsAnywhere } from "../../../expressions/expression.ts";
import { isGuarded } from "../../../plan/guards.ts";
import type { HostPlan, RoutePlan } from "../../../plan/plan.ts";

/**
 * What one host puts into the maps that lead from host and path to a record. `hosts` says where to look on: `=RECORD` is the answer
 * already, `~…` the key of expressions, anything else the key of paths, each with a `!` in front of the host where a route keeps somebody out.
 * Keys of paths are that key and the path.
 */
export interface HostEntries {
  readonly hosts: readonly [key: string, value: string] | undefined;
  /** `a.example/foo` → record. */
  readonly exact: readonly (readonly [key: string, record: string])[];
  /** `a.example/foo/` → record: the longest that the path with a slash at its end begins with. */
  readonly prefix: readonly (readonly [key: string, record: string])[];
  /** In order: the first that matches. */
  readonly expressions: readonly (readonly [pattern: string, record: string])[];
}

const NOTHING: HostEntries = { hosts: undefined, exact: [], prefix: [], expressions: [] };

/** The key of any host; no host that a client can name. */
const ANY = "*";
const keyOf = (host: string): string => (host === "" ? ANY : host);
const pathKeyOf = (host: HostPlan): string => `${isGuarded(host) ? "!" : ""}${keyOf(host.host)}`;

/** Text as an expression that matches just it. */
const literally = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/#\s-]/g, "\\$&");

/**
 * What JavaScript and PCRE2 read the same way: no flags or groups of one alone, no `[]` or `[^]`, no `\c`, `\u`, `\x`, `\k`, and no
 * looking behind, whose bounds differ. An expression is matched with `i`, and on bytes, so other letters than ASCII are not the same either.
 */
const SAME_EVERYWHERE = /^(?:[\x21-\x5b\x5d-\x7e]|\\[dDwWsSbBnrtfv0-9]|\\[^A-Za-z0-9\s])*$/;
const DIFFERENT = /\[\^?\]|\(\?(?![:=!])|\[\[|\(\*|[*+?}]\+|\[:|\\0\d/;

/** The expression as a map has it; undefined where HAProxy could read something else in it, or take long: it goes back on its choices. */
const translated = (source: string): string | undefined =>
  SAME_EVERYWHERE.test(source) && !DIFFERENT.test(source) && endsAnywhere(source, true) ? source : undefined;

/** A path in whole elements, ended by a slash, so that no `/foobar` begins with `/foo`. */
const asElements = (path: string): string => `${path}/`;

/** Leaves out what an earlier route always takes, so that the longest of those left is the first of them that matches. */
function reachable(routes: readonly RoutePlan[]): RoutePlan[] {
  const kept: RoutePlan[] = [];
  const exact = new Set<string>();
  const prefixes = new Set<string>();
  /** Whether a prefix that came before matches this path. */
  const taken = (path: string): boolean => {
    const whole = asElements(path);
    for (let at = whole.indexOf("/"); at >= 0; at = whole.indexOf("/", at + 1)) {
      if (prefixes.has(whole.slice(0, at + 1))) return true;
    }
    return false;
  };
  for (const route of routes) {
    const { match } = route;
    if (match.type === "regex" || taken(match.path)) continue;
    if (match.type === "exact") {
      if (exact.has(match.path)) continue;
      exact.add(match.path);
    } else prefixes.add(asElements(match.path));
    kept.push(route);
  }
  return kept;
}

function withExpressions(host: HostPlan, record: (route: RoutePlan) => string, behind: () => string): HostEntries {
  const key = `~${pathKeyOf(host)}`;
  const start = `^${literally(key)}`;
  const expressions: [string, string][] = [];
  for (const route of host.routes) {
    const { match } = route;
    if (match.type === "exact") expressions.push([`${start}${literally(match.path)}$`, record(route)]);
    else if (match.type === "prefix") expressions.push([`${start}${literally(match.path)}(?:/|$)`, record(route)]);
    else {
      const source = translated(match.source);
      if (source === undefined) return { ...NOTHING, hosts: [keyOf(host.host), `=${behind()}`] };
      // An expression that says `^` itself means the beginning of the path.
      expressions.push([`${start}(?i:${source.replace(/^\^/, "")})`, record(route)]);
    }
  }
  return { ...NOTHING, hosts: [keyOf(host.host), key], expressions };
}

/** Pure. `record` is asked for each route that can be reached; `behind` where only the builtin engine can tell the routes apart. */
export function hostEntries(host: HostPlan, record: (route: RoutePlan) => string, behind: () => string): HostEntries {
  if (host.routes.some(({ match }) => match.type === "regex")) return withExpressions(host, record, behind);
  const routes = reachable(host.routes);
  const [only] = routes;
  if (only === undefined) return NOTHING;
  if (routes.length === 1 && only.match.type === "prefix" && only.match.path === "")
    return { ...NOTHING, hosts: [keyOf(host.host), `=${record(only)}`] };
  const key = pathKeyOf(host);
  const exact: [string, string][] = [];
  const prefix: [string, string][] = [];
  for (const route of routes) {
    const { match } = route;
    if (match.type === "exact") exact.push([`${key}${match.path}`, record(route)]);
    else if (match.type === "prefix") prefix.push([`${key}${asElements(match.path)}`, record(route)]);
  }
  return { ...NOTHING, hosts: [keyOf(host.host), key], exact, prefix };
}
