import { setCookie } from "../../../affinity/set-cookie.ts";
import type { CookieAffinity, RoutePlan } from "../../../plan/plan.ts";

/** Maps from a route's number to what a rule needs of it. Numbers are not used again, so a request that began goes on by what it began with. */
export const ROUTE_MAPS = [
  "host",
  "prefix",
  "read",
  "tunnel",
  "cookie",
  "attributes",
  "attributes-tls",
  "expires",
  "body",
  "root",
] as const;
export type RouteMap = (typeof ROUTE_MAPS)[number];

/** Milliseconds of silence for which a backend needs no word of its own. */
export const USUAL_READ = 60_000;
export const USUAL_TUNNEL = 3_600_000;

/** What the rules are to do with requests of a route, and with which words. */
export interface RouteWords {
  /** See {@link FLAGS}. */
  readonly flags: string;
  readonly values: ReadonlyMap<RouteMap, string>;
  /** One of the flags is for rules of a backend. */
  readonly rich: boolean;
}

/** One word each in a record, between dots; what rules look for in it. */
export const FLAGS = {
  refused: "x",
  /** Followed by the status. */
  httpsRedirect: "s",
  root: "r",
  body: "m",
  silent: "l",
  host: "h",
  prefix: "p",
  read: "t",
  tunnel: "u",
  /** Followed by which of the cookies' names. */
  affinity: "a",
  changeOnFailure: "f",
  expires: "e",
  /** The frontend has more to do than to find a session. */
  front: "w",
  /** So has the backend. */
  more: "o",
} as const;

/** Statuses that HAProxy can redirect with. */
export const REDIRECTS = [301, 302, 303, 307, 308] as const;

/** The one that each route with a certificate has unless told. */
export const USUAL_REDIRECT = 308;

export const isRedirect = (status: number): boolean => REDIRECTS.some((known) => known === status);

/** What follows the token in Set-Cookie, but for Expires, which depends on the time. */
const attributesOf = (affinity: CookieAffinity, scheme: "http" | "https"): string =>
  setCookie({ ...affinity, expires: undefined }, "", { scheme, userAgent: undefined }, 0).slice(
    affinity.name.length + 1,
  );

/** Pure. `cookieIndex` numbers the names of cookies, which rules cannot look up. */
export function wordsOf({ settings, affinity, backend }: RoutePlan, cookieIndex: (name: string) => number): RouteWords {
  const flags: string[] = [];
  const values = new Map<RouteMap, string>();
  if (settings.refused !== undefined || backend === undefined) flags.push(FLAGS.refused);
  if (settings.httpsRedirect !== undefined) flags.push(`${FLAGS.httpsRedirect}${settings.httpsRedirect}`);
  if (settings.appRoot !== undefined) {
    flags.push(FLAGS.root);
    values.set("root", settings.appRoot);
  }
  if (settings.maximumBody !== undefined) {
    flags.push(FLAGS.body);
    values.set("body", String(settings.maximumBody));
  }
  if (!settings.accessLog) flags.push(FLAGS.silent);
  if (flags.some((flag) => flag !== `${FLAGS.httpsRedirect}${USUAL_REDIRECT}`)) flags.push(FLAGS.front);
  const simple = flags.length;
  if (settings.upstreamHost !== undefined) {
    flags.push(FLAGS.host);
    values.set("host", settings.upstreamHost);
  }
  if (settings.forwardedPrefix !== undefined) {
    flags.push(FLAGS.prefix);
    values.set("prefix", settings.forwardedPrefix);
  }
  if (settings.timeouts.read !== USUAL_READ) {
    flags.push(FLAGS.read);
    values.set("read", String(settings.timeouts.read));
  }
  if (settings.timeouts.tunnel !== USUAL_TUNNEL) {
    flags.push(FLAGS.tunnel);
    values.set("tunnel", String(settings.timeouts.tunnel));
  }
  if (flags.length > simple) flags.push(FLAGS.more);
  if (affinity !== undefined) {
    flags.push(`${FLAGS.affinity}${cookieIndex(affinity.name)}`);
    if (affinity.changeOnFailure) flags.push(FLAGS.changeOnFailure);
    values.set("cookie", affinity.name);
    values.set("attributes", attributesOf(affinity, "http"));
    values.set("attributes-tls", attributesOf(affinity, "https"));
    if (affinity.expires !== undefined) {
      flags.push(FLAGS.expires);
      values.set("expires", String(affinity.expires));
    }
  }
  return { flags: flags.length === 0 ? "" : `.${flags.join(".")}.`, values, rich: flags.length > simple };
}
