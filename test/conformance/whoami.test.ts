import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Subject } from "./subject.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

void test("a certificate's CN is the user and each O a group", async () => {
  const jane = await subject.client("O=team, O=guests, CN=jane");
  const asked = { kind: "SelfSubjectReview", apiVersion: "authentication.k8s.io/v1" };
  const { code, body, text } = await subject.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", asked, {
    as: jane,
  });
  assert.equal(code, 201, text);
  assert.equal(body.status.userInfo.username, "jane");
  assert.deepEqual(body.status.userInfo.groups, ["team", "guests", "system:authenticated"]);
});
