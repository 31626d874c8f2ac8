import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { readToken, signToken } from "./jws.ts";
import { newSigningKey, publicHalf, readSigningKey, readVerifyingKey, type SigningKey } from "./keys.ts";

const pem = newSigningKey();
const key = readSigningKey(pem);
const claims = { iss: "https://issuer", sub: "system:serviceaccount:a:b", exp: 2_000_000_000, aud: ["x"] };

const encode = (text: string): string => Buffer.from(text).toString("base64url");
const accepted = (token: string, keys = [readVerifyingKey(publicHalf(pem))]): unknown =>
  readToken(token)?.verifiedBy(keys);

/** Header and payload as they stand, well signed by the key. */
function signedText(header: string, payload: string, by: SigningKey = key): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  const signature = sign("sha256", Buffer.from(signed), { key: by.privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

const HEADER = JSON.stringify({ alg: "ES256", kid: key.id });
const PAYLOAD = JSON.stringify(claims);

void test("a token that the key signed is read, with the key's name in its header or without", () => {
  assert.deepEqual(accepted(signToken(claims, key)), claims);
  for (const header of [HEADER, '{"alg":"ES256"}', `{"typ":"JWT","alg":"ES256","kid":"${key.id}"}`]) {
    assert.deepEqual(accepted(signedText(header, PAYLOAD)), claims, header);
  }
});

void test("every kind of key signs by its own algorithm, and its tokens are read by its public half", () => {
  const privateKeyEncoding = { type: "pkcs8", format: "pem" } as const;
  const publicKeyEncoding = { type: "spki", format: "pem" } as const;
  const pairs = {
    RS256: generateKeyPairSync("rsa", { modulusLength: 2048, privateKeyEncoding, publicKeyEncoding }),
    ES256: generateKeyPairSync("ec", { namedCurve: "P-256", privateKeyEncoding, publicKeyEncoding }),
    ES384: generateKeyPairSync("ec", { namedCurve: "P-384", privateKeyEncoding, publicKeyEncoding }),
    ES512: generateKeyPairSync("ec", { namedCurve: "P-521", privateKeyEncoding, publicKeyEncoding }),
  };
  const all = Object.values(pairs).map(({ publicKey }) => readVerifyingKey(publicKey));
  for (const [algorithm, { privateKey, publicKey }] of Object.entries(pairs)) {
    const token = signToken(claims, readSigningKey(privateKey));
    const header = JSON.parse(Buffer.from(token.split(".")[0]!, "base64url").toString()) as { alg: string };
    assert.equal(header.alg, algorithm);
    assert.deepEqual(accepted(token, all), claims);
    const others = all.filter(({ id }) => id !== readVerifyingKey(publicKey).id);
    assert.equal(accepted(token, others), undefined, `${algorithm}, by other keys`);
  }
});

void test("keys that are too weak or of another kind are refused in words", () => {
  const privateKeyEncoding = { type: "pkcs8", format: "pem" } as const;
  const publicKeyEncoding = { type: "spki", format: "pem" } as const;
  const short = generateKeyPairSync("rsa", { modulusLength: 1024, privateKeyEncoding, publicKeyEncoding });
  const strange = generateKeyPairSync("ed25519", { privateKeyEncoding, publicKeyEncoding });
  const curve = generateKeyPairSync("ec", { namedCurve: "secp256k1", privateKeyEncoding, publicKeyEncoding });
  assert.throws(() => readSigningKey(short.privateKey), /it is rsa, 1024 bits; it should be RSA of 2048 bits or more/);
  assert.throws(() => readSigningKey(strange.privateKey), /it is ed25519; it should be/);
  assert.throws(() => readSigningKey(curve.privateKey), /it is ec, secp256k1; it should be/);
});

void test("a header that asks for anything but the key's own signature is refused", () => {
  const unsigned = (header: string): string => `${encode(header)}.${encode(PAYLOAD)}.`;
  for (const header of ['{"alg":"none"}', '{"alg":"None"}', '{"alg":""}', "{}", '{"alg":"ES256"}']) {
    assert.equal(accepted(unsigned(header)), undefined, header);
    assert.equal(accepted(`${unsigned(header)}AA`), undefined, header);
  }
  for (const header of [
    '{"alg":"none"}',
    '{"alg":"ES384"}',
    '{"alg":"RS256"}',
    '{"alg":["ES256"]}',
    '{"alg":null}',
    "{}",
    '{"alg":"ES256","kid":"other"}',
    '{"alg":"ES256","kid":7}',
    '{"alg":"ES256","typ":"JWE"}',
    '{"alg":"ES256","crit":["exp"],"exp":1}',
    '{"alg":"ES256","b64":false,"crit":["b64"]}',
    `{"alg":"ES256","jwk":${JSON.stringify(key.key.export({ format: "jwk" }))}}`,
    '{"alg":"ES256","jku":"https://evil"}',
    '{"alg":"ES256","x5u":"https://evil"}',
    '["ES256"]',
    "null",
  ]) {
    assert.equal(accepted(signedText(header, PAYLOAD)), undefined, header);
  }
});

void test("the public key is no secret to sign by (HS256)", () => {
  for (const secret of [publicHalf(pem), key.key.export({ format: "der", type: "spki" })]) {
    for (const alg of ["HS256", "ES256"]) {
      const signed = `${encode(JSON.stringify({ alg, kid: key.id }))}.${encode(PAYLOAD)}`;
      const signature = createHmac("sha256", secret).update(signed).digest("base64url");
      assert.equal(accepted(`${signed}.${signature}`), undefined, alg);
    }
  }
});

void test("another key's signature is refused, whoever it says it is", () => {
  assert.equal(accepted(signedText(HEADER, PAYLOAD, readSigningKey(newSigningKey()))), undefined);
});

void test("a signature in DER is none, nor is one cut short, lengthened, or of nothing but zeros", () => {
  const signed = `${encode(HEADER)}.${encode(PAYLOAD)}`;
  const der = sign("sha256", Buffer.from(signed), key.privateKey).toString("base64url");
  assert.equal(accepted(`${signed}.${der}`), undefined);
  const raw = Buffer.from(signedText(HEADER, PAYLOAD).split(".")[2]!, "base64url");
  for (const bytes of [
    raw.subarray(1),
    raw.subarray(0, -1),
    Buffer.concat([raw, Buffer.alloc(1)]),
    Buffer.alloc(64),
    Buffer.alloc(64, 1),
  ]) {
    assert.equal(accepted(`${signed}.${bytes.toString("base64url")}`), undefined);
  }
});

void test("repeated keys are refused, in header and claims and below, also when they are escaped", () => {
  for (const payload of [
    '{"iss":"a","iss":"b"}',
    '{"iss":"a","\\u0069ss":"b"}',
    '{"iss":"a","kubernetes.io":{"namespace":"a","namespace":"b"}}',
    '{"iss":"a","list":[{"x":1,"x":1}]}',
    '{"__proto__":1,"__proto__":2}',
  ]) {
    assert.equal(accepted(signedText(HEADER, payload)), undefined, payload);
  }
  assert.equal(accepted(signedText('{"alg":"ES256","alg":"ES256"}', PAYLOAD)), undefined);
  for (const payload of ['{"iss":"a","b":["a\\":","b"]}', '{ "iss" : "\\"x\\":" , "a" : { "a" : {} } }']) {
    assert.deepEqual(accepted(signedText(HEADER, payload)), JSON.parse(payload));
  }
});

void test("claims that are no JSON object of valid text are refused, however well they are signed", () => {
  for (const payload of ["", "null", "[]", '"x"', "7", "{", "{}x", '{"a":1,}', "\u0000"]) {
    assert.equal(accepted(signedText(HEADER, payload)), undefined, payload);
  }
  const signed = `${encode(HEADER)}.${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString("base64url")}`;
  const signature = sign("sha256", Buffer.from(signed), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  assert.equal(accepted(`${signed}.${signature.toString("base64url")}`), undefined, "no UTF-8");
});

void test("what is too long, too deep or has too many parts is refused at once", () => {
  const long = signToken({ ...claims, long: "x".repeat(40_000) }, key);
  const deep = signedText(HEADER, `{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`);
  for (const token of [long, deep, ".".repeat(1_000_000), `${signToken(claims, key)}.`, "", "..", "a"]) {
    const began = performance.now();
    assert.equal(accepted(token), undefined);
    assert.ok(performance.now() - began < 500);
  }
});

void test("no other writing of a token is read: padding, another alphabet, stray bits, space", () => {
  const token = signToken(claims, key);
  const parts = token.split(".");
  for (const index of [0, 1, 2]) {
    const part = parts[index]!;
    const alike = [`${part}=`, `${part}==`, ` ${part}`, `${part}\n`, part.replaceAll("_", "/").replaceAll("-", "+")];
    // The last sign of a part may hold bits that no byte has.
    const last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const bytes = Buffer.from(part, "base64url");
    alike.push(
      ...last
        .split("")
        .map((sign_) => part.slice(0, -1) + sign_)
        .filter((other) => other !== part && Buffer.from(other, "base64url").equals(bytes)),
    );
    for (const other of alike.filter((text) => text !== part)) {
      assert.equal(accepted(parts.with(index, other).join(".")), undefined, other);
    }
  }
});

void test("no token that differs from a good one in any way is accepted", () => {
  const token = signToken(claims, key);
  const anywhere = fc.nat(token.length - 1);
  const change = fc.oneof(
    fc.tuple(anywhere, fc.string({ minLength: 1, maxLength: 3 })).map(([at, text]) => [at, 1, text] as const),
    fc.tuple(anywhere, fc.string({ minLength: 1, maxLength: 8 })).map(([at, text]) => [at, 0, text] as const),
    fc.tuple(anywhere, fc.integer({ min: 1, max: 8 })).map(([at, count]) => [at, count, ""] as const),
    fc.tuple(anywhere, fc.constantFrom(..."ABCDwxyz0189-_.=+/".split(""))).map(([at, text]) => [at, 1, text] as const),
  );
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      let mutated = token;
      for (const [at, count, text] of changes) mutated = mutated.slice(0, at) + text + mutated.slice(at + count);
      if (mutated !== token) assert.equal(accepted(mutated), undefined);
    }),
    { numRuns: 3000 },
  );
});

void test("no claims but those that were signed are accepted", () => {
  const [header, , signature] = signToken(claims, key).split(".");
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (others) => {
      const payload = encode(JSON.stringify({ ...claims, ...others, sub: "system:admin" }));
      assert.equal(accepted(`${header}.${payload}.${signature}`), undefined);
    }),
  );
});
