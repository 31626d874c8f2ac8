import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertHas, PATH, Services } from "./services.ts";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
let services: Services;
before(async () => {
  subject = await startSubject();
  services = new Services(subject);
});
after(() => subject.close());

const HTTP = { port: 80 };

void test("SVC-003: trafficDistribution takes PreferSameZone and PreferSameNode, and slices keep hints.forNodes", async () => {
  for (const trafficDistribution of ["PreferSameZone", "PreferSameNode"]) {
    assertHas((await services.made({ ports: [HTTP], trafficDistribution })).spec, { trafficDistribution });
  }
  const hints = { forNodes: [{ name: "node-1" }] };
  const made = await subject.ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
    metadata: { name: "hinted" },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.1.1.1"], hints }],
    ports: [],
  });
  assert.equal(made.code, 201, made.text);
  assert.deepEqual(made.body.endpoints[0].hints, hints);
});

void test("SVC-004: a cluster IP is an IPAddress object, and a range a ServiceCIDR object", async () => {
  const { metadata, spec } = await services.made({ ports: [HTTP] });
  const [address] = await services.addresses(metadata.name);
  assert.equal(address.metadata.name, spec.clusterIP);
  const { body } = await subject.ask("GET", "/apis/networking.k8s.io/v1/servicecidrs/kubernetes");
  assert.deepEqual(body.spec.cidrs, ["10.96.0.0/16", "fd00:10:96::/112"]);
});

void test("SVC-008, SVC-035: trafficDistribution is nothing unless it is given", async () => {
  assert.equal((await services.made({ ports: [HTTP] })).spec.trafficDistribution, undefined);
  const given = { trafficDistribution: "PreferSameZone" };
  assertHas((await services.made({ ports: [HTTP], ...given })).spec, given);
});

void test("SVC-009: an address of a load balancer has an ipMode", async () => {
  const { metadata } = await services.made({ type: "LoadBalancer", ports: [HTTP] });
  const ingress = [{ ip: "1.2.3.4", ipMode: "Proxy" }];
  assert.deepEqual((await services.status(metadata.name, { loadBalancer: { ingress } })).body.status, {
    loadBalancer: { ingress },
  });
});

void test("SVC-011, SVC-012, SVC-014, SVC-016: what a port is filled up with", async () => {
  const { spec } = await services.made({
    ports: [
      { name: "a", port: 81 },
      { name: "b", port: 82, targetPort: 0 },
      { name: "c", port: 83, targetPort: "" },
      { name: "d", port: 84, targetPort: "http", protocol: "UDP", appProtocol: "kubernetes.io/h2c" },
      { name: "e", port: 85, targetPort: 8085, protocol: "SCTP" },
    ],
  });
  assert.deepEqual(spec.ports, [
    { name: "a", port: 81, protocol: "TCP", targetPort: 81 },
    { name: "b", port: 82, protocol: "TCP", targetPort: 82 },
    { name: "c", port: 83, protocol: "TCP", targetPort: 83 },
    { name: "d", port: 84, protocol: "UDP", targetPort: "http", appProtocol: "kubernetes.io/h2c" },
    { name: "e", port: 85, protocol: "SCTP", targetPort: 8085 },
  ]);
  const bare = await services.made({ ports: [{ port: 80, name: "", protocol: "" }] });
  assert.deepEqual(bare.spec.ports, [{ port: 80, protocol: "TCP", targetPort: 80 }]);
});

void test("SVC-013: a port number is a whole number of 32 bits, and must be given", async () => {
  for (const port of ["80", 80.5, 2 ** 31, true]) {
    const { code, reason } = await services.create({ ports: [{ port }] });
    assert.deepEqual([code, reason], [400, "BadRequest"], JSON.stringify(port));
  }
  const { causes } = await services.create({ ports: [{ name: "a", targetPort: 80 }] });
  assert.deepEqual(causes, ["Invalid spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"]);
});

