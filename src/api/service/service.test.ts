import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../decode.ts";
import type { Service, ServicePort, ServiceSpec } from "../generated/types.ts";
import { service } from "./service.ts";

const CREATED = "2026-01-01T00:00:00Z";
const NOW = { now: CREATED };
const read = (spec: unknown, more: object = {}): Service => {
  const json = { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "default" }, spec, ...more };
  const { object, faults } = decode<Service>("Service", JSON.parse(JSON.stringify(json)));
  assert.deepEqual(faults, []);
  return service.defaults(object);
};
const HTTP = { port: 80 };
/** A Service as the server holds it, after addresses were claimed. */
const stored = (spec: Partial<ServiceSpec> = {}, more: object = {}): Service => {
  const plain = {
    clusterIP: "10.96.0.7",
    clusterIPs: ["10.96.0.7"],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
    ports: [HTTP],
  };
  return read(spec.type === "ExternalName" ? spec : { ...plain, ...spec }, more);
};
const faultsOf = (next: Service, previous?: Service): string[] =>
  service.validate(next, previous).map(({ reason, field }) => `${reason.replace("FieldValue", "")} ${field}`);
const on = (spec: Partial<ServiceSpec>): string[] => faultsOf(stored(spec));
const ports = (...list: (Partial<ServicePort> & { port: number })[]): Partial<ServiceSpec> => ({ ports: list });

void test("SVC-012, SVC-014, SVC-020, SVC-022, SVC-028: defaults of a plain Service", () => {
  assert.deepEqual(read({ ports: [{ port: 80 }, { port: 81, targetPort: 0 }, { port: 82, targetPort: "" }] }).spec, {
    type: "ClusterIP",
    sessionAffinity: "None",
    internalTrafficPolicy: "Cluster",
    ports: [
      { port: 80, protocol: "TCP", targetPort: 80 },
      { port: 81, protocol: "TCP", targetPort: 81 },
      { port: 82, protocol: "TCP", targetPort: 82 },
    ],
  });
});

void test("SVC-023: affinity by client has a time, and no affinity has no config", () => {
  const config = (spec: object): unknown => read(spec).spec?.sessionAffinityConfig;
  assert.deepEqual(config({ sessionAffinity: "ClientIP" }), { clientIP: { timeoutSeconds: 10800 } });
  assert.deepEqual(
    config({ sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 2 } } }),
    {
      clientIP: { timeoutSeconds: 2 },
    },
  );
  assert.equal(config({ sessionAffinityConfig: { clientIP: { timeoutSeconds: 2 } } }), undefined);
});

const policies: [spec: ServiceSpec, external: string | undefined, internal: string | undefined, allocate: unknown][] = [
  [{}, undefined, "Cluster", undefined],
  [{ externalIPs: ["1.2.3.4"] }, "Cluster", "Cluster", undefined],
  [{ type: "NodePort" }, "Cluster", "Cluster", undefined],
  [{ type: "LoadBalancer" }, "Cluster", "Cluster", true],
  [{ type: "LoadBalancer", allocateLoadBalancerNodePorts: false }, "Cluster", "Cluster", false],
  [{ type: "ExternalName" }, undefined, undefined, undefined],
];
for (const [spec, external, internal, allocate] of policies) {
  void test(`SVC-027, SVC-028, SVC-033: policies of ${JSON.stringify(spec)}`, () => {
    const got = read(spec).spec;
    assert.deepEqual(
      [got?.externalTrafficPolicy, got?.internalTrafficPolicy, got?.allocateLoadBalancerNodePorts],
      [external, internal, allocate],
    );
  });
}

void test("SVC-036: an address of a load balancer is its own destination unless said otherwise", () => {
  const status = { loadBalancer: { ingress: [{ ip: "1.2.3.4" }, { hostname: "a.b" }] } };
  assert.deepEqual(read({ type: "LoadBalancer" }, { status }).status?.loadBalancer?.ingress, [
    { ip: "1.2.3.4", ipMode: "VIP" },
    { hostname: "a.b" },
  ]);
  assert.deepEqual(read({}, { status }).status, status);
});

