import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../lab/until.ts";
import { startSubject, type Answered, type Subject } from "./subject.ts";
import { claimsOf, ISSUER, tokensOf } from "./tokens.ts";

let subject: Subject;
let tokens: ReturnType<typeof tokensOf>;
let bot: Answered["body"];
before(async () => {
  subject = await startSubject();
  tokens = tokensOf(subject);
  bot = await tokens.account("bot");
});
after(() => subject.close());

const now = (): number => Math.floor(Date.now() / 1000);
const isAbout = (seconds: number, expected: number): boolean => Math.abs(seconds - expected) <= 30;

void test("a token request is answered with itself, its defaults, a token and the end of its life", async () => {
  const { code, body, text } = await tokens.request("bot");
  assert.equal(code, 201, text);
  assert.deepEqual([body.apiVersion, body.kind], ["authentication.k8s.io/v1", "TokenRequest"]);
  const { name, namespace, uid, creationTimestamp } = body.metadata;
  assert.deepEqual({ name, namespace, uid }, { name: "bot", namespace: "default", uid: bot.metadata.uid });
  assert.deepEqual(body.spec, { audiences: [ISSUER], expirationSeconds: 3600, boundObjectRef: null });
  const life = Date.parse(body.status.expirationTimestamp) - Date.parse(creationTimestamp);
  assert.equal(life, 3_600_000);
  assert.deepEqual(Object.keys(body.status).sort(), ["expirationTimestamp", "token"]);
});