void test("SVC-015: NodePort and LoadBalancer have node ports, other types none", async () => {
  const nodePort = async (type: string): Promise<unknown> =>
    (await services.made({ type, ports: [HTTP], externalName: "a.example" })).spec.ports[0].nodePort;
  for (const type of ["NodePort", "LoadBalancer"]) {
    const port = await nodePort(type);
    assert.ok(typeof port === "number" && port >= 30_000 && port <= 32_767, `${type}: ${String(port)}`);
  }
  for (const type of ["ClusterIP", "ExternalName"]) assert.equal(await nodePort(type), undefined, type);
});

void test("SVC-018: clusterIP is empty, None or an address; empty is filled", async () => {
  assert.match((await services.made({ ports: [HTTP], clusterIP: "" })).spec.clusterIP, /^10\.96\.\d+\.\d+$/);
  assert.equal((await services.made({ ports: [HTTP], clusterIP: "None" })).spec.clusterIP, "None");
  assert.equal((await services.made({ ports: [HTTP], clusterIP: "10.96.0.18" })).spec.clusterIP, "10.96.0.18");
});

void test("SVC-020, SVC-022, SVC-028, SVC-030: a Service of which only a port is written", async () => {
  const { spec, status } = await services.made({ ports: [HTTP] });
  const { clusterIP } = spec;
  assert.deepEqual(spec, {
    type: "ClusterIP",
    sessionAffinity: "None",
    internalTrafficPolicy: "Cluster",
    clusterIP,
    clusterIPs: [clusterIP],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
    ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
  });
  assert.deepEqual(status, { loadBalancer: {} });
  const explicit = await services.made({
    ports: [HTTP],
    type: "",
    sessionAffinity: "",
    publishNotReadyAddresses: false,
  });
  assertHas(explicit.spec, { type: "ClusterIP", sessionAffinity: "None", publishNotReadyAddresses: undefined });
  assertHas((await services.made({ ports: [HTTP], publishNotReadyAddresses: true })).spec, {
    publishNotReadyAddresses: true,
  });
  for (const type of ["NodePort", "LoadBalancer"]) {
    assertHas((await services.made({ type, ports: [HTTP] })).spec, { internalTrafficPolicy: "Cluster" });
  }
  assertHas((await services.made({ type: "ExternalName", externalName: "a.example" })).spec, {
    internalTrafficPolicy: undefined,
  });
});

void test("SVC-023: affinity by client has a time of three hours where any level of its config is missing, and no affinity no config", async () => {
  const hours = { clientIP: { timeoutSeconds: 10_800 } };
  const config = async (spec: object): Promise<unknown> =>
    (await services.made({ ports: [HTTP], ...spec })).spec.sessionAffinityConfig;
  assert.deepEqual(await config({ sessionAffinity: "ClientIP" }), hours);
  assert.deepEqual(await config({ sessionAffinity: "ClientIP", sessionAffinityConfig: {} }), hours);
  assert.deepEqual(await config({ sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: {} } }), hours);
  const short = { clientIP: { timeoutSeconds: 5 } };
  assert.deepEqual(await config({ sessionAffinity: "ClientIP", sessionAffinityConfig: short }), short);
  assert.equal(await config({ sessionAffinityConfig: short }), undefined);
  assert.equal(await config({ sessionAffinity: "None", sessionAffinityConfig: short }), undefined);
});

void test("SVC-024: loadBalancerIP may be anything on any type", async () => {
  assert.equal((await services.made({ ports: [HTTP] })).spec.loadBalancerIP, undefined);
  for (const type of ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]) {
    const given = { type, loadBalancerIP: "not an address" };
    assertHas((await services.made({ ports: [HTTP], externalName: "a.example", ...given })).spec, given);
  }
});

void test("SVC-026: externalName is nothing unless it is given", async () => {
  assert.equal((await services.made({ ports: [HTTP], externalName: "" })).spec.externalName, undefined);
  assertHas((await services.made({ type: "ExternalName", externalName: "a.example" })).spec, {
    externalName: "a.example",
  });
});

