import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
let lenient: Subject;
before(async () => {
  [subject, lenient] = await Promise.all([startSubject({ denyExternalIPs: true }), startSubject()]);
});
after(() => Promise.all([subject.close(), lenient.close()]));

const SERVICES = "/api/v1/namespaces/default/services";
const service = (name: string, externalIPs?: string[]) => ({
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...(externalIPs && { externalIPs }) },
});
const put = (name: string, object: unknown, query = ""): Promise<Answered> =>
  subject.ask("PUT", `${SERVICES}/${name}${query}`, object);
const refusal = (name: string): string =>
  `services "${name}" is forbidden: Use of external IPs is denied by admission control`;
const assertRefused = (answered: Answered, name: string): void => {
  assert.deepEqual(
    [answered.code, answered.body.reason, answered.body.message, answered.body.details],
    [403, "Forbidden", refusal(name), { name, kind: "services" }],
  );
};

void test("SVC-304: a Service is created without external IPs, and not with any", async () => {
  assert.equal((await subject.ask("POST", SERVICES, service("none"))).code, 201);
  assert.equal((await subject.ask("POST", SERVICES, service("empty", []))).code, 201);
  assertRefused(await subject.ask("POST", SERVICES, service("one", ["192.0.2.1"])), "one");
  assert.equal((await subject.ask("GET", `${SERVICES}/one`)).code, 404);
  assertRefused(await subject.ask("POST", `${SERVICES}?dryRun=All`, service("dry", ["192.0.2.1"])), "dry");
  assertRefused(await put("by-put", service("by-put", ["192.0.2.1"])), "by-put");
});

void test("SVC-304: a Service that is not valid is told its faults, not that external IPs are refused", async () => {
  const answered = await subject.ask("POST", SERVICES, service("wrong", ["127.0.0.1"]));
  assert.deepEqual([answered.code, answered.body.reason], [422, "Invalid"]);
});

void test("SVC-304: an update or a patch may not add one", async () => {
  const { body } = await subject.ask("POST", SERVICES, service("plain"));
  assertRefused(await put("plain", { ...body, spec: { ...body.spec, externalIPs: ["192.0.2.1"] } }), "plain");
  const patch = { spec: { externalIPs: ["192.0.2.1"] } };
  const headers = { "content-type": "application/merge-patch+json" };
  assertRefused(await subject.ask("PATCH", `${SERVICES}/plain`, patch, { headers }), "plain");
  const labelled = await put("plain", { ...body, metadata: { ...body.metadata, labels: { a: "b" } } });
  assert.equal(labelled.code, 200, labelled.text);
});

void test("SVC-304: a status write is not asked, and takes no external IPs either", async () => {
  const { body } = await subject.ask("POST", SERVICES, service("status"));
  const answered = await put("status", { ...body, spec: { ...body.spec, externalIPs: ["192.0.2.1"] } }, "/status");
  assert.deepEqual([answered.code, answered.body.spec.externalIPs], [200, undefined]);
});

void test("SVC-304: where they are not refused, external IPs are stored", async () => {
  const answered = await lenient.ask("POST", SERVICES, service("free", ["192.0.2.1", "2001:db8::1"]));
  assert.deepEqual([answered.code, answered.body.spec.externalIPs], [201, ["192.0.2.1", "2001:db8::1"]]);
});
