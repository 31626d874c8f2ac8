import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service, ServiceSpec, ServiceStatus } from "../generated/types.ts";
import { service } from "./service.ts";

// Rules that no request can break, because defaults and allocation come first; a fault in those must not be stored all the same.

const SPEC: ServiceSpec = {
  type: "ClusterIP",
  sessionAffinity: "None",
  internalTrafficPolicy: "Cluster",
  clusterIP: "10.96.0.7",
  clusterIPs: ["10.96.0.7"],
  ipFamilies: ["IPv4"],
  ipFamilyPolicy: "SingleStack",
  ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
};
const BALANCED: ServiceSpec = {
  ...SPEC,
  type: "LoadBalancer",
  allocateLoadBalancerNodePorts: true,
  externalTrafficPolicy: "Cluster",
};
const made = (spec: ServiceSpec, status?: ServiceStatus): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "default" },
  spec,
  ...(status === undefined ? {} : { status }),
});
const told = (faults: ReturnType<typeof service.validate>): string[] =>
  faults.map(({ reason, field, message }) => `${reason.replace("FieldValue", "")} ${field}: ${message}`);

const rows: [statement: string, about: string, spec: ServiceSpec, ...faults: string[]][] = [
  [
    "SVC-054",
    "no protocol",
    { ...SPEC, ports: [{ port: 80, targetPort: 80 }] },
    "Required spec.ports[0].protocol: Required value",
  ],
  ["SVC-062", "no type", { ...SPEC, type: "" }, "Required spec.type: Required value"],
  [
    "SVC-062",
    "an unknown type",
    { ...SPEC, type: "Other" },
    'NotSupported spec.type: Unsupported value: "Other": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ],
  ["SVC-068", "no affinity", { ...SPEC, sessionAffinity: "" }, "Required spec.sessionAffinity: Required value"],
  [
    "SVC-069",
    "no config",
    { ...SPEC, sessionAffinity: "ClientIP" },
    "Required spec.sessionAffinityConfig: Required value: when session affinity type is ClientIP",
  ],
  [
    "SVC-069",
    "no clientIP",
    { ...SPEC, sessionAffinity: "ClientIP", sessionAffinityConfig: {} },
    "Required spec.sessionAffinityConfig.clientIP: Required value: when session affinity type is ClientIP",
  ],
  [
    "SVC-069",
    "no timeoutSeconds",
    { ...SPEC, sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: {} } },
    "Required spec.sessionAffinityConfig.clientIP.timeoutSeconds: Required value: when session affinity type is ClientIP",
  ],
  [
    "SVC-071",
    "a config for no affinity",
    { ...SPEC, sessionAffinityConfig: {} },
    "Forbidden spec.sessionAffinityConfig: Forbidden: must not be set when session affinity is None",
  ],
  ["SVC-075", "the singular alone", { ...SPEC, clusterIPs: [] }, "Required spec.clusterIPs: Required value"],
  [
    "SVC-085",
    "a load balancer that does not say",
    { ...BALANCED, allocateLoadBalancerNodePorts: undefined },
    "Required allocateLoadBalancerNodePorts: Required value",
  ],
  [
    "SVC-088",
    "no policy for traffic from outside",
    { ...BALANCED, externalTrafficPolicy: "" },
    "Required spec.externalTrafficPolicy: Required value",
  ],
  [
    "SVC-089",
    "no health check's port where one is needed",
    { ...BALANCED, externalTrafficPolicy: "Local" },
    "Required spec.healthCheckNodePort: Required value",
  ],
  [
    "SVC-089",
    "a health check's port that is none",
    { ...BALANCED, externalTrafficPolicy: "Local", healthCheckNodePort: 70_000 },
    "Invalid spec.healthCheckNodePort: Invalid value: 70000: must be between 1 and 65535, inclusive",
  ],
  ...["ClusterIP", "NodePort", "LoadBalancer"].map((type): (typeof rows)[number] => [
    "SVC-091",
    `no policy for traffic from inside on ${type}`,
    {
      ...(type === "LoadBalancer" ? BALANCED : SPEC),
      ...(type === "NodePort" ? { externalTrafficPolicy: "Cluster" } : {}),
      type,
      internalTrafficPolicy: undefined,
    },
    "Required spec.internalTrafficPolicy: Required value",
  ]),
];
for (const [statement, about, spec, ...faults] of rows) {
  void test(`${statement}: ${about} is refused`, () => {
    assert.deepEqual(told(service.validate(made(spec), undefined)), faults);
  });
}

void test("SVC-104: an address in a status without a mode is refused", () => {
  const status = { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } };
  assert.deepEqual(told(service.validateStatus!(made(BALANCED, status), made(BALANCED))), [
    "Required status.loadBalancer.ingress[0].ipMode: Required value: must be specified when `ip` is set",
  ]);
});

void test("SVC-073, SVC-081, SVC-103: what is stored is not judged again for its form, and an external address still for its range", () => {
  const odd: ServiceSpec = {
    ...BALANCED,
    clusterIP: "010.96.0.7",
    clusterIPs: ["010.96.0.7"],
    externalIPs: ["::ffff:1.2.3.4", "01.2.3.4"],
    loadBalancerSourceRanges: ["10.0.0.1/8", " 010.0.0.0/8"],
  };
  const faults = (next: ServiceSpec, previous?: ServiceSpec): string[] =>
    service.validate(made(next), previous && made(previous)).map(({ field }) => field);
  assert.deepEqual(faults(odd), [
    "spec.clusterIPs[0]",
    "spec.externalIPs[0]",
    "spec.externalIPs[1]",
    "spec.LoadBalancerSourceRanges[0]",
    "spec.LoadBalancerSourceRanges[1]",
  ]);
  assert.deepEqual(faults(odd, odd), []);
  assert.deepEqual(faults({ ...odd, externalIPs: ["01.2.3.4", "02.2.3.4"] }, odd), ["spec.externalIPs[1]"]);
  const special = { ...SPEC, externalTrafficPolicy: "Cluster", externalIPs: ["127.0.0.1"] };
  assert.deepEqual(faults(special, special), ["spec.externalIPs[0]"]);
  const status = { loadBalancer: { ingress: [{ ip: "01.2.3.4", ipMode: "VIP" }] } };
  const statusFaults = (next: ServiceStatus, previous: ServiceStatus | undefined): string[] =>
    service.validateStatus!(made(BALANCED, next), made(BALANCED, previous)).map(({ field }) => field);
  assert.deepEqual(statusFaults(status, status), []);
  assert.deepEqual(statusFaults(status, undefined), ["status.loadBalancer.ingress[0].ip"]);
});

void test("SVC-094: all addresses cannot be dropped", () => {
  const dropped = { ...SPEC, clusterIP: undefined, clusterIPs: undefined };
  assert.deepEqual(told(service.validate(made(dropped), made(SPEC))), [
    "Invalid spec.clusterIPs[0]: Invalid value: null: primary clusterIP can not be unset",
  ]);
});

void test("SVC-045: a name that was good once stays so", () => {
  const named: Service = { ...made(SPEC), metadata: { name: "Old.Name", namespace: "default" } };
  assert.deepEqual(service.validate(named, named), []);
  assert.equal(service.validate(named, undefined).length, 1);
});
