import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { isFairlead, startSubject, type Answered, type Subject } from "./subject.ts";

const PATH = "/apis/networking.k8s.io/v1/servicecidrs";
const IP_PATH = "/apis/networking.k8s.io/v1/ipaddresses";
const SERVICES = "/api/v1/namespaces/default/services";
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };
const FINALIZER = "networking.k8s.io/service-cidr-finalizer";

const hasControllers = isFairlead || process.env["KUBE_CONTROLLER_MANAGER"] !== undefined;
const controllers = { skip: hasControllers ? false : "KUBE_CONTROLLER_MANAGER names no controllers" };

let subject: Subject;
before(async () => {
  subject = await startSubject({ controllers: true, serviceRanges: ["10.96.0.0/24"] });
});
after(() => subject.close());

const create = (name: string, ...cidrs: string[]) => subject.ask("POST", PATH, { metadata: { name }, spec: { cidrs } });
const patch = (name: string, body: object) => subject.ask("PATCH", `${PATH}/${name}`, body, MERGE);
const service = (name: string, spec: object = {}) =>
  subject.ask("POST", SERVICES, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });
const causes = ({ body }: Answered): string[] =>
  (body.details?.causes ?? []).map(({ field, message }: { field: string; message: string }) => `${field}: ${message}`);
interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}
const ready = async (name: string): Promise<Condition | undefined> => {
  const { body } = await subject.ask("GET", `${PATH}/${name}`);
  return body.status?.conditions?.find(({ type }: Condition) => type === "Ready");
};
const serves = (name: string) => until(`${name} serves`, async () => (await ready(name))?.status === "True");
const isGone = async (name: string): Promise<boolean> => (await subject.ask("GET", `${PATH}/${name}`)).code === 404;

void test("SVC-263: ServiceCIDRs are cluster-wide, without a short name, with a status", async () => {
  const { body } = await subject.ask("GET", "/apis/networking.k8s.io/v1");
  const found = body.resources.filter(({ name }: { name: string }) => name.startsWith("servicecidrs"));
  assert.deepEqual(
    found.map(({ name, namespaced, shortNames }: Record<string, unknown>) => [name, namespaced, shortNames]),
    [
      ["servicecidrs", false, undefined],
      ["servicecidrs/status", false, undefined],
    ],
  );
  const odd = await create("A_b", "10.1.0.0/24");
  assert.equal(odd.code, 422);
  assert.equal(odd.body.details.causes[0].field, "metadata.name");
});

