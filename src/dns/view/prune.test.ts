import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice, Namespace, Pod, Service } from "../../api/generated/types.ts";
import { pruneNamespace, prunePod, pruneService, pruneSlice } from "./prune.ts";

const metadata = {
  name: "web",
  namespace: "shop",
  uid: "u-1",
  resourceVersion: "7",
  creationTimestamp: "2026-01-01T00:00:00Z",
  labels: { app: "web" },
  annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" },
  managedFields: [{ manager: "kubectl" }],
};
const KEPT = { name: "web", namespace: "shop", uid: "u-1", resourceVersion: "7" };

void test("of a Service its addresses and ports are kept", () => {
  const service: Service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...metadata },
    spec: {
      type: "ClusterIP",
      clusterIP: "10.96.0.7",
      clusterIPs: ["10.96.0.7"],
      selector: { app: "web" },
      sessionAffinity: "None",
      ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080, nodePort: 30080 }],
    },
    status: { loadBalancer: {} },
  };
  pruneService(service);
  assert.deepEqual(JSON.parse(JSON.stringify(service)), {
    apiVersion: "v1",
    kind: "Service",
    metadata: KEPT,
    spec: {
      type: "ClusterIP",
      clusterIP: "10.96.0.7",
      clusterIPs: ["10.96.0.7"],
      ports: [{ name: "http", protocol: "TCP", port: 80 }],
    },
  });
});

const sliceOf = (): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: {
    ...metadata,
    labels: { "kubernetes.io/service-name": "web", app: "web" },
    annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:01Z", other: "x" },
    ownerReferences: [{ apiVersion: "v1", kind: "Service", name: "web", uid: "u-0" }],
  },
  addressType: "IPv4",
  ports: [{ name: "http", protocol: "TCP", port: 80, appProtocol: "h2c" }],
  endpoints: [
    {
      addresses: ["10.244.0.7"],
      conditions: { ready: true, serving: true, terminating: false },
      hostname: "web-0",
      nodeName: "here",
      zone: "a",
      targetRef: { kind: "Pod", name: "web-0", namespace: "shop", uid: "u-2" },
    },
    { addresses: ["10.244.0.8"], conditions: { ready: false } },
    { addresses: ["10.244.0.9"] },
  ],
});

void test("of a slice the endpoints that are ready are kept, and what the configuration asks for", () => {
  const slice = sliceOf();
  pruneSlice(slice, { podNames: false, zones: false });
  assert.deepEqual(JSON.parse(JSON.stringify(slice)), {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      ...KEPT,
      labels: { "kubernetes.io/service-name": "web" },
      annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:01Z" },
      ownerReferences: [{ apiVersion: "v1", kind: "Service", name: "web", uid: "u-0" }],
    },
    addressType: "IPv4",
    ports: [{ name: "http", protocol: "TCP", port: 80 }],
    endpoints: [{ addresses: ["10.244.0.7"], hostname: "web-0" }, { addresses: ["10.244.0.9"] }],
  });
  const whole = sliceOf();
  pruneSlice(whole, { podNames: true, zones: true });
  assert.deepEqual(whole.endpoints, [
    { addresses: ["10.244.0.7"], hostname: "web-0", zone: "a", targetRef: { name: "web-0" } },
    { addresses: ["10.244.0.9"] },
  ]);
});

void test("of a namespace its labels are kept, by which it may be chosen", () => {
  const namespace: Namespace = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { ...metadata },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  };
  pruneNamespace(namespace);
  assert.deepEqual(JSON.parse(JSON.stringify(namespace)), {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { ...KEPT, labels: { app: "web" } },
  });
});

void test("of a pod its addresses, its resolver and its wish to be logged are kept", () => {
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...metadata,
      annotations: { "fairlead.dev/dns-log": "true", other: "x" },
      deletionTimestamp: "2026-01-01T00:00:02Z",
    },
    spec: {
      containers: [{ name: "web", image: "web" }],
      nodeName: "here",
      hostNetwork: true,
      dnsPolicy: "None",
      dnsConfig: { searches: ["x.y"] },
    },
    status: {
      phase: "Running",
      podIP: "10.244.0.7",
      podIPs: [{ ip: "10.244.0.7" }],
      startTime: "2026-01-01T00:00:00Z",
    },
  };
  prunePod(pod);
  assert.deepEqual(JSON.parse(JSON.stringify(pod)), {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...KEPT,
      annotations: { "fairlead.dev/dns-log": "true" },
      deletionTimestamp: "2026-01-01T00:00:02Z",
    },
    spec: { containers: [], dnsPolicy: "None", hostNetwork: true, dnsConfig: { searches: ["x.y"] } },
    status: { phase: "Running", podIP: "10.244.0.7", podIPs: [{ ip: "10.244.0.7" }] },
  });
});
