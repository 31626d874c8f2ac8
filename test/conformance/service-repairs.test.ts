import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertCauses, assertHas, Services } from "./services.ts";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
let services: Services;
before(async () => {
  subject = await startSubject();
  services = new Services(subject);
});
after(() => subject.close());

const HTTP = { ports: [{ port: 80 }] };
const BALANCED = { ...HTTP, type: "LoadBalancer" };
const ALIAS = { type: "ExternalName", externalName: "a.example" };
const nodePorts = (spec: { ports: { nodePort?: number }[] }): (number | undefined)[] =>
  spec.ports.map(({ nodePort }) => nodePort);
const clusterIP = { clusterIP: undefined };

void test("SVC-162: on create the singular is mirrored, the plural is not", async () => {
  const { spec } = await services.made({ ...HTTP, clusterIP: "10.96.3.162" });
  assert.deepEqual(spec.clusterIPs, ["10.96.3.162"]);
  assert.deepEqual((await services.made({ ...HTTP, clusterIP: "None" })).spec.clusterIPs, ["None"]);
  assertCauses(await services.create({ ...HTTP, clusterIPs: ["10.96.3.163"] }), [
    'Invalid spec.clusterIPs: Invalid value: ["10.96.3.163"]: must be empty when `clusterIP` is not specified',
  ]);
});

void test("SVC-163: an update that knows only the singular keeps the plural", async () => {
  const { metadata, spec } = await services.made({ ...HTTP, ipFamilyPolicy: "RequireDualStack" });
  const said = await services.replace(metadata.name, { ...HTTP, clusterIP: spec.clusterIP });
  assertCauses(said, []);
  assert.deepEqual(said.spec.clusterIPs, spec.clusterIPs);
});

void test("SVC-164: clearing the singular clears both, and between Services with addresses both come back", async () => {
  const { metadata, spec } = await services.made(HTTP);
  const alias = await services.modify(metadata.name, { ...ALIAS, ...clusterIP });
  assertCauses(alias, []);
  assertHas(alias.spec, { clusterIP: undefined, clusterIPs: undefined });
  const { metadata: other, spec: was } = await services.made(HTTP);
  const same = await services.modify(other.name, clusterIP);
  assertHas(same.spec, { clusterIP: was.clusterIP, clusterIPs: was.clusterIPs });
  assert.notEqual(spec.clusterIP, undefined);
});

void test("SVC-165: a changed singular takes the plural along, and both are then judged", async () => {
  const { metadata } = await services.made(HTTP);
  assertCauses(await services.modify(metadata.name, { clusterIP: "10.96.3.165" }), [
    'Invalid spec.clusterIPs[0]: Invalid value: ["10.96.3.165"]: may not change once set',
  ]);
  const dual = await services.made({ ...HTTP, ipFamilyPolicy: "RequireDualStack" });
  const { causes } = await services.modify(dual.metadata.name, { clusterIP: "10.96.3.165" });
  assert.deepEqual(causes, [
    "Invalid spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": must be 'SingleStack' to release the secondary cluster IP",
  ]);
});

void test("SVC-166: addresses that an update leaves out stay, None among them", async () => {
  for (const spec of [HTTP, { ...HTTP, ipFamilyPolicy: "PreferDualStack" }, { ...HTTP, clusterIP: "None" }]) {
    const made = await services.made(spec);
    const said = await services.replace(made.metadata.name, { ports: [{ port: 81 }] });
    assertCauses(said, []);
    const { clusterIPs, clusterIP: ip, ipFamilies, ipFamilyPolicy } = made.spec;
    assertHas(said.spec, { clusterIP: ip, clusterIPs, ipFamilies, ipFamilyPolicy });
  }
});

void test("SVC-167: a port without node port takes the one that its name had", async () => {
  const { metadata, spec } = await services.made({
    type: "NodePort",
    ports: [
      { name: "a", port: 80 },
      { name: "b", port: 81 },
    ],
  });
  const [a, b] = nodePorts(spec);
  const replace = async (...ports: object[]): Promise<(number | undefined)[]> => {
    const said = await services.replace(metadata.name, { type: "NodePort", ports });
    assertCauses(said, []);
    return nodePorts(said.spec);
  };
  assert.deepEqual(
    await replace({ name: "b", port: 8081, protocol: "UDP" }, { name: "a", port: 80 }),
    [b, a],
    "by name alone",
  );
  // The old port of the name stays in use elsewhere, in both the old and the new: another one is found.
  const [x, y] = await replace({ name: "a", port: 80 }, { name: "b", port: 81, nodePort: a });
  assert.equal(y, a);
  assert.notEqual(x, a);
  // Also from type to type.
  const balanced = await services.replace(metadata.name, {
    type: "LoadBalancer",
    ports: [
      { name: "a", port: 80 },
      { name: "b", port: 81 },
    ],
  });
  assert.deepEqual(nodePorts(balanced.spec), [x, y]);
  const off = await services.replace(metadata.name, {
    type: "LoadBalancer",
    allocateLoadBalancerNodePorts: false,
    ports: [
      { name: "a", port: 80 },
      { name: "b", port: 81 },
    ],
  });
  assert.deepEqual(nodePorts(off.spec), [undefined, undefined], "one that allocates none does not count");
});

void test("SVC-168: a health check's port that an update leaves out stays", async () => {
  const local = { ...BALANCED, externalTrafficPolicy: "Local" };
  const { metadata, spec } = await services.made(local);
  for (const healthCheckNodePort of [undefined, 0]) {
    const said = await services.replace(metadata.name, { ...local, healthCheckNodePort });
    assertCauses(said, []);
    assert.equal(said.spec.healthCheckNodePort, spec.healthCheckNodePort);
  }
});

