import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { understandsSameSiteNone } from "./same-site-none.ts";

const WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
const chrome = (version: string): string =>
  `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version} Safari/537.36`;
const uc = (version: string): string =>
  `Mozilla/5.0 (Linux; U; Android 8.1.0; en-US; A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/57.0.2987.108 UCBrowser/${version} Mobile Safari/537.36`;
const mac = (version: string, rest: string): string => `Mozilla/5.0 (Macintosh; Intel Mac OS X ${version}) ${rest}`;

const cases: readonly (readonly [string, string | undefined, boolean])[] = [
  ["nobody", undefined, true],
  ["curl", "curl/8.5.0", true],
  [
    "Safari of iOS 12",
    `Mozilla/5.0 (iPhone; CPU iPhone OS 12_4 like Mac OS X) ${WEBKIT} Version/12.1 Mobile/15E148 Safari/604.1`,
    false,
  ],
  [
    "Chrome of iPadOS 12",
    `Mozilla/5.0 (iPad; CPU OS 12_5_1 like Mac OS X) ${WEBKIT} CriOS/99.0 Mobile/15E148 Safari/604.1`,
    false,
  ],
  ["iOS 12 to the letter", `Mozilla/5.0 (iPod touch; CPU iPhone OS 12 like Mac OS X) ${WEBKIT}`, false],
  [
    "Safari of iOS 13",
    `Mozilla/5.0 (iPhone; CPU iPhone OS 13_1 like Mac OS X) ${WEBKIT} Version/13.0 Safari/604.1`,
    true,
  ],
  [
    "Safari of iOS 11",
    `Mozilla/5.0 (iPhone; CPU iPhone OS 11_1 like Mac OS X) ${WEBKIT} Version/11.0 Safari/604.1`,
    true,
  ],
  ["Safari of macOS 10.14", mac("10_14_6", `${WEBKIT} Version/12.1.2 Safari/605.1.15`), false],
  ["a browser in another program of macOS 10.14", mac("10_14", WEBKIT), false],
  ["Safari of macOS 10.15", mac("10_15", `${WEBKIT} Version/13.1 Safari/605.1.15`), true],
  [
    "Firefox of macOS 10.14",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.14; rv:70.0) Gecko/20100101 Firefox/70.0",
    true,
  ],
  [
    "Chrome 80 of macOS 10.14",
    mac("10_14_6", "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.1 Safari/537.36"),
    true,
  ],
  ["Chrome 50", chrome("50.0.2661.75"), true],
  ["Chrome 51", chrome("51.0.2704.79"), false],
  ["Chromium 66", chrome("66.0.3359.117").replace("Chrome", "Chromium"), false],
  ["Chrome 67", chrome("67.0.3396.62"), true],
  ["Chrome 151", chrome("151.0.0.0"), true],
  ["UC Browser 12.13.1", uc("12.13.1.1189"), false],
  ["UC Browser 12.13.2", uc("12.13.2.1208"), true],
  ["UC Browser 12.9.9", uc("12.9.9.1155"), false],
  ["UC Browser 13.0.0", uc("13.0.0.1288"), true],
];
for (const [who, userAgent, understands] of cases) {
  void test(`CTL-159: ${who} ${understands ? "takes" : "does not take"} SameSite=None for what it is`, () =>
    equal(understandsSameSiteNone(userAgent), understands));
}

void test("CTL-159: a User-Agent of a megabyte costs nothing", () => {
  for (const shape of ["(iPhone;", "(Macintosh;", "Chrome/9", "Version/", "UCBrowser/1."]) {
    const began = performance.now();
    understandsSameSiteNone(shape.repeat(100_000));
    ok(performance.now() - began < 1000, shape);
  }
});