void test("a token's claims are those of Kubernetes, and name the ServiceAccount with its UID", async () => {
  const token = await tokens.token("bot", { expirationSeconds: 7200, audiences: ["vault", "other"] });
  const { exp, iat, nbf, jti, ...rest } = claimsOf(token);
  assert.deepEqual(rest, {
    aud: ["vault", "other"],
    iss: ISSUER,
    "kubernetes.io": { namespace: "default", serviceaccount: { name: "bot", uid: bot.metadata.uid } },
    sub: "system:serviceaccount:default:bot",
  });
  assert.match(jti, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([exp - iat, nbf - iat], [7200, 0]);
  assert.ok(isAbout(iat, now()));
  const header = JSON.parse(Buffer.from(token.split(".")[0]!, "base64url").toString()) as Record<string, unknown>;
  assert.deepEqual(Object.keys(header).sort(), ["alg", "kid"]);
});

void test("a token speaks for its ServiceAccount and the groups of its namespace, and tells its number", async () => {
  const token = await tokens.token("bot");
  const { code, body, text } = await tokens.whoami({ token });
  assert.equal(code, 201, text);
  assert.deepEqual(body.status.userInfo, {
    username: "system:serviceaccount:default:bot",
    uid: bot.metadata.uid,
    groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": [`JTI=${claimsOf(token).jti}`] },
  });
  assert.match(body.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

void test("a token for somebody else does not open the API", async () => {
  const token = await tokens.token("bot", { audiences: ["vault"] });
  const { code, body } = await tokens.whoami({ token });
  assert.equal(code, 401);
  assert.deepEqual(body, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "Unauthorized",
    reason: "Unauthorized",
    code: 401,
  });
  const both = await tokens.token("bot", { audiences: ["vault", ISSUER] });
  assert.equal((await tokens.whoami({ token: both })).code, 201);
});

void test("a token is given for ten minutes at the least and 2^32 seconds at the most", async () => {
  for (const [expirationSeconds, words] of [
    [599, "may not specify a duration less than 10 minutes"],
    [0, "may not specify a duration less than 10 minutes"],
    [-1, "may not specify a duration less than 10 minutes"],
    [4294967297, "may not specify a duration larger than 2^32 seconds"],
  ] as const) {
    const { code, body } = await tokens.request("bot", { expirationSeconds });
    const message = `Invalid value: ${expirationSeconds}: ${words}`;
    assert.equal(code, 422);
    assert.equal(body.message, `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: ${message}`);
    assert.deepEqual(body.details, {
      group: "authentication.k8s.io",
      kind: "TokenRequest",
      causes: [{ reason: "FieldValueInvalid", message, field: "spec.expirationSeconds" }],
    });
  }
  assert.equal((await tokens.request("bot", { expirationSeconds: 600 })).code, 201);
  const longest = await tokens.token("bot", { expirationSeconds: 4294967296 });
  assert.equal((await tokens.whoami({ token: longest })).code, 201);
});

void test("a token request must mean the ServiceAccount of its URL", async () => {
  const other = await tokens.request("bot", {}, { name: "other" });
  assert.equal(other.code, 422);
  assert.equal(
    other.body.message,
    `TokenRequest.authentication.k8s.io "bot" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified`,
  );
  const elsewhere = await tokens.request("bot", {}, { namespace: "other" });
  assert.equal(elsewhere.code, 400);
  assert.equal(
    elsewhere.body.message,
    "the namespace of the provided object does not match the namespace sent on the request",
  );
  const former = await tokens.request("bot", {}, { uid: "former" });
  assert.equal(former.code, 409);
  assert.equal(
    former.body.message,
    `Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "bot": the UID in the token request (former) does not match the UID of the service account (${bot.metadata.uid})`,
  );
  assert.deepEqual(former.body.details, { name: "bot", group: "authentication.k8s.io", kind: "TokenRequest" });
  const same = await tokens.request("bot", {}, { name: "bot", namespace: "default", uid: bot.metadata.uid });
  assert.equal(same.code, 201);
  const nobody = await tokens.request("nobody");
  assert.equal(nobody.code, 404);
  assert.equal(nobody.body.message, 'serviceaccounts "nobody" not found');
});

void test("a token is asked for by POST, as a TokenRequest without unknown fields", async () => {
  const path = "/api/v1/namespaces/default/serviceaccounts/bot/token";
  for (const method of ["GET", "PUT", "DELETE"]) assert.equal((await subject.ask(method, path)).code, 405, method);
  assert.equal((await subject.ask("POST", path, { apiVersion: "v1", kind: "Pod" })).code, 400);
  assert.equal((await subject.ask("POST", path, { apiVersion: "v1", kind: "TokenRequest" })).code, 400);
  assert.equal((await subject.ask("POST", path, { spec: { audiences: "one" } })).code, 400);
  const strict = await tokens.request("bot", { word: 1 }, {}, "?fieldValidation=Strict");
  assert.equal(strict.code, 400);
  assert.match(strict.body.message, /unknown field "spec.word"/);
  assert.equal((await subject.ask("POST", path, {})).code, 201);
});

void test("a token goes with a Pod of its ServiceAccount, a Secret or a Node, and nothing else", async () => {
  await tokens.pod("strange", "other");
  for (const [boundObjectRef, code, message] of [
    [{ apiVersion: "v1", kind: "Pod", name: "none" }, 404, 'pods "none" not found'],
    [{ apiVersion: "v1", kind: "Secret", name: "none" }, 404, 'secrets "none" not found'],
    [{ apiVersion: "v1", kind: "Node", name: "none" }, 404, 'nodes "none" not found'],
    [
      { apiVersion: "v1", kind: "Pod", name: "strange" },
      400,
      'cannot bind token for serviceaccount "bot" to pod running with different serviceaccount name.',
    ],
    [
      { apiVersion: "v1", kind: "ConfigMap", name: "x" },
      400,
      "cannot bind token to object of type /v1, Kind=ConfigMap",
    ],
    [{ apiVersion: "apps/v1", kind: "Pod", name: "x" }, 400, "cannot bind token to object of type apps/v1, Kind=Pod"],
    [{ name: "x" }, 400, "cannot bind token to object of type /, Kind="],
  ] as const) {
    const answer = await tokens.request("bot", { boundObjectRef });
    assert.deepEqual([answer.code, answer.body.message], [code, message]);
  }
  const pod = await tokens.pod("mine", "bot");
  const reference = { apiVersion: "v1", kind: "Pod", name: "mine" };
  const wrong = await tokens.request("bot", { boundObjectRef: { ...reference, uid: "former" } });
  assert.equal(wrong.code, 409);
  assert.equal(
    wrong.body.message,
    'Operation cannot be fulfilled on Pod "mine": the UID in the bound object reference (former) does not match the UID in record. The object might have been deleted and then recreated',
  );
  assert.deepEqual(wrong.body.details, { name: "mine", kind: "Pod" });
  const right = await tokens.request("bot", { boundObjectRef: { ...reference, uid: pod.metadata.uid } });
  assert.equal(right.code, 201);
  assert.deepEqual(right.body.spec.boundObjectRef, { ...reference, uid: pod.metadata.uid });
});

void test("a Pod's token tells the Pod and where it runs, whether that Node is there or not", async () => {
  const node = await tokens.node("here");
  for (const [name, nodeName, expected] of [
    ["nowhere", undefined, undefined],
    ["lost", "gone", { name: "gone" }],
    ["placed", "here", { name: "here", uid: node.metadata.uid }],
  ] as const) {
    const pod = await tokens.pod(name, "bot", nodeName);
    const token = await tokens.token("bot", {}, { kind: "Pod", name });
    const own = claimsOf(token)["kubernetes.io"];
    assert.deepEqual(own.pod, { name, uid: pod.metadata.uid });
    assert.deepEqual(own.node, expected);
    const { body } = await tokens.whoami({ token });
    const { extra } = body.status.userInfo;
    const said = Object.fromEntries(
      Object.entries(extra as Record<string, string[]>).map(([key, values]) => [key.split("/")[1], values]),
    );
    delete said["credential-id"];
    assert.deepEqual(said, {
      "pod-name": [name],
      "pod-uid": [pod.metadata.uid],
      ...(expected === undefined ? {} : { "node-name": [expected.name] }),
      ...(expected !== undefined && "uid" in expected ? { "node-uid": [expected.uid] } : {}),
    });
  }
});

void test("what kubelet asks for as an hour serves a year, and says when it should have been replaced", async () => {
  await tokens.pod("longer", "bot");
  const bound = { kind: "Pod", name: "longer" };
  const { iat, exp, "kubernetes.io": own } = claimsOf(await tokens.token("bot", { expirationSeconds: 3607 }, bound));
  assert.deepEqual([exp - iat, own.warnafter - iat], [365 * 24 * 3600, 3607]);
  for (const [spec, reference] of [
    [{ expirationSeconds: 3607 }, undefined],
    [{ expirationSeconds: 3600 }, bound],
    [{ expirationSeconds: 3607, audiences: ["vault"] }, bound],
  ] as const) {
    const claims = claimsOf(await tokens.token("bot", spec, reference));
    assert.deepEqual([claims.exp - claims.iat, claims["kubernetes.io"].warnafter], [spec.expirationSeconds, undefined]);
  }
});

for (const kind of ["Pod", "Secret", "Node"] as const) {
  void test(`a token dies with the ${kind} it is bound to, and does not serve its successor`, async () => {
    const name = `dies-${kind.toLowerCase()}`;
    const make = (): Promise<unknown> =>
      kind === "Pod" ? tokens.pod(name, "bot") : kind === "Secret" ? tokens.secret(name) : tokens.node(name);
    await make();
    const token = await tokens.token("bot", {}, { kind, name });
    assert.equal((await tokens.whoami({ token })).code, 201);
    const { code, text } = await tokens.remove(`${kind.toLowerCase()}s`, name);
    assert.equal(code, 200, text);
    const isRefused = async (): Promise<boolean> => (await tokens.whoami({ token })).code === 401;
    await until("the token to be refused", isRefused);
    await make();
    assert.equal((await tokens.whoami({ token })).code, 401);
  });
}

void test("a token dies with its ServiceAccount, and does not serve one of the same name", async () => {
  await tokens.account("short");
  const token = await tokens.token("short");
  assert.equal((await tokens.whoami({ token })).code, 201);
  await tokens.remove("serviceaccounts", "short");
  await until("the token to be refused", async () => (await tokens.whoami({ token })).code === 401);
  await tokens.account("short");
  assert.equal((await tokens.whoami({ token })).code, 401);
  assert.equal((await tokens.whoami({ token: await tokens.token("short") })).code, 201);
});

void test("discovery has tokens below ServiceAccounts, plain and aggregated", async () => {
  const { body } = await subject.ask("GET", "/api/v1");
  assert.deepEqual(
    body.resources.find(({ name }: { name: string }) => name === "serviceaccounts/token"),
    {
      name: "serviceaccounts/token",
      singularName: "",
      namespaced: true,
      group: "authentication.k8s.io",
      version: "v1",
      kind: "TokenRequest",
      verbs: ["create"],
    },
  );
  const accept = "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList";
  const aggregated = await subject.ask("GET", "/api", undefined, { headers: { accept } });
  const { resources } = aggregated.body.items[0].versions[0];
  const accounts = resources.find(({ resource }: { resource: string }) => resource === "serviceaccounts");
  assert.deepEqual(accounts.subresources, [
    {
      subresource: "token",
      responseKind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
      verbs: ["create"],
    },
  ]);
});
