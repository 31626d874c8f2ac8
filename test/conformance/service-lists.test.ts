import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PATH, Services } from "./services.ts";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
let services: Services;
before(async () => {
  subject = await startSubject();
  services = new Services(subject);
});
after(() => subject.close());

const headers = { "content-type": "application/apply-patch+yaml" };
const apply = (manager: string, name: string, said: object, path = ""): Promise<Answered> =>
  subject.ask(
    "PATCH",
    `${PATH}/${name}${path}?fieldManager=${manager}&force=true`,
    { apiVersion: "v1", kind: "Service", metadata: { name }, ...said },
    { headers },
  );

const BALANCED = { type: "LoadBalancer", ports: [{ name: "a", port: 80 }] };
/** What a second manager makes of what a first one applied. */
async function applied(first: object, second: object): Promise<Answered["body"]> {
  const name = services.newName();
  const made = await apply("one", name, { spec: first });
  assert.ok(made.code < 300, made.text);
  const changed = await apply("two", name, { spec: second });
  assert.equal(changed.code, 200, changed.text);
  return changed.body.spec;
}

void test("SVC-010: applied ports are one by number and protocol; a strategic merge knows them by number alone", async () => {
  const dns = { name: "u", port: 53, protocol: "UDP" };
  const { metadata } = await services.made({ ports: [dns, { name: "t", port: 53 }] });
  const patch = { spec: { ports: [{ port: 53, targetPort: 5353 }] } };
  const { spec } = await services.patch(metadata.name, patch, "strategic");
  assert.deepEqual(
    spec.ports.map(({ targetPort }: { targetPort: number }) => targetPort),
    [5353, 53],
    "the first of the number is the one that is meant",
  );
  const { ports } = await applied({ ports: [{ name: "t", port: 53 }] }, { ports: [dns] });
  assert.deepEqual(ports.map(({ name }: { name: string }) => name).sort(), ["t", "u"]);
});

void test("SVC-017: there is no selector unless it is given, and an applied one is one whole", async () => {
  assert.equal((await services.made({ ports: [{ port: 80 }] })).spec.selector, undefined);
  const { selector } = await applied({ ports: [{ port: 80 }], selector: { a: "1" } }, { selector: { b: "2" } });
  assert.deepEqual(selector, { b: "2" });
});

void test("SVC-019: applied clusterIPs are one whole, at most two, and mirror clusterIP", async () => {
  const { spec } = await services.made({ ports: [{ port: 80 }], ipFamilyPolicy: "RequireDualStack" });
  assert.deepEqual([spec.clusterIPs.length, spec.clusterIPs[0]], [2, spec.clusterIP]);
  const three = { clusterIP: "10.96.5.1", clusterIPs: ["10.96.5.1", "fd00:10:96::51", "fd00:10:96::52"] };
  assert.deepEqual(
    (await services.create({ ports: [{ port: 80 }], ...three, ipFamilyPolicy: "PreferDualStack" })).causes,
    [`Invalid spec.clusterIPs: Invalid value: ${JSON.stringify(three.clusterIPs)}: may only hold up to 2 values`],
  );
  const name = services.newName();
  const one = { clusterIP: "10.96.5.2", clusterIPs: ["10.96.5.2"] };
  await apply("one", name, { spec: { ports: [{ port: 80 }], ...one } });
  const two = {
    clusterIPs: ["10.96.5.2", "fd00:10:96::53"],
    ipFamilyPolicy: "RequireDualStack",
    ipFamilies: ["IPv4", "IPv6"],
  };
  const grown = await apply("two", name, { spec: two });
  assert.deepEqual(grown.body.spec?.clusterIPs, two.clusterIPs, grown.text);
});

void test("SVC-021, SVC-025, SVC-031: applied lists of plain values are each one whole", async () => {
  const spec = await applied(
    { ...BALANCED, externalIPs: ["1.2.3.4"], loadBalancerSourceRanges: ["10.0.0.0/8"], ipFamilies: ["IPv4"] },
    {
      externalIPs: ["1.2.3.5"],
      loadBalancerSourceRanges: ["11.0.0.0/8"],
      ipFamilies: ["IPv4", "IPv6"],
      ipFamilyPolicy: "PreferDualStack",
    },
  );
  assert.deepEqual(
    [spec.externalIPs, spec.loadBalancerSourceRanges, spec.ipFamilies],
    [["1.2.3.5"], ["11.0.0.0/8"], ["IPv4", "IPv6"]],
  );
});

void test("SVC-036, SVC-037, SVC-038: applied addresses of a load balancer are one whole, conditions one by type", async () => {
  const { metadata } = await services.made(BALANCED);
  const condition = (type: string): object => ({
    type,
    status: "True",
    reason: "A",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  });
  const status = (ip: string, port: number, type: string): object => ({
    status: { loadBalancer: { ingress: [{ ip, ports: [{ port, protocol: "TCP" }] }] }, conditions: [condition(type)] },
  });
  await apply("one", metadata.name, status("1.2.3.4", 80, "example.com/A"), "/status");
  const { body, text } = await apply("two", metadata.name, status("1.2.3.4", 81, "example.com/B"), "/status");
  assert.deepEqual(
    body.status?.loadBalancer.ingress,
    [{ ip: "1.2.3.4", ipMode: "VIP", ports: [{ port: 81, protocol: "TCP" }] }],
    text,
  );
  assert.deepEqual(body.status.conditions.map(({ type }: { type: string }) => type).sort(), [
    "example.com/A",
    "example.com/B",
  ]);
});
