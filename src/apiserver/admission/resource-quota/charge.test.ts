import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceQuota } from "../../../api/generated/types.ts";
import { parseQuantity } from "../../../api/meta/quantity.ts";
import type { Usage } from "../../../api/resourceQuota/usage/usage.ts";
import { charged } from "./charge.ts";

const quota = (hard: Record<string, string>, status: ResourceQuota["status"]): ResourceQuota => ({
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name: "q", namespace: "n" },
  spec: { hard },
  status,
});
const usage = (amounts: Record<string, string>): Usage =>
  new Map(Object.entries(amounts).map(([name, text]) => [name, parseQuantity(text)]));

void test("SVC-305: what is used grows up to the limit, and no further", () => {
  const hard = { services: "2", secrets: "9" };
  const given = quota(hard, { hard, used: { services: "1", secrets: "3" } });
  assert.deepEqual(charged(given, usage({ services: "1" }), new Map()), {
    status: { hard, used: { services: "2", secrets: "3" } },
    refusal: undefined,
  });
  const { refusal } = charged(given, usage({ services: "2", secrets: "1" }), new Map());
  assert.equal(refusal, "exceeded quota: q, requested: services=2, used: services=1, limited: services=2");
});

void test("SVC-305: all that is exceeded is told, sorted, in canonical amounts", () => {
  const hard = { "requests.memory": "1Gi", pods: "0", "limits.cpu": "1" };
  const given = quota(hard, { hard, used: { "requests.memory": "1000Mi", pods: "0", "limits.cpu": "500m" } });
  const { refusal } = charged(given, usage({ pods: "1", "requests.memory": "0.5Gi", "limits.cpu": "0.5" }), new Map());
  assert.equal(
    refusal,
    "exceeded quota: q, requested: pods=1,requests.memory=512Mi, used: pods=0,requests.memory=1000Mi, limited: pods=0,requests.memory=1Gi",
  );
});

void test("SVC-307: what shrinks is allowed, however little room there is, and never falls below nothing", () => {
  const hard = { services: "1" };
  const given = quota(hard, { hard, used: { services: "3" } });
  assert.deepEqual(charged(given, usage({ services: "-1" }), new Map()), {
    status: { hard, used: { services: "2" } },
    refusal: undefined,
  });
  assert.deepEqual(charged(given, usage({ services: "-5" }), new Map()).status.used, { services: "0" });
});

void test("SVC-305: what the status does not know is what was counted, and the limit is the spec's", () => {
  const hard = { services: "2", secrets: "1" };
  const unknown = quota(hard, { hard: { services: "9" }, used: {} });
  assert.deepEqual(charged(unknown, usage({ services: "1" }), usage({ services: "1", secrets: "7" })), {
    status: { hard: { services: "2" }, used: { services: "2" } },
    refusal: undefined,
  });
  const { refusal } = charged(unknown, usage({ services: "1" }), usage({ services: "2" }));
  assert.match(refusal ?? "", /used: services=2, limited: services=2$/);
});