void test("SVC-169: as an alias a Service has no addresses, unless the same request changes them", async () => {
  const { metadata, spec } = await services.made({ ...HTTP, ipFamilyPolicy: "PreferDualStack" });
  const unused = (field: string): string =>
    `Forbidden spec.${field}: Forbidden: may not be set for ExternalName services`;
  assertCauses(
    await services.modify(metadata.name, { ...ALIAS, clusterIP: "10.96.3.169", clusterIPs: ["10.96.3.169"] }),
    [unused("clusterIPs")],
  );
  assertCauses(await services.modify(metadata.name, { ...ALIAS, ipFamilies: ["IPv4"] }), [unused("ipFamilies")]);
  assertCauses(await services.modify(metadata.name, { ...ALIAS, ipFamilyPolicy: "SingleStack" }), [
    unused("ipFamilyPolicy"),
  ]);
  const said = await services.modify(metadata.name, ALIAS);
  assertCauses(said, []);
  assertHas(said.spec, {
    clusterIP: undefined,
    clusterIPs: undefined,
    ipFamilies: undefined,
    ipFamilyPolicy: undefined,
  });
  assert.deepEqual(await services.addresses(metadata.name), []);
  assert.equal((await services.made({ ...HTTP, clusterIP: spec.clusterIP })).spec.clusterIP, spec.clusterIP);
});

void test("SVC-170: node ports go with their type, unless the request brings a new one", async () => {
  for (const type of ["NodePort", "LoadBalancer"]) {
    const { metadata, spec } = await services.made({ ...HTTP, type });
    assertCauses(await services.modify(metadata.name, { type: "ClusterIP", ports: [{ port: 80, nodePort: 30_170 }] }), [
      "Forbidden spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ]);
    // One that was there before, on another port, is no news.
    const moved = [
      { name: "a", port: 90 },
      { name: "b", port: 91, nodePort: spec.ports[0].nodePort },
    ];
    const said = await services.modify(metadata.name, { type: "ClusterIP", ports: moved });
    assertCauses(said, []);
    assert.deepEqual(nodePorts(said.spec), [undefined, undefined]);
    const other = await services.made({ ...HTTP, type });
    const alias = await services.modify(other.metadata.name, ALIAS);
    assert.deepEqual([alias.causes, nodePorts(alias.spec)], [[], [undefined]]);
  }
});

void test("SVC-171, SVC-172, SVC-173, SVC-174: what only a load balancer has goes with the type", async () => {
  const full = { ...BALANCED, externalTrafficPolicy: "Local", loadBalancerClass: "example.com/a" };
  for (const type of ["ClusterIP", "NodePort", "ExternalName"]) {
    const { metadata } = await services.made(full);
    const ingress = [{ ip: "1.2.3.4" }];
    assertCauses(await services.status(metadata.name, { loadBalancer: { ingress } }), []);
    const said = await services.patch(metadata.name, { spec: { type, externalName: "a.example" } });
    assertCauses(said, []);
    assertHas(said.spec, {
      healthCheckNodePort: undefined,
      allocateLoadBalancerNodePorts: undefined,
      loadBalancerClass: undefined,
      externalTrafficPolicy: type === "NodePort" ? "Local" : undefined,
    });
    assert.deepEqual(said.body.status, { loadBalancer: {} });
  }
  const { metadata } = await services.made(full);
  const cluster = await services.modify(metadata.name, { externalTrafficPolicy: "Cluster" });
  assertHas(cluster.spec, { healthCheckNodePort: undefined, loadBalancerClass: "example.com/a" });
  // What the request changes is left for validation.
  const ONLY = "Forbidden: may only be used when `type` is 'LoadBalancer'";
  assertCauses(await services.modify(metadata.name, { type: "NodePort", allocateLoadBalancerNodePorts: false }), [
    `Forbidden spec.allocateLoadBalancerNodePorts: ${ONLY}`,
  ]);
  assertCauses(await services.modify(metadata.name, { type: "NodePort", loadBalancerClass: "b" }), [
    `Forbidden spec.loadBalancerClass: ${ONLY}`,
    `Forbidden spec.loadBalancerClass: ${ONLY}`,
  ]);
  assertCauses(await services.modify(metadata.name, { type: "ClusterIP", externalTrafficPolicy: "Local" }), [
    'Invalid spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
  ]);
});

void test("SVC-173: the policy goes with the last external address", async () => {
  const { metadata, spec } = await services.made({ ...HTTP, externalIPs: ["1.2.3.4", "1.2.3.5"] });
  assert.equal(spec.externalTrafficPolicy, "Cluster");
  const one = await services.modify(metadata.name, { externalIPs: ["1.2.3.4"] });
  assert.equal(one.spec.externalTrafficPolicy, "Cluster");
  const none = await services.modify(metadata.name, { externalIPs: undefined });
  assertCauses(none, []);
  assert.equal(none.spec.externalTrafficPolicy, undefined);
});

void test("SVC-175: the rest stays whatever the type", async () => {
  const kept = {
    selector: { a: "b" },
    loadBalancerIP: "1.2.3.4",
    sessionAffinity: "ClientIP",
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } },
    externalName: "a.example",
  };
  const { metadata } = await services.made({ ...BALANCED, ...kept });
  for (const type of ["NodePort", "ClusterIP", "ExternalName", "ClusterIP"]) {
    const said = await services.patch(metadata.name, { spec: { type } });
    assertCauses(said, []);
    assertHas(said.spec, kept);
  }
  const { metadata: ranged } = await services.made({ ...BALANCED, loadBalancerSourceRanges: ["10.0.0.0/8"] });
  assertCauses(await services.patch(ranged.name, { spec: { type: "NodePort" } }), [
    "Forbidden spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
  ]);
});