const created: [id: string, spec: Partial<ServiceSpec>, faults: string[]][] = [
  ["SVC-049 a plain one", {}, []],
  ["SVC-049", { ports: [] }, ["Required spec.ports"]],
  ["SVC-049 headless", { clusterIP: "None", clusterIPs: ["None"], ports: [] }, []],
  ["SVC-050", ports({ port: 1 }, { port: 2, name: "b" }), ["Required spec.ports[0].name"]],
  ["SVC-051", ports({ port: 1, name: "A" }), ["Invalid spec.ports[0].name"]],
  ["SVC-052", ports({ port: 1, name: "a" }, { port: 2, name: "a" }), ["Duplicate spec.ports[1].name"]],
  ["SVC-053", ports({ port: 65536, targetPort: 1 }), ["Invalid spec.ports[0].port"]],
  ["SVC-053 zero", ports({ port: 0, targetPort: 1 }), ["Invalid spec.ports[0].port"]],
  ["SVC-054", ports({ port: 1, protocol: "tcp" }), ["NotSupported spec.ports[0].protocol"]],
  ["SVC-055", ports({ port: 1, targetPort: 70000 }), ["Invalid spec.ports[0].targetPort"]],
  ["SVC-056", ports({ port: 1, targetPort: "Big--" }), Array<string>(3).fill("Invalid spec.ports[0].targetPort")],
  ["SVC-057", ports({ port: 1, appProtocol: "x.io/h2c" }), []],
  ["SVC-057 bad", ports({ port: 1, appProtocol: "-" }), ["Invalid spec.ports[0].appProtocol"]],
  ["SVC-058", ports({ port: 1, name: "a" }, { port: 1, name: "b" }), ["Duplicate spec.ports[1]"]],
  ["SVC-058 by protocol", ports({ port: 1, name: "a" }, { port: 1, name: "b", protocol: "UDP" }), []],
  [
    "SVC-059",
    { type: "NodePort", ...ports({ port: 1, name: "a", nodePort: 30000 }, { port: 2, name: "b", nodePort: 30000 }) },
    ["Duplicate spec.ports[1].nodePort"],
  ],
  ["SVC-060", ports({ port: 1, nodePort: 30000 }), ["Forbidden spec.ports[0].nodePort"]],
  ["SVC-060 alias", { type: "ExternalName", externalName: "a.b", ...ports({ port: 1, nodePort: 30000 }) }, []],
  ["SVC-062", { type: "Other", internalTrafficPolicy: "Cluster" }, ["NotSupported spec.type"]],
  ["SVC-063", { selector: { "-": "ok" } }, ["Invalid spec.selector"]],
  [
    "SVC-064",
    {
      type: "ExternalName",
      externalName: "a.b",
      clusterIP: "10.0.0.1",
      clusterIPs: ["10.0.0.1"],
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
    },
    ["Forbidden spec.clusterIPs", "Forbidden spec.ipFamilies", "Forbidden spec.ipFamilyPolicy"],
  ],
  ["SVC-065", { type: "ExternalName" }, ["Required spec.externalName"]],
  ["SVC-065 dot", { type: "ExternalName", externalName: "." }, ["Required spec.externalName"]],
  ["SVC-065 trailing dot", { type: "ExternalName", externalName: "a.b." }, []],
  ["SVC-065 address", { type: "ExternalName", externalName: "1.2.3.4" }, []],
  ["SVC-065 bad", { type: "ExternalName", externalName: "a_b" }, ["Invalid spec.externalName"]],
  ["SVC-066", { externalName: "a.b" }, []],
  ["SVC-067", { type: "NodePort", clusterIP: "None", clusterIPs: ["None"] }, ["Invalid spec.clusterIPs[0]"]],
  ["SVC-068", { sessionAffinity: "Cookie" }, ["NotSupported spec.sessionAffinity"]],
  ...[0, -1, 86401].map((timeoutSeconds): [string, Partial<ServiceSpec>, string[]] => [
    `SVC-070 ${timeoutSeconds}`,
    { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds } } },
    ["Invalid spec.sessionAffinityConfig.clientIP.timeoutSeconds"],
  ]),
  [
    "SVC-072",
    { externalIPs: ["x", "127.0.0.1", "1.2.3.4"] },
    ["Invalid spec.externalIPs[0]", "Invalid spec.externalIPs[1]"],
  ],
  ["SVC-074", { externalIPs: ["2001:DB8::1"] }, []],
  ["SVC-075", { clusterIPs: [] }, ["Required spec.clusterIPs"]],
  ["SVC-075 differ", { clusterIP: "10.96.0.8" }, ["Invalid spec.clusterIPs"]],
  ["SVC-075 plural only", { clusterIP: "" }, ["Invalid spec.clusterIPs"]],
  ["SVC-076", { ipFamilies: ["IPv5"] }, ["NotSupported spec.ipFamilies[0]"]],
  ["SVC-076 twice", { ipFamilies: ["IPv4", "IPv4"] }, ["Duplicate spec.ipFamilies[1]"]],
  ["SVC-077", { ipFamilyPolicy: "Dual" }, ["NotSupported spec.ipFamilyPolicy"]],
  ["SVC-078", { clusterIP: "None", clusterIPs: ["None", "10.96.0.7"] }, ["Invalid spec.clusterIPs"]],
  ["SVC-078 later", { clusterIPs: ["10.96.0.7", "None"] }, ["Invalid spec.clusterIPs[1]"]],
  ["SVC-078 case", { clusterIP: "none", clusterIPs: ["none"] }, ["Invalid spec.clusterIPs[0]"]],
  ["SVC-079", { clusterIPs: ["10.96.0.7", "10.96.0.8"] }, ["Invalid spec.clusterIPs"]],
  ["SVC-079 three", { clusterIPs: ["10.96.0.7", "fd00::7", "fd00::8"] }, ["Invalid spec.clusterIPs"]],
  ["SVC-079 dual", { clusterIPs: ["10.96.0.7", "fd00::7"], ipFamilies: ["IPv4", "IPv6"] }, []],
  ["SVC-080", { ipFamilies: ["IPv6"] }, ["Invalid spec.clusterIPs[0]"]],
  ["SVC-081", { clusterIP: "010.96.0.7", clusterIPs: ["010.96.0.7"] }, ["Invalid spec.clusterIPs[0]"]],
  ["SVC-082", { loadBalancerSourceRanges: ["10.0.0.0/8"] }, ["Forbidden spec.LoadBalancerSourceRanges"]],
  ["SVC-083", { type: "LoadBalancer", loadBalancerSourceRanges: [" 10.0.0.0/8 "] }, []],
  [
    "SVC-083 bad",
    { type: "LoadBalancer", loadBalancerSourceRanges: ["10.0.0.0/8", "x"] },
    ["Invalid spec.LoadBalancerSourceRanges[1]"],
  ],
  ["SVC-085", { allocateLoadBalancerNodePorts: true }, ["Forbidden spec.allocateLoadBalancerNodePorts"]],
  ["SVC-086", { loadBalancerClass: "a" }, ["Forbidden spec.loadBalancerClass"]],
  ["SVC-086 bad", { type: "LoadBalancer", loadBalancerClass: "-" }, ["Invalid spec.loadBalancerClass"]],
  ["SVC-088", { externalTrafficPolicy: "Local" }, ["Invalid spec.externalTrafficPolicy"]],
  ["SVC-088 bad", { type: "NodePort", externalTrafficPolicy: "Near" }, ["NotSupported spec.externalTrafficPolicy"]],
  ["SVC-089", { healthCheckNodePort: 30000 }, ["Invalid spec.healthCheckNodePort"]],
  ["SVC-089 needed", { type: "LoadBalancer", externalTrafficPolicy: "Local" }, ["Required spec.healthCheckNodePort"]],
  ["SVC-091", { internalTrafficPolicy: "Near" }, ["NotSupported spec.internalTrafficPolicy"]],
  ["SVC-092", { trafficDistribution: "" }, ["NotSupported spec.trafficDistribution"]],
  ["SVC-092 good", { trafficDistribution: "PreferSameNode" }, []],
];
for (const [id, spec, faults] of created) {
  void test(`${id}: ${JSON.stringify(spec)} → ${faults.join(", ") || "no fault"}`, () =>
    assert.deepEqual(on(spec), faults));
}