void test("SVC-264: one or two canonical ranges, of different families", async () => {
  for (const [cidrs, ...wanted] of [
    [[], "spec.cidrs: Required value: at least one CIDR required"],
    [
      ["10.1.0.0/24", "fd01::/64", "10.2.0.0/24"],
      'spec.cidrs: Invalid value: {"CIDRs":["10.1.0.0/24","fd01::/64","10.2.0.0/24"]}: may only hold up to 2 values',
    ],
    [["10.1.0.9/24"], 'spec.cidrs[0]: Invalid value: "10.1.0.9/24": must not have bits set beyond the prefix length'],
    [["10.1.0.0/024"], 'spec.cidrs[0]: Invalid value: "10.1.0.0/024": must not have leading 0s in IP or prefix length'],
    [["FD01::/64"], 'spec.cidrs[0]: Invalid value: "FD01::/64": must be in canonical form ("fd01::/64")'],
    [["x"], 'spec.cidrs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
    [
      ["10.1.0.0/24", "10.2.0.0/24"],
      'spec.cidrs: Invalid value: ["10.1.0.0/24","10.2.0.0/24"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  ] as [string[], ...string[]][]) {
    const answer = await create("odd", ...cidrs);
    assert.deepEqual([answer.code, ...causes(answer)], [422, ...wanted]);
  }
  const none = await subject.ask("POST", PATH, { metadata: { name: "odd" } });
  assert.deepEqual(causes(none), ["spec.cidrs: Required value: at least one CIDR required"]);
});

void test("SVC-265: ranges are for good, but one may become two", async () => {
  await create("grows", "10.1.0.0/28");
  const to = (...cidrs: string[]) => patch("grows", { spec: { cidrs } });
  assert.deepEqual(causes(await to("10.1.0.0/27")), [
    'spec.cidrs[0]: Invalid value: "10.1.0.0/27": field is immutable',
  ]);
  assert.deepEqual(causes(await to("fd01::/112", "10.1.0.0/28")), [
    'spec.cidrs[0]: Invalid value: "fd01::/112": field is immutable',
  ]);
  assert.deepEqual(
    causes(await to("10.1.0.0/28", "10.2.0.0/28")).map((text) => text.split(":")[0]),
    ["spec.cidrs"],
  );
  assert.deepEqual(causes(await to()), ["spec.cidrs: Invalid value: []: field is immutable"]);
  assert.equal((await to("10.1.0.0/28", "fd01::/112")).code, 200);
  assert.deepEqual(causes(await to("10.1.0.0/28")), ['spec.cidrs: Invalid value: ["10.1.0.0/28"]: field is immutable']);
});

void test("SVC-006, SVC-273: the status is written through /status alone, and that takes nothing else", async () => {
  const condition = (type: string) => ({
    type,
    status: "True",
    reason: "Test",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  });
  const made = await subject.ask("POST", PATH, {
    metadata: { name: "said" },
    spec: { cidrs: ["10.3.0.0/28"] },
    status: { conditions: [condition("Mine")] },
  });
  assert.deepEqual([made.code, made.body.status], [201, {}]);
  const changed = await patch("said", {
    metadata: { labels: { a: "b" } },
    status: { conditions: [condition("Mine")] },
  });
  const types = ({ body }: Answered): string[] => (body.status.conditions ?? []).map(({ type }: Condition) => type);
  assert.deepEqual([changed.body.metadata.labels, types(changed).includes("Mine")], [{ a: "b" }, false]);
  const status = await patch("said/status", {
    metadata: { labels: { a: "c" }, annotations: { a: "c" }, finalizers: ["x.io/y"] },
    spec: { cidrs: ["10.4.0.0/28"] },
    status: { conditions: [condition("Mine")] },
  });
  assert.equal(status.code, 200, status.text);
  const { metadata, spec } = status.body;
  assert.deepEqual([metadata.labels, metadata.annotations, spec.cidrs], [{ a: "b" }, undefined, ["10.3.0.0/28"]]);
  assert.ok(!(metadata.finalizers ?? []).includes("x.io/y"));
  assert.ok(types(status).includes("Mine"));
});

void test("SVC-274: they are selected by metadata.name", async () => {
  const { body } = await subject.ask("GET", `${PATH}?fieldSelector=metadata.name%3Dkubernetes`);
  assert.deepEqual(
    body.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    ["kubernetes"],
  );
  assert.equal((await subject.ask("GET", `${PATH}?fieldSelector=spec.cidrs%3Dx`)).code, 400);
});

void test("SVC-271, SVC-272: the default one holds the server's ranges and serves", async () => {
  const { body } = await subject.ask("GET", `${PATH}/kubernetes`);
  assert.deepEqual(body.spec.cidrs, ["10.96.0.0/24"]);
  assert.equal((await ready("kubernetes"))?.status, "True");
});

void test(
  "SVC-267, SVC-268, SVC-123: a new one gets the finalizer, says that it serves, and does",
  controllers,
  async () => {
    await create("more", "10.7.0.0/28");
    await serves("more");
    const { body } = await subject.ask("GET", `${PATH}/more`);
    assert.deepEqual(body.metadata.finalizers, [FINALIZER]);
    const { type, status, reason } = (await ready("more"))!;
    assert.deepEqual([type, status, reason], ["Ready", "True", ""]);
    const made = await until("an address of it", async () => {
      const answer = await service("of-more", { clusterIP: "10.7.0.5" });
      return answer.code === 201 ? answer : undefined;
    });
    assert.equal(made.body.spec.clusterIP, "10.7.0.5");
    // Addresses outside, the network's own, and the broadcast address.
    for (const clusterIP of ["10.8.0.5", "10.7.0.0", "10.7.0.15"]) {
      const refused = await service("refused", { clusterIP });
      assert.equal(refused.code, 422);
      assert.ok(
        refused.body.message.endsWith(`IP ${clusterIP}: the provided network does not match the current range`),
      );
    }
  },
);

void test(
  "SVC-267, SVC-269, SVC-270: one that is deleted hands nothing out, and stays while an address is only its",
  controllers,
  async () => {
    await create("ends", "10.5.0.0/28");
    await serves("ends");
    await until("an address of it", async () => (await service("of-ends", { clusterIP: "10.5.0.5" })).code === 201);
    const deleted = await subject.ask("DELETE", `${PATH}/ends`);
    assert.deepEqual([deleted.code, deleted.body.kind], [200, "ServiceCIDR"]);
    await until("it says why it stays", async () => (await ready("ends"))?.reason === "Terminating");
    assert.equal((await ready("ends"))?.status, "False");
    assert.equal((await service("late", { clusterIP: "10.5.0.6" })).code, 422);
    await subject.ask("DELETE", `${SERVICES}/of-ends`);
    await until("it is gone", () => isGone("ends"), { seconds: 60 });
  },
);

void test("SVC-269: it goes 10 s after its deletion when nothing holds it", controllers, async () => {
  await create("idle", "10.11.0.0/28");
  await serves("idle");
  // An address that somebody reserved by hand does not hold it (SVC-261).
  const parentRef = { group: "example.com", resource: "routers", name: "r" };
  await subject.ask("POST", IP_PATH, { metadata: { name: "10.11.0.9" }, spec: { parentRef } });
  const { body } = await subject.ask("DELETE", `${PATH}/idle`);
  const deletedAt = Date.parse(body.metadata.deletionTimestamp);
  await until("it is gone", () => isGone("idle"), { seconds: 60 });
  assert.ok(Date.now() - deletedAt >= 10_000);
});

void test("SVC-269: it goes although addresses are in it when others have all its ranges", controllers, async () => {
  await create("inner", "10.6.0.0/28");
  await serves("inner");
  await until("an address of it", async () => (await service("of-inner", { clusterIP: "10.6.0.5" })).code === 201);
  await subject.ask("DELETE", `${PATH}/inner`);
  await until("it is held", async () => (await ready("inner"))?.reason === "Terminating");
  await create("outer", "10.6.0.0/24");
  await until("it is gone", () => isGone("inner"), { seconds: 60 });
});

void test("SVC-266: ranges may overlap, and the same range twice is one pool", controllers, async () => {
  await create("one", "10.12.0.0/28");
  await create("two", "10.12.0.0/28");
  assert.equal((await create("around", "10.12.0.0/24")).code, 201);
  await Promise.all([serves("one"), serves("two")]);
  await until("an address", async () => (await service("first", { clusterIP: "10.12.0.1" })).code === 201);
  const again = await service("second", { clusterIP: "10.12.0.1" });
  assert.match(again.body.message, /provided IP is already allocated/);
  await serves("around");
  await until("an address of the range around", async () => {
    return (await service("third", { clusterIP: "10.12.0.99" })).code === 201;
  });
});
