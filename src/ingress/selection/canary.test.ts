import { equal } from "node:assert/strict";
import { test } from "node:test";
import { canaryPlan, requestHead, seeded } from "../../../test/ingress/plans.ts";
import type { CanaryPlan } from "../plan/plan.ts";
import { canaryWords, drawnCanary } from "./canary.ts";

const header = { name: "X-Canary" };
type Outcome = "canary" | "main" | "open";
const cases: readonly (readonly [string, Partial<CanaryPlan>, Record<string, string>, Outcome])[] = [
  ["header always", { header }, { "x-canary": "always" }, "canary"],
  ["header never", { header }, { "x-canary": "never" }, "main"],
  ["header with another word", { header }, { "x-canary": "perhaps" }, "open"],
  ["no header", { header }, {}, "open"],
  ["its value", { header: { ...header, value: "de" } }, { "x-canary": "de" }, "canary"],
  ["another value", { header: { ...header, value: "de" } }, { "x-canary": "at" }, "open"],
  ["always where a value is asked for", { header: { ...header, value: "de" } }, { "x-canary": "always" }, "open"],
  ["never where a value is asked for", { header: { ...header, value: "de" } }, { "x-canary": "never" }, "open"],
  ["what a pattern matches", { header: { ...header, pattern: "^(de|at)$" } }, { "x-canary": "at" }, "canary"],
  ["what a pattern does not match", { header: { ...header, pattern: "^(de|at)$" } }, { "x-canary": "ate" }, "open"],
  ["a pattern that is none", { header: { ...header, pattern: "(" } }, { "x-canary": "(" }, "open"],
  ["cookie always", { cookie: "beta" }, { cookie: "a=1; beta=always" }, "canary"],
  ["cookie never", { cookie: "beta" }, { cookie: "beta=never" }, "main"],
  ["cookie with another word", { cookie: "beta" }, { cookie: "beta=1" }, "open"],
  ["header before cookie", { header, cookie: "beta" }, { "x-canary": "never", cookie: "beta=always" }, "main"],
  [
    "cookie where the header says nothing",
    { header, cookie: "beta" },
    { "x-canary": "", cookie: "beta=always" },
    "canary",
  ],
];
for (const [what, canary, headers, outcome] of cases) {
  void test(`CTL-156: a canary and ${what}: ${outcome}`, () => {
    const plan = canaryPlan("canary", canary);
    const { asked, open } = canaryWords([plan], requestHead({ headers }));
    equal(asked === plan ? "canary" : open.length === 0 ? "main" : "open", outcome);
  });
}

void test("of several canaries the first that is asked for is it; never takes one away", () => {
  const [one, two] = [canaryPlan("one", { header: { name: "one" } }), canaryPlan("two", { cookie: "two" })];
  equal(canaryWords([one, two], requestHead({ headers: { cookie: "two=always" } })).asked, two);
  const { asked, open } = canaryWords([one, two], requestHead({ headers: { one: "never" } }));
  equal(asked, undefined);
  equal(open[0], two);
});

void test("weights are shares, of several canaries side by side", () => {
  const canaries = [
    canaryPlan("one", { weight: 10 }),
    canaryPlan("two", { weight: 3, total: 10 }),
    canaryPlan("three"),
  ];
  const counts = new Map<string | undefined, number>();
  const random = seeded(5);
  for (let at = 0; at < 10_000; at++) {
    const backend = drawnCanary(canaries, random())?.backend;
    counts.set(backend, (counts.get(backend) ?? 0) + 1);
  }
  const near = (backend: string | undefined, share: number): void =>
    equal(Math.abs((counts.get(backend) ?? 0) / 10_000 - share) < 0.015, true, `${backend}: ${counts.get(backend)}`);
  near("one", 0.1);
  near("two", 0.3);
  near("three", 0);
  near(undefined, 0.6);
  equal(drawnCanary([canaryPlan("all", { weight: 100 })], 0.999_999)?.backend, "all");
  equal(drawnCanary([canaryPlan("none")], 0), undefined);
});
