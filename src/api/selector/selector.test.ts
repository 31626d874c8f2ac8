import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../kinds.ts";
import { isApiError } from "../status.ts";
import { fieldLabelsOf, parseFieldSelector } from "./fieldSelector.ts";
import { labelSelector, matchesLabels, parseLabelSelector } from "./labelSelector.ts";

const web = { app: "web", tier: "a", n: "5", "x.io/y": "" };

const texts: [selector: string, matches: boolean][] = [
  ["", true],
  ["app=web", true],
  ["app==web,tier=b", false],
  ["app!=web", false],
  ["missing!=x", true],
  ["tier in (a,b)", true],
  ["tier in (b, c)", false],
  ["tier notin (b)", true],
  ["missing notin (b)", true],
  ["app", true],
  ["!app", false],
  ["! missing", true],
  ["app=web,tier in (a,b),!old", true],
  ["x.io/y=", true],
  ["x.io/y", true],
  ["n>4", true],
  ["n<4", false],
  ["tier>4", false],
  ["toString", false],
  [" app = web ", true],
];

for (const [selector, matches] of texts) {
  void test(`SVC-200: the label selector ${JSON.stringify(selector)} ${matches ? "matches" : "does not match"}`, () =>
    assert.equal(parseLabelSelector(selector)(web), matches));
}

for (const wrong of ["a=b=c", "a in b", "a in (b", "a)", "=b", "a,,b", "a=-", "a b", "!a=b", "n>x", "a in ((b))"]) {
  void test(`SVC-200: the label selector ${wrong} is a bad request`, () =>
    assert.throws(
      () => parseLabelSelector(wrong),
      (error) => isApiError(error, "BadRequest"),
    ));
}

void test("the object form of a label selector", () => {
  const match = labelSelector({
    matchLabels: { app: "web" },
    matchExpressions: [
      { key: "tier", operator: "In", values: ["a"] },
      { key: "old", operator: "DoesNotExist" },
      { key: "n", operator: "Exists" },
      { key: "tier", operator: "NotIn", values: ["z"] },
    ],
  });
  assert.equal(match(web), true);
  assert.equal(match({ ...web, old: "" }), false);
  assert.equal(labelSelector(undefined)(web), false);
  assert.equal(labelSelector({})(undefined), true);
  assert.throws(
    () => labelSelector({ matchExpressions: [{ key: "a", operator: "Near" }] }),
    /not a valid label selector/,
  );
  assert.throws(() => labelSelector({ matchExpressions: [{ key: "a", operator: "In" }] }), /at least one value/);
});

void test("a Service's selector wants every pair", () => {
  assert.equal(matchesLabels({ app: "web" }, web), true);
  assert.equal(matchesLabels({ app: "web", constructor: "x" }, web), false);
  assert.equal(matchesLabels({ app: "web" }, undefined), false);
});

void test("SVC-199: field selectors compare the fields of the kind", () => {
  const supported = ["spec.clusterIP", "spec.type", "metadata.name"];
  const headless = { "spec.clusterIP": "None", "spec.type": "ClusterIP", "metadata.name": "a,b" };
  const matches = (text: string): boolean => parseFieldSelector(text, supported).matches(headless);
  assert.equal(matches("spec.clusterIP=None"), true);
  assert.equal(matches("spec.clusterIP!=None"), false);
  assert.equal(matches("spec.type==ClusterIP,spec.clusterIP=None"), true);
  assert.equal(matches("metadata.name=a\\,b"), true);
  assert.equal(matches(""), true);
});

void test("SVC-199: another field label, or no comparison, is a bad request", () => {
  assert.throws(
    () => parseFieldSelector("spec.ports=1", ["metadata.name"]),
    (error) => {
      return isApiError(error, "BadRequest") && /field label not supported: spec.ports/.test(error.message);
    },
  );
  assert.throws(
    () => parseFieldSelector("metadata.name", ["metadata.name"]),
    /invalid selector: .metadata.name.; can.t understand/,
  );
});

void test("SVC-199, SVC-236, SVC-255, SVC-274: the field labels of each kind", () => {
  const labels = Object.fromEntries(kinds.map((kind) => [kind.kind, fieldLabelsOf(kind)]));
  assert.deepEqual(labels["Service"], ["metadata.name", "metadata.namespace", "spec.clusterIP", "spec.type"]);
  assert.deepEqual(labels["Endpoints"], ["metadata.name", "metadata.namespace"]);
  assert.deepEqual(labels["EndpointSlice"], ["metadata.name", "metadata.namespace"]);
  assert.deepEqual(labels["ServiceCIDR"], ["metadata.name"]);
  assert.ok(labels["Pod"]?.includes("spec.nodeName"));
  assert.ok(labels["Event"]?.includes("involvedObject.uid"));
});
