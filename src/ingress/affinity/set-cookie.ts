import type { CookieAffinity } from "../plan/plan.ts";
import { understandsSameSiteNone } from "./same-site-none.ts";

/** What of a request a cookie depends on. */
export interface CookieRequest {
  readonly scheme: "http" | "https";
  readonly userAgent: string | undefined;
}

/** The value of Set-Cookie that gives a client its session (RFC 6265 §4.1). `now`: milliseconds since the epoch. */
export function setCookie(affinity: CookieAffinity, token: string, request: CookieRequest, now: number): string {
  const { domain, maxAge, expires } = affinity;
  const secure = affinity.secure ?? request.scheme === "https";
  const path = cookiePath(affinity.path);
  const sameSite = sameSiteFor(affinity, secure, request.userAgent);
  let cookie = `${affinity.name}=${token}`;
  if (expires !== undefined) cookie += `; Expires=${new Date(now + expires * 1000).toUTCString()}`;
  if (maxAge !== undefined) cookie += `; Max-Age=${maxAge}`;
  if (domain !== undefined) cookie += `; Domain=${domain}`;
  if (path !== "") cookie += `; Path=${path}`;
  if (secure) cookie += "; Secure";
  cookie += "; HttpOnly";
  if (sameSite !== undefined) cookie += `; SameSite=${sameSite}`;
  return cookie;
}

/** Browsers throw a cookie away that says None and not Secure; without a word of it they keep it. */
function sameSiteFor(
  { sameSite, conditionalSameSiteNone }: CookieAffinity,
  secure: boolean,
  userAgent: string | undefined,
): CookieAffinity["sameSite"] {
  if (sameSite !== "None") return sameSite;
  return !secure || (conditionalSameSiteNone && !understandsSameSiteNone(userAgent)) ? undefined : "None";
}

/**
 * A path as browsers compare it: what is not ASCII is escaped, as in their requests. A `;` cannot be in a cookie's path (RFC 6265 §4.1.1), so
 * that the folder above is taken, which has the path in it.
 */
function cookiePath(path: string): string {
  const semicolon = path.indexOf(";");
  const usable = semicolon === -1 ? path : path.slice(0, path.lastIndexOf("/", semicolon) + 1);
  return usable.toWellFormed().replaceAll(/[^!-~]+/g, (some) => encodeURIComponent(some));
}
