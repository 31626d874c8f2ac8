import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

/** The signatures we make and accept (RFC 7518, section 3.1). Which of them a key makes is decided by the key, never by a token. */
const ALGORITHMS = {
  RS256: { hash: "sha256", curve: undefined },
  ES256: { hash: "sha256", curve: "prime256v1" },
  ES384: { hash: "sha384", curve: "secp384r1" },
  ES512: { hash: "sha512", curve: "secp521r1" },
} as const;

export type Algorithm = keyof typeof ALGORITHMS;

export const hashOf = (algorithm: Algorithm): string => ALGORITHMS[algorithm].hash;

/** A key by which tokens are believed. */
export interface VerifyingKey {
  /** The key's own digest, as Kubernetes names keys: base64url of SHA-256 over its SPKI. */
  readonly id: string;
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

export interface SigningKey extends VerifyingKey {
  readonly privateKey: KeyObject;
}

/** RSA keys shorter than this can be broken (RFC 7518, section 3.3). */
const LEAST_RSA_BITS = 2048;

function algorithmOf(key: KeyObject): Algorithm {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa" && modulusLength >= LEAST_RSA_BITS) return "RS256";
  for (const algorithm of ["ES256", "ES384", "ES512"] as const) {
    if (key.asymmetricKeyType === "ec" && ALGORITHMS[algorithm].curve === namedCurve) return algorithm;
  }
  const found = [key.asymmetricKeyType, namedCurve ?? (modulusLength > 0 ? `${modulusLength} bits` : undefined)];
  throw new TypeError(
    `reading a key for ServiceAccount tokens: it is ${found.filter(Boolean).join(", ")}; it should be RSA of ${LEAST_RSA_BITS} bits or more, or EC on P-256, P-384 or P-521`,
  );
}

function verifyingKey(key: KeyObject): VerifyingKey {
  const spki = key.export({ format: "der", type: "spki" });
  return { id: createHash("sha256").update(spki).digest("base64url"), algorithm: algorithmOf(key), key };
}

/** Reads a public key, or the public half of a private one. @throws TypeError for a key of another kind */
export const readVerifyingKey = (pem: string): VerifyingKey => verifyingKey(createPublicKey(pem));

/** @throws TypeError for a key of another kind */
export function readSigningKey(pem: string): SigningKey {
  const privateKey = createPrivateKey(pem);
  return { ...verifyingKey(createPublicKey(privateKey)), privateKey };
}

/** A new signing key as PKCS #8 PEM: P-256, made in a millisecond where RSA takes a hundred. */
export const newSigningKey = (): string =>
  generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).privateKey;

/** The public half of a private key as SPKI PEM. */
export const publicHalf = (pem: string): string =>
  createPublicKey(createPrivateKey(pem)).export({ format: "pem", type: "spki" });
