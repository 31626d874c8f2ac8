import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { cookieKeys } from "../../../test/ingress/plans.ts";
import { tokenOf, tokensOf } from "./token.ts";

const [key, former] = cookieKeys(1, 2) as [Uint8Array, Uint8Array];

void test("CTL-165: a token is an HMAC: 16 bytes in base64url, of which nobody reads the endpoint", () => {
  const token = tokenOf(key, "10.0.0.7:8080");
  match(token, /^[A-Za-z0-9_-]{22}$/);
  equal(
    token,
    createHmac("sha256", Buffer.alloc(32, 1)).update("10.0.0.7:8080").digest().subarray(0, 16).toString("base64url"),
  );
  notEqual(token, tokenOf(former, "10.0.0.7:8080"));
  notEqual(token, tokenOf(key, "10.0.0.7:8081"));
});

void test("the first token is the current key's; asked again, the list is the same one", () => {
  const tokens = tokensOf([key, former]);
  deepEqual(tokens("uid"), [tokenOf(key, "uid"), tokenOf(former, "uid")]);
  equal(tokens("uid"), tokens("uid"));
  deepEqual(tokensOf([])("uid"), []);
});

void test("of very many endpoints only so many are remembered", () => {
  const tokens = tokensOf([key]);
  const first = tokens("0");
  for (let at = 1; at <= 50_000; at++) tokens(String(at));
  ok(tokens("0") !== first);
  deepEqual(tokens("0"), first);
});
