import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceQuota } from "../../api/generated/types.ts";
import { count, parseQuantity } from "../../api/meta/quantity.ts";
import { events, ingresses, nodes, pods, secrets, services } from "../../api/resources.ts";
import { decideStatus, isCurrent, resourcesFor } from "./decide.ts";

const served = [services, pods, secrets, events, nodes, ingresses];
const quota = (hard: Record<string, string>, status?: ResourceQuota["status"]): ResourceQuota => ({
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name: "q", namespace: "n" },
  spec: { hard },
  ...(status && { status }),
});

void test("only what a quota limits is counted, and only what is in namespaces and no event", () => {
  const plurals = (hard: Record<string, string>): string[] =>
    resourcesFor(quota(hard), served).map(({ plural }) => plural);
  assert.deepEqual(plurals({ "services.nodeports": "1", "count/ingresses.networking.k8s.io": "1" }), [
    "services",
    "ingresses",
  ]);
  assert.deepEqual(plurals({ "requests.cpu": "1", "requests.example.com/gpu": "1" }), ["pods"]);
  assert.deepEqual(
    plurals({ "count/events": "1", "count/nodes": "1", "count/ingresses": "1", "a.example/b": "1" }),
    [],
  );
});

void test("a status is current when it is of this spec and knows all that can be counted", () => {
  const hard = { services: "3", "count/unserved.example": "1" };
  const rows: [status: ResourceQuota["status"], isCurrent: boolean][] = [
    [undefined, false],
    [{}, false],
    [{ hard }, false],
    [{ hard, used: {} }, false],
    [{ hard, used: { services: "1" } }, true],
    [{ hard: { ...hard, services: "2" }, used: { services: "1" } }, false],
    [{ hard: { services: "3" }, used: { services: "1" } }, false],
  ];
  for (const [status, expected] of rows) {
    assert.equal(isCurrent(quota(hard, status), served), expected, JSON.stringify(status));
  }
  assert.equal(isCurrent(quota({}, { hard: {} }), served), true);
});

void test("a count is written when it says something new", () => {
  const hard = { services: "3", "requests.memory": "1Gi" };
  const counted = new Map([
    ["services", count(2)],
    ["requests.memory", parseQuantity("64Mi")],
  ]);
  const used = { services: "2", "requests.memory": "64Mi" };
  assert.deepEqual(decideStatus(quota(hard), counted), { hard, used });
  assert.deepEqual(decideStatus(quota(hard, { hard, used: { ...used, services: "1" } }), counted), { hard, used });
  assert.deepEqual(decideStatus(quota(hard, { hard: {}, used }), counted), { hard, used });
  assert.deepEqual(decideStatus(quota(hard, { hard, used: { ...used, pods: "1" } }), counted), { hard, used });
  assert.equal(decideStatus(quota(hard, { hard, used }), counted), undefined);
  assert.equal(
    decideStatus(quota(hard, { hard, used: { ...used, "requests.memory": "65536Ki" } }), counted),
    undefined,
  );
});

void test("of what nobody here can count, what was said stays", () => {
  const hard = { services: "3", "count/a.example": "1" };
  const status = { hard, used: { services: "0", "count/a.example": "1" } };
  assert.deepEqual(decideStatus(quota(hard, status), new Map([["services", count(1)]])), {
    hard,
    used: { "count/a.example": "1", services: "1" },
  });
});
