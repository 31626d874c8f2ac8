import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

void test("SVC-041: Services are apiVersion v1, kind Service, in a namespace", async () => {
  const made = await subject.ask("POST", "/api/v1/namespaces/default/services", {
    metadata: { name: "web" },
    spec: { ports: [{ port: 80 }] },
  });
  assert.equal(made.code, 201, made.text);
  assert.equal(made.body.apiVersion, "v1");
  assert.equal(made.body.kind, "Service");
  assert.equal(made.body.metadata.namespace, "default");
  const { body } = await subject.ask("GET", "/api/v1");
  const found = body.resources.find(({ name }: { name: string }) => name === "services");
  assert.deepEqual([found.kind, found.namespaced, found.singularName], ["Service", true, "service"]);
});
