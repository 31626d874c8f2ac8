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

const user = (token: string) => ({
  username: "system:serviceaccount:default:bot",
  uid: bot.metadata.uid,
  groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
  extra: { "authentication.kubernetes.io/credential-id": [`JTI=${claimsOf(token).jti}`] },
});

void test("a review of a good token says for whom it speaks and for which audience", async () => {
  const token = await tokens.token("bot");
  assert.deepEqual(await tokens.review(token), { authenticated: true, user: user(token), audiences: [ISSUER] });
  assert.deepEqual(await tokens.review(token, ["vault", ISSUER]), {
    authenticated: true,
    user: user(token),
    audiences: [ISSUER],
  });
});

void test("a review knows tokens for others by the audiences it asks for", async () => {
  const token = await tokens.token("bot", { audiences: ["vault", "store"] });
  const said = { authenticated: true, user: user(token) };
  assert.deepEqual(await tokens.review(token, ["vault"]), { ...said, audiences: ["vault"] });
  // In the order asked, not in that of the token.
  for (const audiences of [
    ["store", "vault"],
    ["vault", "store"],
  ]) {
    assert.deepEqual(await tokens.review(token, ["x", ...audiences]), { ...said, audiences });
  }
  assert.deepEqual(await tokens.review(token), {
    user: {},
    error: `[invalid bearer token, token audiences ["vault" "store"] is invalid for the target audiences ["${ISSUER}"]]`,
  });
});

void test("a review of what is no token of ours says just that", async () => {
  for (const token of ["junk", "a.b.c", "a b", "..", `${await tokens.token("bot")}.x`]) {
    assert.deepEqual(await tokens.review(token), { user: {}, error: "invalid bearer token" }, token);
  }
});

void test("a review of a token whose signature is wrong says who refused it", async () => {
  const [header, payload, signature] = (await tokens.token("bot")).split(".");
  const flipped = `${signature![0] === "A" ? "B" : "A"}${signature!.slice(1)}`;
  const status = await tokens.review(`${header}.${payload}.${flipped}`);
  assert.equal(status.authenticated, undefined);
  assert.deepEqual(status.user, {});
  assert.match(status.error, /^\[invalid bearer token, .+\]$/);
});

void test("a review of a token whose ServiceAccount is gone refuses it", async () => {
  await tokens.account("short");
  const token = await tokens.token("short");
  assert.equal((await tokens.review(token)).authenticated, true);
  await tokens.remove("serviceaccounts", "short");
  const status = await until("the token to be refused", async () => {
    const found = await tokens.review(token);
    return found.authenticated === undefined && found;
  });
  assert.deepEqual(status.user, {});
  assert.match(status.error, /^\[invalid bearer token, .+\]$/);
});

void test("a review without a token is refused, and other methods than POST are", async () => {
  const path = "/apis/authentication.k8s.io/v1/tokenreviews";
  for (const body of [{}, { spec: {} }, { spec: { token: "" } }]) {
    const answer = await subject.ask("POST", path, body);
    assert.equal(answer.code, 400);
    assert.equal(answer.body.message, "token is required for TokenReview in authentication");
  }
  assert.equal((await subject.ask("GET", path)).code, 405);
});

void test("a review's answer is the question with its answer: nothing of it is kept back", async () => {
  const token = await tokens.token("bot");
  const asked = { metadata: { labels: { a: "b" } }, spec: { token, audiences: [ISSUER] } };
  const { body } = await subject.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", asked);
  assert.deepEqual([body.apiVersion, body.kind], ["authentication.k8s.io/v1", "TokenReview"]);
  assert.deepEqual(body.spec, asked.spec);
  assert.deepEqual(body.metadata.labels, { a: "b" });
  assert.equal(body.status.authenticated, true);
});

void test("discovery has the questions about who one is", async () => {
  const { body } = await subject.ask("GET", "/apis/authentication.k8s.io/v1");
  assert.deepEqual(
    body.resources.map(({ name, kind, namespaced, verbs }: Record<string, unknown>) => [name, kind, namespaced, verbs]),
    [
      ["selfsubjectreviews", "SelfSubjectReview", false, ["create"]],
      ["tokenreviews", "TokenReview", false, ["create"]],
    ],
  );
});
