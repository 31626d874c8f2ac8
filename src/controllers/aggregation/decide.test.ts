import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterRole, PolicyRule } from "../../api/generated/types.ts";
import { gatheredRules } from "./decide.ts";

const rule = (resource: string): PolicyRule => ({ apiGroups: [""], resources: [resource], verbs: ["get"] });
const role = (name: string, labels: Record<string, string>, ...resources: string[]): ClusterRole => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name, labels },
  rules: resources.map(rule),
});
const gathering = (...labels: Record<string, string>[]): ClusterRole => ({
  ...role("whole", { a: "1" }, "nodes"),
  aggregationRule: { clusterRoleSelectors: labels.map((matchLabels) => ({ matchLabels })) },
});

void test("gatheredRules: selector by selector, then by name, each rule once, and never its own", () => {
  const all = [
    role("z", { a: "1" }, "pods"),
    role("b", { a: "1" }, "secrets", "pods"),
    role("c", { b: "1" }, "events"),
  ];
  const whole = gathering({ b: "1" }, { a: "1" });
  assert.deepEqual(gatheredRules(whole, [whole, ...all]), ["events", "secrets", "pods"].map(rule));
});

void test("gatheredRules: nothing to do for a role that gathers nothing, or has its rules already", () => {
  const part = role("part", { a: "1" }, "nodes");
  assert.equal(gatheredRules(part, [part]), undefined);
  assert.equal(gatheredRules(gathering({ a: "1" }), [part]), undefined);
  assert.deepEqual(gatheredRules(gathering({ a: "2" }), [part]), []);
  const { rules: _, ...none } = gathering({ a: "2" });
  assert.equal(gatheredRules(none, [part]), undefined);
});
