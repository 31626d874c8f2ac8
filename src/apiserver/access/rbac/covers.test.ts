import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { PolicyRule } from "../../../api/generated/types.ts";
import type { RequestInfo } from "../attributes.ts";
import { describeRules, uncovered } from "./covers.ts";
import { ruleAllows } from "./matches.ts";

const VERBS = ["get", "list"];
const GROUPS = ["", "apps"];
const RESOURCES = ["pods", "pods/log", "pods/scale", "things/scale"];
const NAMES = ["one", "two"];
const PATHS = ["/a", "/a/b", "/a/b/c", "/"];
/** No rule names it, so that only a wildcard allows it. */
const OTHER = "other";

const some = (...words: string[]): fc.Arbitrary<string[]> => fc.subarray(words, { minLength: 1 });
const resourceRule: fc.Arbitrary<PolicyRule> = fc.record({
  verbs: some(...VERBS, "*"),
  apiGroups: some(...GROUPS, "*"),
  resources: some(...RESOURCES, "*/scale", "*"),
  resourceNames: fc.option(some(...NAMES), { nil: undefined }),
});
const urlRule: fc.Arbitrary<PolicyRule> = fc.record({
  verbs: some(...VERBS, "*"),
  nonResourceURLs: some(...PATHS, "/a/*", "/a*", "*"),
});
const rules = fc.array(fc.oneof({ weight: 3, arbitrary: resourceRule }, urlRule), { maxLength: 3 });

/** Every request that could tell two sets of rules apart. */
const REQUESTS: readonly RequestInfo[] = [...VERBS, OTHER].flatMap((verb) => [
  ...[...GROUPS, OTHER].flatMap((group) =>
    [...RESOURCES, OTHER, `${OTHER}/scale`, `pods/${OTHER}`, `${OTHER}/${OTHER}`].flatMap((combined) => {
      const [resource = "", subresource = ""] = combined.split("/");
      return [...NAMES, OTHER, ""].map((name) => ({
        verb,
        group,
        version: "v1",
        resource,
        subresource,
        namespace: "n",
        name,
        path: "",
      }));
    }),
  ),
  ...[...PATHS, `/${OTHER}`, `/a${OTHER}`, `/a/${OTHER}`, "/a/"].map((path) => ({ resource: undefined, verb, path })),
]);
const allows = (all: readonly PolicyRule[], request: RequestInfo): boolean =>
  all.some((rule) => ruleAllows(rule, request));

void test("uncovered: nothing is missing exactly when every request that is wanted is allowed already", () => {
  let covered = 0;
  fc.assert(
    fc.property(rules, rules, (held, wanted) => {
      const isCovered = uncovered(held, wanted).length === 0;
      const refused = REQUESTS.filter((request) => allows(wanted, request) && !allows(held, request));
      assert.equal(isCovered, refused.length === 0, JSON.stringify(refused[0]));
      if (isCovered && wanted.length > 0) covered += 1;
    }),
    { numRuns: 1500 },
  );
  assert.ok(covered > 20, `${covered} sets of rules were covered`);
});

void test("uncovered: what is missing makes it whole, and nothing of it was held", () => {
  fc.assert(
    fc.property(rules, rules, (held, wanted) => {
      const missing = uncovered(held, wanted);
      assert.deepEqual(uncovered([...held, ...missing], wanted), []);
      for (const rule of missing) assert.deepEqual(uncovered(held, [rule]), [rule]);
    }),
    { numRuns: 300 },
  );
});

void test("describeRules: a line for each resource with all its verbs, in order", () => {
  const missing = uncovered(
    [{ verbs: ["list"], apiGroups: [""], resources: ["pods"] }],
    [
      { verbs: ["get", "list", "watch"], apiGroups: [""], resources: ["services", "pods"] },
      { verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["one"] },
      { verbs: ["get"], nonResourceURLs: ["/metrics"] },
    ],
  );
  assert.equal(
    describeRules(missing),
    [
      '{APIGroups:[""], Resources:["pods"], ResourceNames:["one"], Verbs:["get"]}',
      '{APIGroups:[""], Resources:["pods"], Verbs:["get" "watch"]}',
      '{APIGroups:[""], Resources:["services"], Verbs:["get" "list" "watch"]}',
      '{NonResourceURLs:["/metrics"], Verbs:["get"]}',
    ].join("\n"),
  );
});
