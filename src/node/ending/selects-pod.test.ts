import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, Service, ServiceSpec } from "../../api/generated/types.ts";
import { selectsPod } from "./selects-pod.ts";

const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "shop", name: "web", uid: "u", labels: { app: "web" } },
};
const service = (spec: ServiceSpec, namespace = "shop"): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace, name: "web" },
  spec,
});
void test("only Services that a proxy carries, and that leave out ending pods, count", () => {
  const selector = { app: "web" };
  assert.ok(selectsPod(service({ selector }), pod));
  assert.ok(!selectsPod(service({ selector: {} }), pod));
  assert.ok(!selectsPod(service({ selector }, "other"), pod));
  assert.ok(!selectsPod(service({ selector: { app: "db" } }), pod));
  assert.ok(!selectsPod(service({ selector, clusterIP: "None" }), pod));
  assert.ok(!selectsPod(service({ selector, type: "ExternalName" }), pod));
  assert.ok(!selectsPod(service({ selector, publishNotReadyAddresses: true }), pod));
  const theirs = service({ selector });
  theirs.metadata.labels = { "service.kubernetes.io/service-proxy-name": "other" };
  assert.ok(!selectsPod(theirs, pod));
});
