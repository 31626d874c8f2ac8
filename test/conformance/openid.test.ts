import assert from "node:assert/strict";
import { createHash, createPublicKey, verify, type webcrypto } from "node:crypto";
import { after, before, test } from "node:test";
import { startSubject, type Subject } from "./subject.ts";
import { ISSUER, tokensOf } from "./tokens.ts";

let subject: Subject;
before(async () => {
  subject = await startSubject();
});
after(() => subject.close());

const KEYS = "/openid/v1/jwks";
const CONFIGURATION = "/.well-known/openid-configuration";

void test("the issuer tells where its keys are, and how they sign", async () => {
  const { code, body, headers } = await subject.ask("GET", CONFIGURATION);
  assert.equal(code, 200);
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["cache-control"], "public, max-age=3600");
  const { jwks_uri, id_token_signing_alg_values_supported: algorithms, ...rest } = body;
  assert.deepEqual(rest, {
    issuer: ISSUER,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
  });
  assert.match(jwks_uri, /^https:\/\/10\.244\.0\.1:\d+\/openid\/v1\/jwks$/);
  const { keys } = (await subject.ask("GET", KEYS)).body;
  assert.deepEqual(
    algorithms,
    keys.map(({ alg }: { alg: string }) => alg),
  );
});

void test("a token can be verified by the keys that are told", async () => {
  const tokens = tokensOf(subject);
  await tokens.account("bot");
  const [header, payload, signature] = (await tokens.token("bot")).split(".");
  const { kid, alg } = JSON.parse(Buffer.from(header!, "base64url").toString()) as { kid: string; alg: string };
  const { code, body, headers } = await subject.ask("GET", KEYS);
  assert.equal(code, 200);
  assert.equal(headers["content-type"], "application/jwk-set+json");
  assert.equal(headers["cache-control"], "public, max-age=3600");
  const found = body.keys.find((key: { kid: string }) => key.kid === kid) as webcrypto.JsonWebKey & {
    use: string;
    alg: string;
  };
  assert.deepEqual([found.use, found.alg, "d" in found], ["sig", alg, false]);
  const key = createPublicKey({ key: found, format: "jwk" });
  const spki = key.export({ format: "der", type: "spki" });
  assert.equal(kid, createHash("sha256").update(spki).digest("base64url"), "a key is named by its digest");
  assert.ok(
    verify(
      "sha256",
      Buffer.from(`${header}.${payload}`),
      { key, dsaEncoding: "ieee-p1363" },
      Buffer.from(signature!, "base64url"),
    ),
  );
});

void test("the keys are only told, and not to nobody", async () => {
  for (const path of [KEYS, CONFIGURATION]) {
    for (const method of ["POST", "PUT", "DELETE"]) assert.equal((await subject.ask(method, path)).code, 405);
    assert.equal((await subject.ask("GET", `${path}/`)).code, 200);
    const { code, body } = await subject.ask("GET", path, undefined, { as: "anonymous" });
    assert.equal(code, 403);
    assert.equal(body.message, `forbidden: User "system:anonymous" cannot get path "${path}"`);
  }
});
