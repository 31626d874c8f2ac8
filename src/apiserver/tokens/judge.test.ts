import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../../api/object.ts";
import { createTokenAuthority, type TokenAuthorityOptions } from "./authority.ts";
import { makeClaims, type ClaimsToMake } from "./claims.ts";
import { judgeServiceAccountToken, type Find } from "./judge.ts";
import { newSigningKey, publicHalf } from "./keys.ts";
import { legacySigner } from "./legacy.ts";

const NOW = 1_800_000_000;
const ISSUER = "https://issuer";
const signingKey = newSigningKey();
const options: TokenAuthorityOptions = { issuers: [ISSUER], signingKey, jwksUri: "https://x" };
const authority = createTokenAuthority(options);

type Objects = Record<string, Partial<KubeObject["metadata"]> & { data?: Record<string, string> }>;
const there: Objects = {
  "serviceaccounts a/b": { uid: "u" },
  "pods a/p": { uid: "pu" },
  "secrets a/s": { uid: "su" },
  "nodes n": { uid: "nu" },
};
const finds =
  (objects: Objects): Find =>
  ({ plural, kind }, { namespace, name }) => {
    const found = objects[`${plural} ${namespace === undefined ? "" : `${namespace}/`}${name}`];
    if (found === undefined) return undefined;
    const { data, ...metadata } = found;
    const object: KubeObject & { data?: unknown } = { apiVersion: "v1", kind, metadata: { name, ...metadata } };
    return data === undefined ? object : { ...object, data };
  };

const claims = (more: Partial<ClaimsToMake> = {}): object =>
  makeClaims({
    namespace: "a",
    account: { name: "b", uid: "u" },
    issuer: ISSUER,
    audiences: [ISSUER],
    now: NOW,
    lifetime: 600,
    id: "1",
    ...more,
  });

const judge = (
  token: string,
  { objects = there, audiences = [ISSUER], by = authority, seconds = NOW } = {},
): string => {
  const verdict = judgeServiceAccountToken(token, audiences, by, finds(objects), seconds * 1000);
  if (verdict === undefined) return "unknown";
  return "refused" in verdict ? verdict.refused : `${verdict.identity.user} for ${verdict.audiences.join()}`;
};

const ACCEPTED = `system:serviceaccount:a:b for ${ISSUER}`;
const without = (key: string): Objects => Object.fromEntries(Object.entries(there).filter(([name]) => name !== key));

void test("a good token is accepted, the first time and from memory", () => {
  const token = authority.sign(claims());
  for (let count = 0; count < 3; count += 1) assert.equal(judge(token), ACCEPTED);
});

void test("time, objects and audiences are looked at again although the signature is remembered", () => {
  const token = authority.sign(claims({ pod: { name: "p", uid: "pu" } }));
  assert.equal(judge(token), ACCEPTED);
  assert.equal(judge(token, { seconds: NOW + 661 }), "service account token has expired");
  assert.equal(judge(token, { seconds: NOW - 61 }), "service account token is not valid yet");
  assert.match(judge(token, { objects: without("pods a/p") }), /Pod a\/p is gone$/);
  assert.match(judge(token, { audiences: ["vault"] }), /is invalid for the target audiences \["vault"\]$/);
  assert.equal(judge(token), ACCEPTED);
});

for (const [what, key, more] of [
  ["ServiceAccount", "serviceaccounts a/b", {}],
  ["Pod", "pods a/p", { pod: { name: "p", uid: "pu" } }],
  ["Secret", "secrets a/s", { secret: { name: "s", uid: "su" } }],
  ["Node", "nodes n", { node: { name: "n", uid: "nu" } }],
] as [string, string, Partial<ClaimsToMake>][]) {
  void test(`a token is refused when its ${what} is gone, is another one, or has been on its way out for a minute`, () => {
    const token = authority.sign(claims(more));
    assert.equal(judge(token), ACCEPTED);
    assert.match(judge(token, { objects: without(key) }), /is gone$/);
    assert.match(judge(token, { objects: { ...there, [key]: { uid: "other" } } }), /is another one, with UID other$/);
    const leaving = (seconds: number): Objects => ({
      ...there,
      [key]: { ...there[key], deletionTimestamp: new Date((NOW - seconds) * 1000).toISOString() },
    });
    assert.equal(judge(token, { objects: leaving(60) }), ACCEPTED);
    assert.match(judge(token, { objects: leaving(61) }), /is being deleted$/);
  });
}

