import assert from "node:assert/strict";
import { test } from "node:test";
import type { Secret, ServiceAccount } from "../../api/generated/types.ts";
import { accountKeyOf, decide } from "./decide.ts";

const NAME = "kubernetes.io/service-account.name";
const UID = "kubernetes.io/service-account.uid";
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const secret = (annotations: Record<string, string>, data?: Record<string, string>): Secret => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { namespace: "a", name: "s", resourceVersion: "7", annotations },
  type: "kubernetes.io/service-account-token",
  ...(data === undefined ? {} : { data }),
});
const account: ServiceAccount = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { namespace: "a", name: "b", uid: "u" },
};
const sign = (said: object): string => JSON.stringify(said);
const token = base64(JSON.stringify({ namespace: "a", account: { name: "b", uid: "u" }, secret: "s" }));
const FULL = { token, namespace: base64("a"), "ca.crt": base64("CA") };

void test("only a Secret of the type that names a ServiceAccount is one of its tokens", () => {
  assert.equal(accountKeyOf(secret({ [NAME]: "b" })), "a/b");
  assert.equal(accountKeyOf({ ...secret({ [NAME]: "b" }), type: "Opaque" }), undefined);
  assert.equal(accountKeyOf(secret({})), undefined);
});

void test("what is missing is written, what is there stays, and a whole one is left alone", () => {
  const written = (data?: Record<string, string>): Secret =>
    (decide(secret({ [NAME]: "b", mine: "x" }, data), account, "CA", sign) as { write: Secret }).write;
  for (const data of [undefined, {}, { token }, { ...FULL, "ca.crt": base64("old") }, { ...FULL, namespace: "" }]) {
    assert.deepEqual(written(data), secret({ [NAME]: "b", mine: "x", [UID]: "u" }, FULL));
  }
  assert.equal(written({ token: "b2xk" }).data?.["token"], "b2xk");
  assert.deepEqual(written({ more: "eA==" }).data, { more: "eA==", ...FULL });
  assert.equal(decide(secret({ [NAME]: "b" }, FULL), account, "CA", sign), undefined);
});

void test("a Secret goes with its ServiceAccount, also when that was made anew", () => {
  assert.equal(decide(secret({ [NAME]: "b" }, FULL), undefined, "CA", sign), "delete");
  assert.equal(decide(secret({ [NAME]: "b", [UID]: "former" }, FULL), account, "CA", sign), "delete");
  assert.equal(decide(secret({ [NAME]: "b", [UID]: "u" }, FULL), account, "CA", sign), undefined);
});