const names: [name: string, faults: string[]][] = [
  ["1web", []],
  ["a".repeat(64), ["Invalid metadata.name"]],
  ["Web", ["Invalid metadata.name"]],
  ["a.b", ["Invalid metadata.name"]],
  ["", ["Required metadata.name"]],
];
for (const [name, faults] of names) {
  void test(`SVC-045, SVC-046: a Service may${faults.length ? " not" : ""} be called ${JSON.stringify(name)}`, () => {
    const next = stored({}, { metadata: { name, namespace: "default" } });
    assert.deepEqual(faultsOf(next), faults);
    assert.deepEqual(faultsOf(next, next), [], "an old name is not judged again");
  });
}

void test("SVC-048, SVC-084: annotations that are judged", () => {
  const annotated = (annotations: Record<string, string>, spec: Partial<ServiceSpec> = {}): Service =>
    stored(spec, { metadata: { name: "web", namespace: "default", annotations } });
  const topology = "service.kubernetes.io/topology-mode";
  const hints = { "service.kubernetes.io/topology-aware-hints": "Auto" };
  assert.deepEqual(faultsOf(annotated({ [topology]: "Off", ...hints })), [`Invalid metadata.annotations[${topology}]`]);
  assert.deepEqual(faultsOf(annotated({ [topology]: "Auto", ...hints })), []);
  const ranges = "service.beta.kubernetes.io/load-balancer-source-ranges";
  assert.deepEqual(faultsOf(annotated({ [ranges]: "" })), [`Forbidden metadata.annotations[${ranges}]`]);
  const balanced = (value: string): Service => annotated({ [ranges]: value }, { type: "LoadBalancer" });
  assert.deepEqual(faultsOf(balanced("10.0.0.0/8, 11.0.0.0/8")), []);
  assert.deepEqual(faultsOf(balanced("10.0.0.0/8,x")), [`Invalid metadata.annotations[${ranges}]`]);
  assert.deepEqual(faultsOf(balanced("x"), balanced("x")), []);
});

