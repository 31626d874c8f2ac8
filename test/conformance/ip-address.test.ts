import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { isFairlead, startSubject, type Subject } from "./subject.ts";

const PATH = "/apis/networking.k8s.io/v1/ipaddresses";
const SERVICES = "/api/v1/namespaces/default/services";
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };
const PARENT = { resource: "routers", group: "example.com", name: "r" };

let subject: Subject;
before(async () => {
  subject = await startSubject({ serviceRanges: ["10.96.0.0/24", "fd00:10:96::/112"] });
});
after(() => subject.close());

const create = (name: string, spec: object = { parentRef: PARENT }) =>
  subject.ask("POST", PATH, { metadata: { name }, spec });
/** `field: message` of every cause. */
const causes = ({ body }: { body: { details?: { causes?: { field: string; message: string }[] } } }): string[] =>
  (body.details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);

void test("SVC-256: IPAddresses are cluster-wide, have the short name ip and no status", async () => {
  const { body } = await subject.ask("GET", "/apis/networking.k8s.io/v1");
  const found = body.resources.filter(({ name }: { name: string }) => name.startsWith("ipaddresses"));
  assert.deepEqual(
    found.map(({ name, namespaced, shortNames }: Record<string, unknown>) => [name, namespaced, shortNames]),
    [["ipaddresses", false, ["ip"]]],
  );
  assert.equal((await create("10.96.0.200")).code, 201);
  assert.equal((await subject.ask("GET", `${PATH}/10.96.0.200/status`)).code, 404);
});

void test("SVC-256: the name is the canonical form of an address", async () => {
  for (const [name, message] of [
    ["web", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"],
    ["10.96.0.010", "must not have leading 0s"],
    ["2001:DB8::1", 'must be in canonical form ("2001:db8::1")'],
    ["2001:db8:0::1", 'must be in canonical form ("2001:db8::1")'],
    ["::ffff:10.96.0.1", "must not be an IPv4-mapped IPv6 address"],
  ] as const) {
    const answer = await create(name);
    assert.deepEqual(
      [answer.code, ...causes(answer)],
      [422, `metadata.name: Invalid value: ${JSON.stringify(name)}: ${message}`],
    );
  }
});

void test("SVC-257: a parent with a resource and a name is required", async () => {
  assert.deepEqual(causes(await create("10.96.0.201", {})), ["spec.parentRef: Required value"]);
  assert.deepEqual(causes(await create("10.96.0.201", { parentRef: {} })), [
    "spec.parentRef.resource: Required value",
    "spec.parentRef.name: Required value",
  ]);
  const odd = { group: "A_b", resource: "a/b", name: "..", namespace: "a%b" };
  const fields = causes(await create("10.96.0.201", { parentRef: odd })).map((text) => text.split(":")[0]);
  assert.deepEqual(
    fields,
    ["group", "resource", "name", "namespace"].map((field) => `spec.parentRef.${field}`),
  );
});

void test("SVC-258: the parent is for good; labels are not", async () => {
  await create("10.96.0.202", { parentRef: { resource: "services", namespace: "default", name: "x" } });
  const changed = await subject.ask("PATCH", `${PATH}/10.96.0.202`, { spec: { parentRef: { name: "y" } } }, MERGE);
  assert.deepEqual(
    [changed.code, ...causes(changed)],
    [
      422,
      'spec.parentRef: Invalid value: {"Group":"","Resource":"services","Namespace":"default","Name":"y"}: field is immutable',
    ],
  );
  const labelled = await subject.ask("PATCH", `${PATH}/10.96.0.202`, { metadata: { labels: { a: "b" } } }, MERGE);
  assert.deepEqual([labelled.code, labelled.body.metadata.labels], [200, { a: "b" }]);
});

void test("SVC-259: generateName is the name as it is", async () => {
  const ask = () =>
    subject.ask("POST", PATH, { metadata: { generateName: "10.96.0.203" }, spec: { parentRef: PARENT } });
  const made = await ask();
  assert.deepEqual([made.code, made.body.metadata?.name], [201, "10.96.0.203"]);
  const again = await ask();
  assert.deepEqual([again.code, again.body.reason, again.body.details.retryAfterSeconds], [409, "AlreadyExists", 1]);
  assert.match(again.body.message, /"10\.96\.0\.203" already exists, .* generate a unique name/);
});

void test("SVC-127, SVC-260: a Service's addresses are IPAddresses with the allocator's labels, and go with it", async () => {
  const spec = { ipFamilyPolicy: "RequireDualStack", ports: [{ port: 80 }] };
  const { body: service } = await subject.ask("POST", SERVICES, { metadata: { name: "web" }, spec });
  assert.equal(service.spec.clusterIPs.length, 2);
  for (const ip of service.spec.clusterIPs as string[]) {
    const { body } = await subject.ask("GET", `${PATH}/${ip}`);
    assert.deepEqual(body.metadata.labels, {
      "ipaddress.kubernetes.io/ip-family": ip.includes(":") ? "IPv6" : "IPv4",
      "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    });
    assert.deepEqual(body.spec, { parentRef: { resource: "services", namespace: "default", name: "web" } });
  }
  await subject.ask("DELETE", `${SERVICES}/web`);
  for (const ip of service.spec.clusterIPs as string[]) {
    assert.equal((await subject.ask("GET", `${PATH}/${ip}`)).code, 404);
  }
});

void test("SVC-261: an IPAddress made by hand keeps its address from Services", async () => {
  assert.equal((await create("10.96.0.210")).code, 201);
  const spec = { clusterIP: "10.96.0.210", ports: [{ port: 80 }] };
  const taken = await subject.ask("POST", SERVICES, { metadata: { name: "taken" }, spec });
  assert.deepEqual(
    [taken.code, ...causes(taken)],
    [
      422,
      'spec.clusterIPs: Invalid value: ["10.96.0.210"]: failed to allocate IP 10.96.0.210: provided IP is already allocated',
    ],
  );
  await subject.ask("DELETE", `${PATH}/10.96.0.210`);
  assert.equal((await subject.ask("POST", SERVICES, { metadata: { name: "taken" }, spec })).code, 201);
});

const AT_ONCE = "the real one repairs it within three minutes, at its next round";
void test(
  "SVC-262: a deleted IPAddress that a Service uses is made again",
  { skip: isFairlead ? false : AT_ONCE },
  async () => {
    const { body } = await subject.ask("POST", SERVICES, {
      metadata: { name: "lost" },
      spec: { ports: [{ port: 80 }] },
    });
    const path = `${PATH}/${body.spec.clusterIP}`;
    assert.equal((await subject.ask("DELETE", path)).code, 200);
    await until("the IPAddress", async () => (await subject.ask("GET", path)).code === 200);
    const selector = "fieldSelector=involvedObject.name%3Dlost";
    const event = await until("the event", async () => {
      const { body: list } = await subject.ask("GET", `/api/v1/namespaces/default/events?${selector}`);
      return list.items[0];
    });
    assert.deepEqual([event.type, event.reason], ["Warning", "ClusterIPNotAllocated"]);
    assert.equal(event.reportingComponent, "ipallocator-repair-controller");
  },
);
