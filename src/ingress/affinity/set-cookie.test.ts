import { equal } from "node:assert/strict";
import { test } from "node:test";
import { cookieAffinity } from "../../../test/ingress/plans.ts";
import type { CookieAffinity } from "../plan/plan.ts";
import { setCookie } from "./set-cookie.ts";

const NOW = Date.UTC(2026, 0, 31, 23, 59, 30);
const IOS_12 =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 12_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Mobile/15E148 Safari/604.1";

const cases: readonly (readonly [string, Partial<CookieAffinity>, "http" | "https", string | undefined, string])[] = [
  ["CTL-157 CTL-162: the usual one", {}, "http", undefined, "INGRESSCOOKIE=T; Path=/; HttpOnly"],
  ["CTL-157: a name", { name: "route" }, "http", undefined, "route=T; Path=/; HttpOnly"],
  ["CTL-158: a path", { path: "/shop" }, "http", undefined, "INGRESSCOOKIE=T; Path=/shop; HttpOnly"],
  ["CTL-158: no path, where none can be told", { path: "" }, "http", undefined, "INGRESSCOOKIE=T; HttpOnly"],
  ["CTL-158: a path with ;", { path: "/a/b;c/d" }, "http", undefined, "INGRESSCOOKIE=T; Path=/a/; HttpOnly"],
  [
    "CTL-158: a path as browsers send it",
    { path: "/straße\r\n\u{d800}" },
    "http",
    undefined,
    "INGRESSCOOKIE=T; Path=/stra%C3%9Fe%0D%0A%EF%BF%BD; HttpOnly",
  ],
  [
    "CTL-159: a domain",
    { domain: "example.org" },
    "http",
    undefined,
    "INGRESSCOOKIE=T; Domain=example.org; Path=/; HttpOnly",
  ],
  ["CTL-159: SameSite=Lax", { sameSite: "Lax" }, "http", undefined, "INGRESSCOOKIE=T; Path=/; HttpOnly; SameSite=Lax"],
  [
    "CTL-159: SameSite=Strict",
    { sameSite: "Strict" },
    "https",
    undefined,
    "INGRESSCOOKIE=T; Path=/; Secure; HttpOnly; SameSite=Strict",
  ],
  [
    "CTL-159: SameSite=None",
    { sameSite: "None" },
    "https",
    undefined,
    "INGRESSCOOKIE=T; Path=/; Secure; HttpOnly; SameSite=None",
  ],
  [
    "CTL-159: SameSite=None is not said without Secure",
    { sameSite: "None" },
    "http",
    undefined,
    "INGRESSCOOKIE=T; Path=/; HttpOnly",
  ],
  [
    "CTL-159: SameSite=None unless a browser takes it for something else",
    { sameSite: "None", conditionalSameSiteNone: true },
    "https",
    IOS_12,
    "INGRESSCOOKIE=T; Path=/; Secure; HttpOnly",
  ],
  [
    "CTL-159: SameSite=None for that browser, too, where no condition is made",
    { sameSite: "None" },
    "https",
    IOS_12,
    "INGRESSCOOKIE=T; Path=/; Secure; HttpOnly; SameSite=None",
  ],
  [
    "CTL-159: SameSite=None for a browser that is not known",
    { sameSite: "None", conditionalSameSiteNone: true },
    "https",
    undefined,
    "INGRESSCOOKIE=T; Path=/; Secure; HttpOnly; SameSite=None",
  ],
  [
    "CTL-160: Expires and Max-Age",
    { expires: 172_800, maxAge: 3600 },
    "http",
    undefined,
    "INGRESSCOOKIE=T; Expires=Mon, 02 Feb 2026 23:59:30 GMT; Max-Age=3600; Path=/; HttpOnly",
  ],
  ["CTL-160: Max-Age alone", { maxAge: 0 }, "http", undefined, "INGRESSCOOKIE=T; Max-Age=0; Path=/; HttpOnly"],
  ["CTL-162: Secure as the request came", {}, "https", undefined, "INGRESSCOOKIE=T; Path=/; Secure; HttpOnly"],
  ["CTL-162: Secure is forced", { secure: true }, "http", undefined, "INGRESSCOOKIE=T; Path=/; Secure; HttpOnly"],
  ["CTL-162: Secure is forbidden", { secure: false }, "https", undefined, "INGRESSCOOKIE=T; Path=/; HttpOnly"],
];
for (const [what, affinity, scheme, userAgent, cookie] of cases) {
  void test(what, () => equal(setCookie(cookieAffinity(affinity), "T", { scheme, userAgent }, NOW), cookie));
}
