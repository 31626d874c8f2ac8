import assert from "node:assert/strict";
import { test } from "node:test";
import { fields } from "../../api/generated/fields.ts";
import { workloadDescriptions } from "./workload-descriptions.ts";

void test("every type and field that is described is in the field table, and every field of a spec is described", () => {
  for (const [type, described] of Object.entries(workloadDescriptions)) {
    assert.ok(Object.hasOwn(fields, type), type);
    for (const field of Object.keys(described))
      assert.ok(field === "" || Object.hasOwn(fields[type]!, field), `${type}.${field}`);
  }
  for (const type of [
    "DaemonSetSpec",
    "DeploymentSpec",
    "JobSpec",
    "PodDisruptionBudgetSpec",
    "ReplicaSetSpec",
    "StatefulSetSpec",
  ]) {
    for (const field of Object.keys(fields[type]!)) assert.ok(workloadDescriptions[type]![field], `${type}.${field}`);
  }
});
