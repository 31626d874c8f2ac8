import { loosePath } from "../heads/loose-path.ts";
import { matchRoute } from "./match.ts";
import type { HostPlan, PathMatch, RoutePlan } from "./plan.ts";

/** Whether somebody is kept out by a route. */
const keepsOut = ({ settings: { refused, sources, basicAuth, externalAuth } }: RoutePlan): boolean =>
  refused !== undefined || sources !== undefined || basicAuth !== undefined || externalAuth !== undefined;

/** A host as the most lenient of servers would read the paths of its routes. */
interface LooseHost {
  readonly host: HostPlan;
  readonly meant: ReadonlyMap<RoutePlan, RoutePlan>;
}

const known = new WeakMap<HostPlan, LooseHost | undefined>();

const loosely = (match: PathMatch): PathMatch =>
  match.type === "regex" || match.path === "" ? match : { type: match.type, path: loosePath(match.path) };

function looseHostOf(host: HostPlan): LooseHost | undefined {
  if (known.has(host)) return known.get(host);
  let found: LooseHost | undefined;
  // Where there is one route, there is no way around it.
  if (host.routes.length > 1 && host.routes.some(keepsOut)) {
    const meant = new Map(host.routes.map((route) => [{ ...route, match: loosely(route.match) }, route]));
    found = { host: { host: host.host, routes: [...meant.keys()] }, meant };
  }
  known.set(host, found);
  return found;
}

/** Whether a host has a route that keeps somebody out, and others. */
export const isGuarded = (host: HostPlan): boolean => looseHostOf(host) !== undefined;

const isSamePath = (one: PathMatch, other: PathMatch): boolean =>
  one.type !== "regex" && other.type !== "regex" && loosePath(one.path) === loosePath(other.path);

/** What a reader of URLs takes for a host, in a target that begins with two slashes of either kind (WHATWG URL, "special authority ignore slashes"). */
const AUTHORITY = /^[/\\]{2,}[^/\\]*/;

/**
 * The route of a request, with what servers make of paths in mind: one that keeps somebody out has every spelling that some server would
 * read as its path, unless another route is for just that spelling. Nobody gets to `/admin` by `/admin;x`, `/ADMIN` or `//x/admin`.
 *
 * @param path in its one spelling, without its query
 * @param came the same as it came
 */
export function guardedRoute(host: HostPlan, path: string, came: string): RoutePlan | undefined {
  const route = matchRoute(host, path);
  const loose = looseHostOf(host);
  if (loose === undefined) return route;
  return (
    guardOf(loose, route, path) ??
    (AUTHORITY.test(came) ? guardOf(loose, route, behindAuthority(came)) : undefined) ??
    route
  );
}

const behindAuthority = (came: string): string => `/${came.replace(AUTHORITY, "")}`;

function guardOf({ host, meant }: LooseHost, route: RoutePlan | undefined, path: string): RoutePlan | undefined {
  const found = matchRoute(host, loosePath(path));
  const guard = found === undefined ? undefined : meant.get(found);
  if (guard === undefined || guard === route || !keepsOut(guard)) return undefined;
  return route !== undefined && isSamePath(route.match, guard.match) ? undefined : guard;
}