void test("SVC-027: externalTrafficPolicy is Cluster on what is externally accessible, and else nothing", async () => {
  const policy = async (spec: object): Promise<unknown> =>
    (await services.made({ ports: [HTTP], externalName: "a.example", ...spec })).spec.externalTrafficPolicy;
  assert.equal(await policy({ type: "NodePort" }), "Cluster");
  assert.equal(await policy({ type: "LoadBalancer", externalTrafficPolicy: "" }), "Cluster");
  assert.equal(await policy({ externalIPs: ["1.2.3.4"] }), "Cluster");
  assert.equal(await policy({ type: "NodePort", externalTrafficPolicy: "Local" }), "Local");
  assert.equal(await policy({}), undefined);
  assert.equal(await policy({ type: "ExternalName", externalIPs: ["1.2.3.4"] }), undefined);
});

void test("SVC-029: a health check's node port where LoadBalancer and Local meet, and nowhere else", async () => {
  const port = async (type: string, externalTrafficPolicy: string): Promise<unknown> =>
    (await services.made({ type, externalTrafficPolicy, ports: [HTTP] })).spec.healthCheckNodePort;
  const given = await port("LoadBalancer", "Local");
  assert.ok(typeof given === "number" && given >= 30_000 && given <= 32_767, String(given));
  assert.equal(await port("LoadBalancer", "Cluster"), undefined);
  assert.equal(await port("NodePort", "Local"), undefined);
});

void test("SVC-033, SVC-034: a load balancer allocates node ports unless told not to, and has no class unless one is given", async () => {
  const given = { type: "LoadBalancer", ports: [HTTP] };
  assertHas((await services.made(given)).spec, { allocateLoadBalancerNodePorts: true, loadBalancerClass: undefined });
  assertHas((await services.made({ ...given, allocateLoadBalancerNodePorts: false })).spec, {
    allocateLoadBalancerNodePorts: false,
  });
  const loadBalancerClass = "example.com/internal";
  assertHas((await services.made({ ...given, loadBalancerClass })).spec, { loadBalancerClass });
  for (const type of ["ClusterIP", "NodePort", "ExternalName"]) {
    assertHas((await services.made({ type, ports: [HTTP], externalName: "a.example" })).spec, {
      allocateLoadBalancerNodePorts: undefined,
    });
  }
});

void test("SVC-040: a Service is given no generation, and a change of its spec does not make one", async () => {
  const { metadata } = await services.made({ ports: [HTTP] });
  assert.equal(metadata.generation, undefined);
  const { body } = await services.modify(metadata.name, { selector: { app: "a" } });
  assert.equal(body.metadata.generation, undefined);
});

void test("SVC-041: Services are apiVersion v1, kind Service, in a namespace", async () => {
  const made = await services.made({ ports: [HTTP] });
  assertHas(made, { apiVersion: "v1", kind: "Service" });
  assert.equal(made.metadata.namespace, "default");
  const { body } = await subject.ask("GET", "/api/v1");
  const found = body.resources.find(({ name }: { name: string }) => name === "services");
  assert.deepEqual([found.kind, found.namespaced, found.singularName], ["Service", true, "service"]);
});

void test("SVC-308: what fills up pods in a namespace leaves Services alone", async () => {
  // Fairlead has no LimitRanges; a ServiceAccount is in every namespace.
  const limits = [{ type: "Container", default: { cpu: "1" }, defaultRequest: { cpu: "1" } }];
  const limited = await subject.ask("POST", "/api/v1/namespaces/default/limitranges", {
    metadata: { name: "limited" },
    spec: { limits },
  });
  assert.equal(limited.code, subject.isFairlead ? 404 : 201, limited.text);
  const { metadata, spec } = await services.made({ ports: [HTTP] }, { name: "alone" });
  const own = "creationTimestamp managedFields name namespace resourceVersion uid";
  assert.equal(Object.keys(metadata).sort().join(" "), own);
  const computed = "clusterIP clusterIPs internalTrafficPolicy ipFamilies ipFamilyPolicy ports sessionAffinity type";
  assert.equal(Object.keys(spec).sort().join(" "), computed);
});

