import assert from "node:assert/strict";
import { test } from "node:test";
import { makeClaims, readClaims, untimely } from "./claims.ts";

const NOW = 1_800_000_000;
const base = {
  namespace: "a",
  account: { name: "b", uid: "u" },
  issuer: "https://issuer",
  audiences: ["x"],
  now: NOW,
  lifetime: 600,
  id: "1",
};
const good = JSON.parse(JSON.stringify(makeClaims(base))) as Record<string, unknown>;
const own = good["kubernetes.io"] as object;

void test("what makeClaims writes, readClaims reads", () => {
  for (const more of [
    {},
    { pod: { name: "p", uid: "pu" }, node: { name: "n", uid: "" } },
    { pod: { name: "p", uid: "pu" }, node: { name: "n", uid: "nu" } },
    { secret: { name: "s", uid: "su" } },
    { node: { name: "n", uid: "nu" } },
    { warnAfter: 60 },
  ]) {
    const { warnAfter: _, ...subject } = { warnAfter: 0, ...more };
    assert.deepEqual(readClaims(JSON.parse(JSON.stringify(makeClaims({ ...base, ...more })))), {
      namespace: "a",
      account: { name: "b", uid: "u" },
      ...subject,
      audiences: ["x"],
      expires: NOW + 600,
      issuedAt: NOW,
      notBefore: NOW,
      id: "1",
    });
  }
});

void test("one audience may be written without a list", () => {
  assert.deepEqual(readClaims({ ...good, aud: "x" })?.audiences, ["x"]);
});

void test("claims of a wrong type, or that are missing or contradict each other, void the token", () => {
  const without = (name: string): Record<string, unknown> =>
    Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));
  const bad: [string, Record<string, unknown>][] = [
    ...["aud", "exp", "iat", "nbf", "sub", "kubernetes.io"].map(
      (name) => [`no ${name}`, without(name)] as [string, Record<string, unknown>],
    ),
    ...["1900000000", null, true, [1], Infinity, NaN, 1e300, -1e300].map(
      (exp) => [`exp ${String(exp)}`, { ...good, exp }] as [string, Record<string, unknown>],
    ),
    ["nbf as text", { ...good, nbf: "0" }],
    ["iat as text", { ...good, iat: "0" }],
    ["no audience", { ...good, aud: [] }],
    ["an audience that is no text", { ...good, aud: ["x", 1] }],
    ["jti as number", { ...good, jti: 1 }],
    ["another subject", { ...good, sub: "system:serviceaccount:a:admin" }],
    ["a subject of another namespace", { ...good, sub: "system:serviceaccount:kube-system:b" }],
    ["no ServiceAccount's subject", { ...good, sub: "admin" }],
    ["no namespace", { ...good, "kubernetes.io": { ...own, namespace: undefined } }],
    ["no account", { ...good, "kubernetes.io": { ...own, serviceaccount: undefined } }],
    ["an account without UID", { ...good, "kubernetes.io": { ...own, serviceaccount: { name: "b" } } }],
    ["an empty UID", { ...good, "kubernetes.io": { ...own, serviceaccount: { name: "b", uid: "" } } }],
    ["a pod without UID", { ...good, "kubernetes.io": { ...own, pod: { name: "p" } } }],
    ["a pod that is null", { ...good, "kubernetes.io": { ...own, pod: null } }],
    ["a secret that is a list", { ...good, "kubernetes.io": { ...own, secret: [] } }],
    ["a node without UID", { ...good, "kubernetes.io": { ...own, node: { name: "n" } } }],
    ["words that nobody knows", { ...good, "kubernetes.io": { ...own, pod: { name: "p", uid: "u", x: 1 } } }],
    ["a list", { ...good, "kubernetes.io": [] }],
  ];
  for (const [what, claims] of bad) assert.equal(readClaims(claims), undefined, what);
});

void test("a token serves from a minute before its begin to a minute after its end", () => {
  const times = { issuedAt: NOW, notBefore: NOW, expires: NOW + 600 };
  for (const [now, expected] of [
    [NOW - 61, "service account token is not valid yet"],
    [NOW - 60, undefined],
    [NOW, undefined],
    [NOW + 660, undefined],
    [NOW + 661, "service account token has expired"],
  ] as const) {
    assert.equal(untimely(times, now), expected, String(now - NOW));
  }
  const future = { issuedAt: NOW + 100, notBefore: NOW, expires: NOW + 600 };
  assert.equal(untimely(future, NOW), "service account token is issued in the future");
});
