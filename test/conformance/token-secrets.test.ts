import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { isFairlead, startSubject, type Answered, type Subject } from "./subject.ts";
import { claimsOf, tokensOf } from "./tokens.ts";

const hasControllers = isFairlead || process.env["KUBE_CONTROLLER_MANAGER"] !== undefined;
const options = { skip: hasControllers ? false : "KUBE_CONTROLLER_MANAGER names no kube-controller-manager" };

let subject: Subject;
let tokens: ReturnType<typeof tokensOf>;
before(async () => {
  subject = await startSubject({ controllers: true });
  tokens = tokensOf(subject);
});
after(() => subject.close());

const SECRETS = "/api/v1/namespaces/default/secrets";
const NAME = "kubernetes.io/service-account.name";
const UID = "kubernetes.io/service-account.uid";
const text = (base64: string): string => Buffer.from(base64, "base64").toString();

const request = (name: string, account: string, more: object = {}): Promise<Answered> =>
  subject.ask("POST", SECRETS, {
    metadata: { name, annotations: { [NAME]: account, ...more } },
    type: "kubernetes.io/service-account-token",
  });

const filled = (name: string): Promise<Answered["body"]> =>
  until(`the Secret ${name} to hold a token`, async () => {
    const { code, body } = await subject.ask("GET", `${SECRETS}/${name}`);
    return code === 200 && body.data?.token !== undefined && body;
  });

const gone = (name: string): Promise<boolean> =>
  until(`the Secret ${name} to go`, async () => (await subject.ask("GET", `${SECRETS}/${name}`)).code === 404);

void test(
  "a Secret that asks for a ServiceAccount's token is given it, with authority and namespace",
  options,
  async () => {
    const account = await tokens.account("ci");
    const { code } = await request("ci-token", "ci");
    assert.equal(code, 201);
    const { data, metadata, type } = await filled("ci-token");
    assert.equal(type, "kubernetes.io/service-account-token");
    assert.deepEqual(metadata.annotations, { [NAME]: "ci", [UID]: account.metadata.uid });
    assert.deepEqual(Object.keys(data).sort(), ["ca.crt", "namespace", "token"]);
    assert.deepEqual([text(data["ca.crt"]), text(data.namespace)], [subject.ca, "default"]);
    const token = text(data.token);
    assert.deepEqual(claimsOf(token), {
      iss: "kubernetes/serviceaccount",
      "kubernetes.io/serviceaccount/namespace": "default",
      "kubernetes.io/serviceaccount/secret.name": "ci-token",
      "kubernetes.io/serviceaccount/service-account.name": "ci",
      "kubernetes.io/serviceaccount/service-account.uid": account.metadata.uid,
      sub: "system:serviceaccount:default:ci",
    });
    const { body } = await tokens.whoami({ token });
    assert.deepEqual(body.status.userInfo, {
      username: "system:serviceaccount:default:ci",
      uid: account.metadata.uid,
      groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
    });
  },
);

void test("a Secret whose token is used says on which day, and keeps what it holds", options, async () => {
  await tokens.account("used");
  await request("used-token", "used");
  const before = await filled("used-token");
  const label = "kubernetes.io/legacy-token-last-used";
  assert.equal(before.metadata.labels, undefined);
  const days = [new Date().toISOString().slice(0, 10)];
  assert.equal((await tokens.whoami({ token: text(before.data.token) })).code, 201);
  const marked = await until("the Secret to be marked", async () => {
    const { body } = await subject.ask("GET", `${SECRETS}/used-token`);
    return body.metadata.labels?.[label] !== undefined && body;
  });
  days.push(new Date().toISOString().slice(0, 10));
  assert.ok(days.includes(marked.metadata.labels[label]));
  assert.deepEqual(marked.data, before.data);
  assert.equal((await tokens.whoami({ token: text(marked.data.token) })).code, 201);
});

void test("the token of a Secret is good for as long as it lies there", options, async () => {
  await tokens.account("lies");
  await request("lies-token", "lies");
  const token = text((await filled("lies-token")).data.token);
  assert.equal((await tokens.whoami({ token })).code, 201);
  const other = { data: { token: Buffer.from("other").toString("base64") } };
  const headers = { "content-type": "application/merge-patch+json" };
  assert.equal((await subject.ask("PATCH", `${SECRETS}/lies-token`, other, { headers })).code, 200);
  await until("the token to be refused", async () => (await tokens.whoami({ token })).code === 401);
  assert.equal((await subject.ask("PATCH", `${SECRETS}/lies-token`, { data: null }, { headers })).code, 200);
  const again = text((await filled("lies-token")).data.token);
  await until("the token to be good", async () => (await tokens.whoami({ token: again })).code === 201);
  assert.equal((await subject.ask("DELETE", `${SECRETS}/lies-token`)).code, 200);
  await until("the token to be refused", async () => (await tokens.whoami({ token: again })).code === 401);
});

void test("a Secret without its ServiceAccount goes, and so does one whose ServiceAccount goes", options, async () => {
  assert.equal((await request("nobodys", "nobody")).code, 201);
  await gone("nobodys");
  await tokens.account("leaves");
  assert.equal((await request("former", "leaves", { [UID]: "former" })).code, 201);
  await gone("former");
  await request("left", "leaves");
  await filled("left");
  await tokens.remove("serviceaccounts", "leaves");
  await gone("left");
});

void test("the label that takes a Secret's token back does so", options, async () => {
  await tokens.account("marked");
  await request("marked-token", "marked");
  const token = text((await filled("marked-token")).data.token);
  assert.equal((await tokens.whoami({ token })).code, 201);
  const patch = { metadata: { labels: { "kubernetes.io/legacy-token-invalid-since": "2026-01-01" } } };
  const headers = { "content-type": "application/merge-patch+json" };
  await subject.ask("PATCH", `${SECRETS}/marked-token`, patch, { headers });
  await until("the token to be refused", async () => (await tokens.whoami({ token })).code === 401);
});

void test(
  "every namespace has the authority in kube-root-ca.crt, and has it again when it is changed or removed",
  options,
  async () => {
    await subject.ask("POST", "/api/v1/namespaces", { metadata: { name: "fresh" } });
    const path = "/api/v1/namespaces/fresh/configmaps/kube-root-ca.crt";
    const right = (why: string, uid?: string): Promise<Answered["body"]> =>
      until(why, async () => {
        const { code, body } = await subject.ask("GET", path);
        if (code !== 200 || body.metadata.uid === uid) return false;
        return body.data["ca.crt"] === subject.ca && body.data.more === undefined && body;
      });
    const first = await right("the ConfigMap");
    assert.deepEqual(Object.keys(first.data), ["ca.crt"]);
    assert.ok(first.metadata.annotations["kubernetes.io/description"].length > 0);
    const headers = { "content-type": "application/merge-patch+json" };
    await subject.ask("PATCH", path, { data: { "ca.crt": "x", more: "y" } }, { headers });
    await right("the ConfigMap to be put right");
    await subject.ask("DELETE", path);
    await right("the ConfigMap to be made again", first.metadata.uid);
  },
);
