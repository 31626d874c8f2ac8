import { equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { anyCase } from "./any-case.ts";
import { stepsOf } from "./bound.ts";
import { headerExpression, pathExpression } from "./expression.ts";

/** Milliseconds; far below what trying all would take, far above what is measured. */
const SOON = 2000;
const evil = `${"a".repeat(40)}!`;

for (const source of [
  "(a+)+$",
  "(a|a)*$",
  "(?:a|aa)+$",
  "(a*)*$",
  String.raw`(\w+)+\b$`,
  "([^/]+)+/x$",
  "(.*a){20}$",
]) {
  for (const [how, made] of [
    ["of a path", pathExpression],
    ["of a header", headerExpression],
  ] as const) {
    test(`an expression that could take for ever comes to its end: ${source} ${how}`, { timeout: 20_000 }, () => {
      let found: RegExp;
      try {
        found = made(source);
      } catch (error) {
        // Refused is as good.
        return ok((error as Error).message.includes("could take for ever"));
      }
      for (const text of [evil, `${"a".repeat(16_000)}!`]) {
        const began = performance.now();
        found.test(text);
        ok(performance.now() - began < SOON, `${performance.now() - began} ms for ${text.length} characters`);
      }
    });
  }
}

test("an expression that no engine does in linear time is taken where few steps are enough, else refused", () => {
  for (const source of [
    "/(?!api/|admin)(.*)",
    String.raw`/(?!.*\.php$).*`,
    "/[a-f0-9]{40}",
    "/[a-z]{1,63}/x",
    "/(?i:foo)",
    "/(?!a)[^/]+/(.*)",
    "/(?!a)([^/]+)/(?:[^/]*)/(.*)",
    "/(?!a)[^/]+/[^/]+/(.*)",
  ]) {
    pathExpression(source);
  }
  equal(pathExpression("/(?!api)(.*)").exec("/foo")?.[1], "foo");
  equal(pathExpression("/(?!api)(.*)").test("/API"), false);
  for (const source of [
    "/(?=(a+)+$)a",
    String.raw`/(a+)+\1$`,
    "/(a{1,50})+$",
    "/(?!x)(.*)a(.*)b(.*)",
    "/(?!x)[^a]+/(.*)",
    "/(?!x)([^/]+)+/(.*)",
    "/(?!x)([^/]+/)+(.*)",
    "/(?!x)[^a-z]+-(.*)",
    "/(?!x)[^/]+/?(.*)",
  ]) {
    throws(() => pathExpression(source), /could take for ever/, source);
  }
  throws(() => headerExpression("(?!x).*y"), /could take for ever/);
  throws(() => pathExpression("/("), /Invalid regular expression/);
  throws(() => pathExpression("/a)|(b"), /Invalid regular expression/);
});

test("steps are counted as a matcher that goes back takes them", () => {
  equal(stepsOf("abc", 10, true) < 10, true);
  ok(stepsOf("(a+)+$", 40, true) > 2 ** 40);
  ok(stepsOf("(a|a)*$", 40, true) > 2 ** 40);
  ok(stepsOf("a*b*", 1000, true) >= 1_000_000);
  ok(stepsOf("(?=a*)b*", 1000, true) < 10_000);
  ok(stepsOf("a*", 1000, false) >= 1_000_000);
  ok(stepsOf("[(+*]{2}", 1000, true) < 20);
});

test("an expression that minds no case is written without the flag", () => {
  const texts = ["a", "A", "z", "Z", "é", "/", "_", "5", "ab", "AB", "k", "\u212A", "[", "]", "^", "-", "\\"];
  for (const source of [
    "a",
    "[a-c]",
    "[^a]",
    "[X-b]",
    "[\\w-]",
    "[a\\]]",
    "[a-]",
    "[-a]",
    "[^]",
    "(?<ab>a)b",
    "\\ba\\b",
    "\\D",
    "[\\da-f]",
    "a|b",
    "[A-z]",
    "[!-~]",
    "[]a",
    "[/-A]",
  ]) {
    const written = new RegExp(anyCase(`^(?:${source})$`)!);
    for (const text of texts)
      equal(written.test(text), new RegExp(`^(?:${source})$`, "i").test(text), `${source} ${text}`);
  }
  for (const source of ["é", String.raw`(a)\1`, String.raw`\x41`, "(?i:a)"]) equal(anyCase(source), undefined);
});
