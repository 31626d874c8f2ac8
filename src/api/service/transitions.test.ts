import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service, ServiceSpec } from "../generated/types.ts";
import { backfill } from "./backfill.ts";
import { normalizeClusterIPs } from "./normalizeClusterIPs.ts";
import { service } from "./service.ts";
import { wipeOnTypeChange } from "./wipeOnTypeChange.ts";

const make = (spec: ServiceSpec): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "default" },
  spec: { type: "ClusterIP", ...spec },
});
const A = "10.96.0.7";
const B = "10.96.0.8";
const ips = ({ spec }: Service): unknown => [spec?.clusterIP, spec?.clusterIPs];

const forms: [id: string, now: ServiceSpec, was: ServiceSpec | undefined, singular: unknown, plural: unknown][] = [
  ["SVC-162 singular", { clusterIP: A }, undefined, A, [A]],
  ["SVC-162 plural alone", { clusterIPs: [A] }, undefined, undefined, [A]],
  ["SVC-163", { clusterIP: A }, { clusterIP: A, clusterIPs: [A, "fd00::7"] }, A, [A, "fd00::7"]],
  ["SVC-164", { clusterIPs: [A] }, { clusterIP: A, clusterIPs: [A] }, undefined, undefined],
  ["SVC-165", { clusterIP: B, clusterIPs: [A] }, { clusterIP: A, clusterIPs: [A] }, B, [B]],
  [
    "SVC-165 both changed",
    { clusterIP: B, clusterIPs: [B, "fd00::7"] },
    { clusterIP: A, clusterIPs: [A] },
    B,
    [B, "fd00::7"],
  ],
];
for (const [id, now, was, singular, plural] of forms) {
  void test(`${id}: clusterIP and clusterIPs are brought together`, () => {
    const previous = was === undefined ? undefined : make(was);
    const once = normalizeClusterIPs(make(now), previous);
    assert.deepEqual(ips(once), [singular, plural]);
    assert.deepEqual(normalizeClusterIPs(once, previous), once, "a second time changes nothing");
  });
}

void test("SVC-166: an update that leaves the addresses out keeps them, headless too", () => {
  assert.deepEqual(ips(backfill(make({}), make({ clusterIP: A, clusterIPs: [A] }))), [A, [A]]);
  assert.deepEqual(ips(backfill(make({}), make({ clusterIP: "None", clusterIPs: ["None"] }))), ["None", ["None"]]);
  const alias = make({ type: "ExternalName" });
  assert.deepEqual(ips(backfill(alias, make({ clusterIP: A, clusterIPs: [A] }))), [undefined, undefined]);
});

void test("SVC-167: node ports go to the port of the same name, unless they are used elsewhere", () => {
  const nodePorts = (now: ServiceSpec, was: ServiceSpec): unknown =>
    backfill(make({ type: "NodePort", ...now }), make({ type: "NodePort", ...was })).spec?.ports?.map(
      (port) => port.nodePort,
    );
  const a = { name: "a", port: 1 };
  const b = { name: "b", port: 2 };
  const was = {
    ports: [
      { ...a, nodePort: 30001 },
      { ...b, nodePort: 30002 },
    ],
  };
  assert.deepEqual(nodePorts({ ports: [b, { ...a, port: 9 }] }, was), [30002, 30001]);
  assert.deepEqual(nodePorts({ ports: [a, { ...b, nodePort: 30001 }] }, was), [undefined, 30001]);
  assert.deepEqual(nodePorts({ ports: [{ name: "new", port: 1 }] }, was), [undefined]);
  const off = { type: "LoadBalancer", allocateLoadBalancerNodePorts: false };
  assert.deepEqual(nodePorts({ ...off, ports: [a] }, { ...was, type: "LoadBalancer" }), [undefined]);
});

void test("SVC-168: the health check port is kept while it is needed", () => {
  const needs = { type: "LoadBalancer", externalTrafficPolicy: "Local" };
  const was = make({ ...needs, healthCheckNodePort: 30001 });
  assert.equal(backfill(make(needs), was).spec?.healthCheckNodePort, 30001);
  assert.equal(
    backfill(make({ ...needs, externalTrafficPolicy: "Cluster" }), was).spec?.healthCheckNodePort,
    undefined,
  );
});

const FULL: ServiceSpec = {
  type: "LoadBalancer",
  clusterIP: A,
  clusterIPs: [A],
  ipFamilies: ["IPv4"],
  ipFamilyPolicy: "SingleStack",
  externalTrafficPolicy: "Local",
  healthCheckNodePort: 30001,
  allocateLoadBalancerNodePorts: true,
  loadBalancerClass: "x.io/lb",
  ports: [{ port: 80, nodePort: 30002 }],
  selector: { app: "web" },
  loadBalancerIP: "1.2.3.4",
  loadBalancerSourceRanges: ["10.0.0.0/8"],
};
const after = (change: ServiceSpec, was: ServiceSpec = FULL): ServiceSpec | undefined =>
  wipeOnTypeChange(make({ ...was, ...change }), make(was)).spec;

void test("SVC-169, SVC-170, SVC-171, SVC-172, SVC-173, SVC-175: to ExternalName", () => {
  assert.deepEqual(after({ type: "ExternalName", externalName: "a.b" }), {
    type: "ExternalName",
    externalName: "a.b",
    ports: [{ port: 80 }],
    selector: { app: "web" },
    loadBalancerIP: "1.2.3.4",
    loadBalancerSourceRanges: ["10.0.0.0/8"],
  });
});

void test("SVC-169: an address that the same request changes is left for validation", () => {
  const spec = after({ type: "ExternalName", clusterIP: B, clusterIPs: [B] });
  assert.deepEqual([spec?.clusterIP, spec?.ipFamilies], [B, undefined]);
});

void test("SVC-170, SVC-180: to ClusterIP, unless a new node port is asked for", () => {
  assert.deepEqual(after({ type: "ClusterIP" })?.ports, [{ port: 80 }]);
  assert.deepEqual(after({ type: "ClusterIP", ports: [{ port: 80, nodePort: 31000 }] })?.ports, [
    { port: 80, nodePort: 31000 },
  ]);
});

void test("SVC-156, SVC-178, SVC-179: node ports stay between NodePort and LoadBalancer", () => {
  assert.deepEqual(after({ type: "NodePort" })?.ports, FULL.ports);
  assert.deepEqual(after({ allocateLoadBalancerNodePorts: false })?.ports, FULL.ports);
  const spec = after({ type: "NodePort" });
  assert.deepEqual(
    [
      spec?.loadBalancerClass,
      spec?.allocateLoadBalancerNodePorts,
      spec?.healthCheckNodePort,
      spec?.externalTrafficPolicy,
    ],
    [undefined, undefined, undefined, "Local"],
  );
});

void test("SVC-173: the last external address gone, the policy goes too", () => {
  const was = { externalIPs: ["1.2.3.4"], externalTrafficPolicy: "Cluster" };
  assert.equal(after({ externalIPs: [] }, { ...make(was).spec })?.externalTrafficPolicy, undefined);
});

void test("SVC-174: who is no LoadBalancer has no addresses of one", () => {
  const was: Service = { ...make(FULL), status: { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } } };
  const now = service.prepareForUpdate({ ...was, spec: { ...was.spec, type: "NodePort" } }, was, { now: "" });
  assert.deepEqual(now.status, { loadBalancer: {} });
  assert.deepEqual(service.prepareForUpdate(was, was, { now: "" }).status, was.status);
});