const DUAL = { clusterIPs: ["10.96.0.7", "fd00::7"], ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" };
const NONE = { clusterIP: "None", clusterIPs: ["None"] };
const BALANCED = { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 30001 };
const updated: [id: string, was: Partial<ServiceSpec>, now: Partial<ServiceSpec>, faults: string[]][] = [
  ["SVC-099", {}, { selector: { a: "b" }, sessionAffinity: "ClientIP", publishNotReadyAddresses: true }, []],
  ["SVC-093", {}, { clusterIP: "10.96.0.8", clusterIPs: ["10.96.0.8"] }, ["Invalid spec.clusterIPs[0]"]],
  ["SVC-093 to headless", {}, NONE, ["Invalid spec.clusterIPs[0]"]],
  ["SVC-094", {}, { clusterIP: "", clusterIPs: [] }, ["Invalid spec.clusterIPs[0]"]],
  [
    "SVC-094 primary",
    {},
    { ...DUAL, clusterIP: "10.96.0.8", clusterIPs: ["10.96.0.8", "fd00::7"] },
    ["Invalid spec.clusterIPs[0]"],
  ],
  ["SVC-139", {}, DUAL, []],
  [
    "SVC-095",
    DUAL,
    { ipFamilyPolicy: "PreferDualStack" },
    ["Invalid spec.ipFamilyPolicy", "Invalid spec.ipFamilyPolicy"],
  ],
  ["SVC-095 single", DUAL, {}, []],
  [
    "SVC-096, SVC-097",
    DUAL,
    { ...DUAL, clusterIP: "fd00::7", clusterIPs: ["fd00::7", "10.96.0.7"], ipFamilies: ["IPv6", "IPv4"] },
    [
      "Invalid spec.clusterIPs[0]",
      "Invalid spec.clusterIPs[1]",
      "Invalid spec.ipFamilies[0]",
      "Invalid spec.ipFamilies[0]",
    ],
  ],
  ["SVC-096 headless", { ...NONE, ipFamilies: ["IPv4"] }, { ...NONE, ipFamilies: ["IPv6"] }, []],
  ["SVC-098", {}, { type: "ExternalName", externalName: "a.b" }, []],
  [
    "SVC-087",
    { type: "LoadBalancer" },
    { type: "LoadBalancer", loadBalancerClass: "x" },
    ["Invalid spec.loadBalancerClass"],
  ],
  ["SVC-087 new type", {}, { type: "LoadBalancer", loadBalancerClass: "x" }, []],
  ["SVC-090", BALANCED, { ...BALANCED, healthCheckNodePort: 30002 }, ["Forbidden spec.healthCheckNodePort"]],
  ["SVC-073", { externalIPs: ["010.0.0.1"] }, { externalIPs: ["010.0.0.1"] }, []],
  ["SVC-073 special", { externalIPs: ["127.0.0.1"] }, { externalIPs: ["127.0.0.1"] }, []],
];
for (const [id, was, now, faults] of updated) {
  if (id === "SVC-073 special") faults.push("Invalid spec.externalIPs[0]");
  void test(`${id}: an update gives ${faults.join(", ") || "no fault"}`, () =>
    assert.deepEqual(faultsOf(stored(now), stored(was)), faults));
}

void test("SVC-102, SVC-103, SVC-104, SVC-105: the status of a load balancer", () => {
  const status = (ingress: object[], type = "LoadBalancer"): string[] => {
    const was = stored({ type });
    const next = stored({ type }, { status: { loadBalancer: { ingress } } });
    return (service.validateStatus?.(next, was) ?? []).map((fault) => `${fault.reason} ${fault.field}`);
  };
  const at = "status.loadBalancer.ingress";
  assert.deepEqual(status([{ ip: "1.2.3.4", hostname: "a.b" }]), []);
  assert.deepEqual(status([{ ip: "1.2.3.4" }], "NodePort"), [`FieldValueForbidden ${at}`]);
  assert.deepEqual(status([{ ip: "x" }]), [`FieldValueInvalid ${at}[0].ip`]);
  assert.deepEqual(status([{ hostname: "a.b", ipMode: "VIP" }]), [`FieldValueForbidden ${at}[0].ipMode`]);
  assert.deepEqual(status([{ ip: "1.2.3.4", ipMode: "NAT" }]), [`FieldValueNotSupported ${at}[0].ipMode`]);
  assert.deepEqual(status([{ hostname: "1.2.3.4" }]), [`FieldValueInvalid ${at}[0].hostname`]);
  assert.deepEqual(status([{ hostname: "A" }]), [`FieldValueInvalid ${at}[0].hostname`]);
});

void test("SVC-040, SVC-106: the main resource leaves the status alone, and /status the spec", () => {
  const was = stored({ type: "LoadBalancer" }, { status: { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } } });
  const now = stored(
    { type: "LoadBalancer", selector: { a: "b" } },
    { metadata: { name: "web", namespace: "default", generation: 7, labels: { l: "1" } }, status: {} },
  );
  const main = service.prepareForUpdate(now, was, NOW);
  assert.deepEqual([main.status, main.spec?.selector, main.metadata.generation], [was.status, { a: "b" }, undefined]);
  const status = service.prepareForStatusUpdate?.(now, was);
  assert.deepEqual(
    [status?.spec, status?.status, status?.metadata.labels],
    [was.spec, { loadBalancer: {} }, { l: "1" }],
  );
  const create = service.prepareForCreate(was, NOW);
  assert.deepEqual(create.status, { loadBalancer: {} });
});