void test("SVC-042: topologyKeys and ipFamily are unknown fields", async () => {
  const old = { ports: [HTTP], topologyKeys: ["*"], ipFamily: "IPv4" };
  const warned = await services.create(old);
  assert.deepEqual(warned.warnings, ['unknown field "spec.topologyKeys"', 'unknown field "spec.ipFamily"']);
  assertHas(warned.spec, { topologyKeys: undefined, ipFamily: undefined });
  const ignored = await services.create(old, {}, "?fieldValidation=Ignore");
  assert.deepEqual([ignored.code, ignored.warnings], [201, []]);
  const strict = await services.create(old, {}, "?fieldValidation=Strict");
  assert.deepEqual([strict.code, strict.reason], [400, "BadRequest"]);
  assert.match(
    strict.message,
    /strict decoding error: unknown field "spec\.topologyKeys", unknown field "spec\.ipFamily"$/,
  );
});

void test("fields that say nothing are not kept", async () => {
  const said = await subject.ask("POST", PATH, {
    metadata: { name: "empties", labels: {}, annotations: {}, finalizers: [], ownerReferences: [], generateName: "" },
    spec: {
      ports: [{ port: 80, name: "", nodePort: 0 }],
      selector: {},
      externalIPs: [],
      loadBalancerSourceRanges: [],
      ipFamilies: [],
      clusterIPs: [],
      healthCheckNodePort: 0,
      publishNotReadyAddresses: false,
      externalName: "",
      loadBalancerIP: "",
    },
  });
  assert.equal(said.code, 201, said.text);
  const { managedFields: _, uid, creationTimestamp, resourceVersion, ...metadata } = said.body.metadata;
  assert.ok(uid && creationTimestamp && resourceVersion);
  assert.deepEqual(metadata, { name: "empties", namespace: "default" });
  const kept = "clusterIP clusterIPs internalTrafficPolicy ipFamilies ipFamilyPolicy ports sessionAffinity type";
  assert.equal(Object.keys(said.body.spec).sort().join(" "), kept);
  assert.deepEqual(said.body.spec.ports, [{ port: 80, protocol: "TCP", targetPort: 80 }]);
});

void test("SVC-006: the status of a ServiceCIDR is not the client's to write", async () => {
  const path = "/apis/networking.k8s.io/v1/servicecidrs";
  const said = {
    type: "example.com/A",
    status: "True",
    reason: "",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  const made = await subject.ask("POST", path, {
    metadata: { name: "wiped" },
    spec: { cidrs: ["10.99.0.0/24"] },
    status: { conditions: [said] },
  });
  assert.equal(made.code, 201, made.text);
  assert.deepEqual(made.body.status?.conditions ?? [], []);
  const kept = { conditions: [{ ...said, type: "example.com/B" }] };
  const { body } = await subject.ask("GET", `${path}/wiped`);
  const status = await subject.ask("PUT", `${path}/wiped/status`, { ...body, status: kept });
  assert.equal(status.code, 200, status.text);
  const replaced = await subject.ask("PUT", `${path}/wiped`, { ...status.body, status: { conditions: [said] } });
  assert.equal(replaced.code, 200, replaced.text);
  assert.deepEqual(replaced.body.status, status.body.status);
});

void test("SVC-031, SVC-032: families and their policy are computed, and at most two distinct ones are taken", async () => {
  const plain = await services.made({ ports: [HTTP] });
  assertHas(plain.spec, { ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" });
  for (const ipFamilyPolicy of ["SingleStack", "PreferDualStack", "RequireDualStack"]) {
    assertHas((await services.made({ ports: [HTTP], ipFamilyPolicy })).spec, {
      ipFamilyPolicy,
      ipFamilies: ipFamilyPolicy === "SingleStack" ? ["IPv4"] : ["IPv4", "IPv6"],
    });
  }
  const three = { ports: [HTTP], ipFamilies: ["IPv4", "IPv6", "IPv4"], ipFamilyPolicy: "RequireDualStack" };
  assert.deepEqual((await services.create(three)).causes, ['Duplicate spec.ipFamilies[2]: Duplicate value: "IPv4"']);
});
