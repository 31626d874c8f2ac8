import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { connect } from "node:http2";
import { after, before, test } from "node:test";
import { makeClaims, type ClaimsToMake } from "../../src/apiserver/tokens/claims.ts";
import { signToken } from "../../src/apiserver/tokens/jws.ts";
import { newSigningKey, publicHalf, readSigningKey } from "../../src/apiserver/tokens/keys.ts";
import { systemClock } from "../../src/observe/clock.ts";
import { createCluster, type Cluster } from "./cluster.ts";

const ISSUER = "https://issuer.example";
const pem = newSigningKey();
const key = readSigningKey(pem);
const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;

let cluster: Cluster;
let uid: string;
/** Seconds by which the server's clock is ahead. */
let ahead = 0;
before(async () => {
  cluster = await createCluster({
    serviceAccountTokens: { issuers: [ISSUER], signingKey: pem, longestLife: DAY, jwksUri: "https://x" },
    clock: { ...systemClock, now: () => Date.now() + ahead * 1000 },
  });
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  uid = (await cluster.ask("POST", accounts, { metadata: { name: "bot" } })).body.metadata.uid;
});
after(() => cluster.close());

const claims = (more: Partial<ClaimsToMake> = {}): object =>
  makeClaims({
    namespace: "default",
    account: { name: "bot", uid },
    issuer: ISSUER,
    audiences: [ISSUER],
    now: Math.floor(Date.now() / 1000),
    lifetime: 60 * MINUTE,
    id: "1",
    ...more,
  });

const codeFor = async (token: string): Promise<number> => {
  const headers = { authorization: `Bearer ${token}` };
  return (await cluster.ask("GET", "/api/v1/namespaces", undefined, { as: "anonymous", headers })).code;
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

void test("a server refuses every token but one that its key signed for it, now, for somebody there is", async () => {
  const now = Math.floor(Date.now() / 1000);
  const good = signToken(claims(), key);
  assert.equal(await codeFor(good), 200);
  const [header, payload, signature] = good.split(".") as [string, string, string];
  const unsigned = `${encode({ alg: "HS256", kid: key.id })}.${payload}`;
  const hmac = createHmac("sha256", publicHalf(pem)).update(unsigned).digest("base64url");
  const bad: Record<string, string> = {
    "no algorithm": `${encode({ alg: "none" })}.${payload}.`,
    "no algorithm, with a signature": `${encode({ alg: "none" })}.${payload}.${signature}`,
    "HS256 by the public key": `${unsigned}.${hmac}`,
    "claims put in": `${header}.${encode({ ...claims(), sub: "system:serviceaccount:kube-system:admin" })}.${signature}`,
    "another key": signToken(claims(), readSigningKey(newSigningKey())),
    "another issuer": signToken(claims({ issuer: "https://other.example" }), key),
    "the issuer of Secrets": signToken(claims({ issuer: "kubernetes/serviceaccount" }), key),
    "another audience": signToken(claims({ audiences: ["vault"] }), key),
    "no audience": signToken({ ...claims(), aud: [] }, key),
    ended: signToken(claims({ now: now - 2 * DAY }), key),
    "not begun": signToken(claims({ now: now + 5 * MINUTE }), key),
    "never ending": signToken({ ...claims(), exp: undefined }, key),
    "ending beyond all clocks": signToken({ ...claims(), exp: 1e300 }, key),
    "another ServiceAccount": signToken(claims({ account: { name: "nobody", uid } }), key),
    "a former ServiceAccount": signToken(claims({ account: { name: "bot", uid: "former" } }), key),
    "another namespace": signToken(claims({ namespace: "kube-system" }), key),
    "a Pod that is gone": signToken(claims({ pod: { name: "p", uid: "u" } }), key),
    "a path for a name": signToken(claims({ account: { name: "../default/bot", uid } }), key),
    "a name of every object": signToken(claims({ namespace: "__proto__" }), key),
    "too long": signToken({ ...claims(), long: "x".repeat(30_000) }, key),
    padding: `${good}=`,
    "a part more": `${good}.${signature}`,
  };
  for (const [what, token] of Object.entries(bad)) assert.equal(await codeFor(token), 401, what);
  assert.equal(await codeFor(good), 200);
});

void test("a token is judged at each request of a connection, whatever came before", async () => {
  const session = connect(`https://127.0.0.1:${cluster.port}`, {
    ca: cluster.ca,
    checkServerIdentity: () => undefined,
  });
  const ask = (headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ":path": "/api/v1/namespaces", ...headers });
      stream.once("response", (answer) => resolve(Number(answer[":status"])));
      stream.once("error", reject);
      stream.resume();
      stream.end();
    });
  const authorization = `Bearer ${signToken(claims(), key)}`;
  try {
    assert.equal(await ask({ authorization }), 200);
    assert.equal(await ask({}), 403);
    assert.equal(await ask({ authorization: `${authorization}x` }), 401);
    assert.equal(await ask({ authorization }), 200);
    ahead = 60 * MINUTE + 61;
    assert.equal(await ask({ authorization }), 401, "ended meanwhile");
  } finally {
    ahead = 0;
    session.close();
  }
});

void test("the time of tokens and certificates is that of the server's clock, also when it jumps", async () => {
  const token = signToken(claims(), key);
  const whoami = async (): Promise<number> => (await cluster.ask("GET", "/api/v1/namespaces")).code;
  assert.deepEqual([await codeFor(token), await whoami()], [200, 200]);
  try {
    // The certificates of this test began in 2020 and end in a day.
    ahead = -20 * 365 * DAY;
    assert.deepEqual([await codeFor(token), await whoami()], [401, 401], "not begun");
    ahead = 2 * DAY;
    assert.deepEqual([await codeFor(token), await whoami()], [401, 401], "ended");
  } finally {
    ahead = 0;
  }
  assert.deepEqual([await codeFor(token), await whoami()], [200, 200], "the clock is right again");
});

void test("a life longer than the longest is shortened, and it is said", async () => {
  const path = "/api/v1/namespaces/default/serviceaccounts/bot/token";
  const { code, body, headers } = await cluster.ask("POST", path, { spec: { expirationSeconds: 30 * DAY } });
  assert.equal(code, 201);
  assert.equal(body.spec.expirationSeconds, DAY);
  assert.equal(headers["warning"], `299 - "requested expiration of ${30 * DAY} seconds shortened to ${DAY} seconds"`);
});

void test("a review of nothing but a space finds no token in it", async () => {
  const { code, body } = await cluster.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
    spec: { token: " " },
  });
  assert.equal(code, 201);
  assert.deepEqual(body.status, { user: {}, error: "invalid bearer token" });
});