void test("a Pod's token does not die with the Node it tells", () => {
  const token = authority.sign(claims({ pod: { name: "p", uid: "pu" }, node: { name: "n", uid: "nu" } }));
  assert.equal(judge(token, { objects: without("nodes n") }), ACCEPTED);
});

void test("another issuer's token is none of ours, though our key signed it", () => {
  for (const issuer of ["https://other", "", `${ISSUER}/`, ISSUER.toUpperCase()]) {
    assert.equal(judge(authority.sign(claims({ issuer }))), "unknown", issuer);
  }
  for (const iss of [[ISSUER], null, 7]) assert.equal(judge(authority.sign({ ...claims(), iss })), "unknown");
});

void test("a token of ours by another key is refused", () => {
  const other = createTokenAuthority({ ...options, signingKey: newSigningKey() });
  assert.equal(judge(other.sign(claims())), "invalid signature");
});

void test("a token with an end that no clock reaches is void; the longest that is given is not", () => {
  assert.equal(judge(authority.sign(claims({ lifetime: 2 ** 32 }))), ACCEPTED);
  const text = JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e400');
  assert.equal(JSON.parse(text).exp, Infinity);
  assert.match(judge(authority.sign({ ...claims(), exp: 1e300 })), /could not be validated$/);
});

void test("keys can be replaced: old tokens serve for as long as the old key is believed", () => {
  const old = authority.sign(claims());
  const next = newSigningKey();
  const both = createTokenAuthority({ ...options, signingKey: next, keys: [publicHalf(signingKey), publicHalf(next)] });
  assert.equal(both.keys.length, 2);
  assert.equal(judge(old, { by: both }), ACCEPTED);
  const fresh = both.sign(claims());
  assert.equal(judge(fresh, { by: both }), ACCEPTED);
  assert.equal(judge(fresh), "invalid signature");
  assert.equal(judge(old, { by: createTokenAuthority({ ...options, signingKey: next }) }), "invalid signature");
});

void test("issuers can be replaced: the first is written, all are believed", () => {
  const moved = createTokenAuthority({ ...options, issuers: ["https://new", ISSUER] });
  assert.equal(moved.issuer, "https://new");
  assert.deepEqual(moved.audiences, ["https://new", ISSUER]);
  assert.equal(judge(authority.sign(claims()), { by: moved }), ACCEPTED);
});

void test("a Secret's token is good while it lies there unmarked, and its ServiceAccount is the same", () => {
  const token = legacySigner(signingKey)({ namespace: "a", account: { name: "b", uid: "u" }, secret: "s" });
  const lies = (metadata: object = {}, text = token): Objects => ({
    ...there,
    "secrets a/s": { ...metadata, data: { token: Buffer.from(text).toString("base64") } },
  });
  assert.equal(judge(token, { objects: lies() }), ACCEPTED);
  assert.match(judge(token, { objects: lies(), audiences: ["vault"] }), /is invalid for the target audiences/);
  assert.equal(judge(token), "Token does not match server's copy");
  assert.equal(judge(token, { objects: lies({}, `${token}x`) }), "Token does not match server's copy");
  assert.equal(judge(token, { objects: without("secrets a/s") }), "Token has been invalidated");
  const leaving = lies({ deletionTimestamp: new Date(NOW * 1000).toISOString() });
  assert.equal(judge(token, { objects: leaving }), "Token has been invalidated");
  const { "serviceaccounts a/b": _, ...orphaned } = lies();
  assert.match(judge(token, { objects: orphaned }), /is gone$/);
  assert.match(judge(token, { objects: { ...lies(), "serviceaccounts a/b": { uid: "v" } } }), /is another one/);
  const marked = lies({ labels: { "kubernetes.io/legacy-token-invalid-since": "2026-01-01" } });
  assert.match(judge(token, { objects: marked }), /marked invalid since 2026-01-01$/);
});

void test("claims of the one kind under the issuer of the other are void", () => {
  assert.match(judge(authority.sign(claims({ issuer: "kubernetes/serviceaccount" }))), /could not be validated$/);
});

void test("an authority without an issuer is refused", () => {
  for (const issuers of [[], [""], [ISSUER, ""]]) {
    assert.throws(() => createTokenAuthority({ ...options, issuers }), /the issuer of ServiceAccount tokens is empty/);
  }
});
