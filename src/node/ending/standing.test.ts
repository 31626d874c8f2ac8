import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointConditions, EndpointSlice, Pod, Service, ServiceSpec } from "../../api/generated/types.ts";
import { selectsPod, standingOf } from "./standing.ts";

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
const slice = (resourceVersion: string, conditions: EndpointConditions, uid = "u"): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: resourceVersion, resourceVersion },
  addressType: "IPv4",
  endpoints: [{ addresses: ["10.0.0.1"], conditions, targetRef: { kind: "Pod", uid } }],
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
});

void test("a pod stands as the slices that name it say; the newest of them is the one to wait for", () => {
  const ending = { ready: false, serving: true, terminating: true };
  assert.deepEqual(standingOf([], "u"), { version: undefined });
  assert.deepEqual(standingOf([slice("9", {}, "other")], "u"), { version: undefined });
  assert.equal(standingOf([slice("9", { ready: true }), slice("10", ending)], "u"), "leads");
  assert.deepEqual(standingOf([slice("9", ending), slice("10", ending)], "u"), { version: "10" });
  assert.deepEqual(standingOf([slice("9", { ready: false })], "u"), { version: "9" });
});
