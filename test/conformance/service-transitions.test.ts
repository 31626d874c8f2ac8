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
const ALIAS = { type: "ExternalName", externalName: "a.example" };
/** A patch of the type and little else, as `kubectl patch` does. */
const become = (name: string, spec: object) => services.patch(name, { spec });

void test("SVC-176: ClusterIP → NodePort", async () => {
  const { metadata, spec } = await services.made(HTTP);
  const said = await become(metadata.name, { type: "NodePort" });
  assertCauses(said, []);
  assert.ok(said.spec.ports[0].nodePort >= 30_000);
  assertHas(said.spec, { externalTrafficPolicy: "Cluster", clusterIPs: spec.clusterIPs });
});

void test("SVC-177: ClusterIP → LoadBalancer", async () => {
  const { metadata } = await services.made(HTTP);
  const said = await become(metadata.name, { type: "LoadBalancer" });
  assertCauses(said, []);
  assert.ok(said.spec.ports[0].nodePort >= 30_000);
  assertHas(said.spec, { allocateLoadBalancerNodePorts: true, externalTrafficPolicy: "Cluster" });
  const { metadata: other } = await services.made(HTTP);
  const without = await become(other.name, { type: "LoadBalancer", allocateLoadBalancerNodePorts: false });
  assertCauses(without, []);
  assert.equal(without.spec.ports[0].nodePort, undefined);
});

void test("SVC-178: NodePort → LoadBalancer", async () => {
  const { metadata, spec } = await services.made({ ...HTTP, type: "NodePort" });
  const said = await become(metadata.name, { type: "LoadBalancer" });
  assertCauses(said, []);
  assertHas(said.spec, { ports: spec.ports, clusterIPs: spec.clusterIPs, allocateLoadBalancerNodePorts: true });
});

void test("SVC-179: LoadBalancer → NodePort", async () => {
  const { metadata, spec } = await services.made({ ...HTTP, type: "LoadBalancer", loadBalancerClass: "example.com/a" });
  await services.status(metadata.name, { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } });
  const said = await become(metadata.name, { type: "NodePort" });
  assertCauses(said, []);
  assertHas(said.spec, { ports: spec.ports, allocateLoadBalancerNodePorts: undefined, loadBalancerClass: undefined });
  assert.deepEqual(said.body.status, { loadBalancer: {} });
});

void test("SVC-180: NodePort or LoadBalancer → ClusterIP", async () => {
  for (const type of ["NodePort", "LoadBalancer"]) {
    const { metadata, spec } = await services.made({ ...HTTP, type });
    const { nodePort } = spec.ports[0];
    const said = await become(metadata.name, { type: "ClusterIP" });
    assertCauses(said, []);
    assertHas(said.spec, { externalTrafficPolicy: undefined, clusterIPs: spec.clusterIPs });
    assert.equal(said.spec.ports[0].nodePort, undefined);
    assert.equal(
      (await services.made({ type: "NodePort", ports: [{ port: 80, nodePort }] })).spec.ports[0].nodePort,
      nodePort,
    );
  }
});

void test("SVC-181, CTL-100: any → ExternalName", async () => {
  for (const spec of [
    HTTP,
    { ...HTTP, type: "NodePort" },
    { ...HTTP, type: "LoadBalancer" },
    { ...HTTP, clusterIP: "None" },
  ]) {
    const made = await services.made(spec);
    assertCauses(await become(made.metadata.name, { type: "ExternalName" }), [
      "Required spec.externalName: Required value",
    ]);
    const said = await become(made.metadata.name, ALIAS);
    assertCauses(said, []);
    assertHas(said.spec, {
      clusterIP: undefined,
      clusterIPs: undefined,
      ipFamilies: undefined,
      ipFamilyPolicy: undefined,
    });
    assert.deepEqual(await services.addresses(made.metadata.name), []);
    if (made.spec.clusterIP !== "None") {
      assert.equal(
        (await services.made({ ...HTTP, clusterIP: made.spec.clusterIP })).spec.clusterIP,
        made.spec.clusterIP,
      );
    }
  }
});

void test("SVC-182: ExternalName → any", async () => {
  for (const type of ["ClusterIP", "NodePort", "LoadBalancer"]) {
    const { metadata } = await services.made(ALIAS);
    assertCauses(await become(metadata.name, { type }), ["Required spec.ports: Required value"]);
    const said = await become(metadata.name, { ...HTTP, type });
    assertCauses(said, []);
    assert.match(said.spec.clusterIP, /^10\.96\./);
    assert.equal((await services.addresses(metadata.name)).length, 1);
  }
  const { metadata } = await services.made(ALIAS);
  const asked = await become(metadata.name, { ...HTTP, type: "ClusterIP", clusterIP: "10.96.3.182" });
  assertHas(asked.spec, { clusterIPs: ["10.96.3.182"] });
  const { metadata: portless } = await services.made(ALIAS);
  const headless = await become(portless.name, { type: "ClusterIP", clusterIP: "None" });
  assertCauses(headless, []);
  assertHas(headless.spec, { clusterIPs: ["None"], ports: undefined });
});

void test("SVC-183: headless → NodePort or LoadBalancer is refused", async () => {
  const { metadata } = await services.made({ ...HTTP, clusterIP: "None" });
  for (const type of ["NodePort", "LoadBalancer"]) {
    assertCauses(await become(metadata.name, { type }), [
      `Invalid spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for ${type} services`,
    ]);
  }
});

void test("SVC-184: headless → with address, or back, is refused", async () => {
  const { metadata } = await services.made({ ...HTTP, clusterIP: "None", selector: { a: "b" } });
  assertCauses(await become(metadata.name, { clusterIP: "10.96.3.184", clusterIPs: ["10.96.3.184"] }), [
    'Invalid spec.clusterIPs[0]: Invalid value: ["10.96.3.184"]: may not change once set',
  ]);
  const { metadata: normal } = await services.made({ ...HTTP, selector: { a: "b" } });
  assertCauses(await become(normal.name, { clusterIP: "None", clusterIPs: ["None"] }), [
    'Invalid spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set',
  ]);
});

void test("SVC-185: headless → ExternalName → ClusterIP in two steps", async () => {
  const { metadata } = await services.made({ ...HTTP, clusterIP: "None" });
  assertCauses(await become(metadata.name, ALIAS), []);
  const said = await become(metadata.name, { type: "ClusterIP" });
  assertCauses(said, []);
  assert.match(said.spec.clusterIP, /^10\.96\./);
});
