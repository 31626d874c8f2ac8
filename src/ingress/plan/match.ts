import { pathExpression } from "../expressions/expression.ts";
import type { HostPlan, IngressPlan, RoutePlan } from "./plan.ts";

/** A route with its place among those of its host: the first that matches is the one. */
interface Placed {
  readonly at: number;
  readonly route: RoutePlan;
}

/** The routes of a host, so that few have to be looked at however many there are. */
interface HostIndex {
  readonly exact: ReadonlyMap<string, Placed>;
  readonly prefixes: ReadonlyMap<string, Placed>;
  /** Length of the longest prefix. */
  readonly longest: number;
  /** In order. */
  readonly regexes: readonly (Placed & { readonly expression: RegExp })[];
}

const indexes = new WeakMap<HostPlan, HostIndex>();

function indexOf(host: HostPlan): HostIndex {
  const known = indexes.get(host);
  if (known !== undefined) return known;
  const exact = new Map<string, Placed>();
  const prefixes = new Map<string, Placed>();
  const regexes: (Placed & { readonly expression: RegExp })[] = [];
  let longest = 0;
  for (const [at, route] of host.routes.entries()) {
    const { match } = route;
    if (match.type === "regex") {
      regexes.push({ at, route, expression: pathExpression(match.source) });
      continue;
    }
    const into = match.type === "exact" ? exact : prefixes;
    if (!into.has(match.path)) into.set(match.path, { at, route });
    if (match.type === "prefix") longest = Math.max(longest, match.path.length);
  }
  const index: HostIndex = { exact, prefixes, longest, regexes };
  indexes.set(host, index);
  return index;
}

/**
 * CTL-130, CTL-131: the name itself, then with `*` for its first label, then any.
 *
 * @param name lower case, without port
 */
export function matchHost({ hosts }: IngressPlan, name: string): HostPlan | undefined {
  const own = name === "" ? undefined : hosts.get(name);
  if (own !== undefined) return own;
  const dot = name.indexOf(".");
  const wildcard = dot > 0 ? hosts.get(`*${name.slice(dot)}`) : undefined;
  return wildcard ?? hosts.get("");
}

/** The first prefix in order that the path has by whole elements: the longest. */
function prefixOf({ prefixes, longest }: HostIndex, path: string): Placed | undefined {
  if (prefixes.size === 0) return undefined;
  if (path.length <= longest) {
    const whole = prefixes.get(path);
    if (whole !== undefined) return whole;
  }
  for (let slash = path.lastIndexOf("/", longest); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
    const found = prefixes.get(path.slice(0, slash));
    if (found !== undefined) return found;
  }
  return prefixes.get("");
}

/**
 * CTL-132 … CTL-135: the first route of a host that matches.
 *
 * @param path in its one spelling, without its query
 */
export function matchRoute(host: HostPlan, path: string): RoutePlan | undefined {
  const index = indexOf(host);
  const exact = index.exact.get(path);
  let best = prefixOf(index, path);
  if (exact !== undefined && (best === undefined || exact.at < best.at)) best = exact;
  for (const one of index.regexes) {
    if (best !== undefined && best.at < one.at) break;
    if (one.expression.test(path)) return one.route;
  }
  return best?.route;
}
