import { sign, verify } from "node:crypto";
import { hashOf, type SigningKey, type VerifyingKey } from "./keys.ts";

/** Longest token that is looked at. */
const MAXIMUM_TOKEN = 32 * 1024;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** ECDSA signatures are the two numbers side by side (RFC 7518, section 3.4), not DER. RSA is not affected. */
const ENCODING = { dsaEncoding: "ieee-p1363" } as const;

/** A JSON Web Signature in compact form (RFC 7515, section 7.1) over the claims. */
export function signToken(claims: object, { id, algorithm, privateKey }: SigningKey): string {
  const signed = `${encode({ alg: algorithm, kid: id })}.${encode(claims)}`;
  const signature = sign(hashOf(algorithm), Buffer.from(signed), { key: privateKey, ...ENCODING });
  return `${signed}.${signature.toString("base64url")}`;
}

/** Only the one canonical writing of bytes is read: else one token would have many texts. */
function bytesOf(segment: string): Buffer | undefined {
  const bytes = Buffer.from(segment, "base64url");
  return bytes.length > 0 && bytes.toString("base64url") === segment ? bytes : undefined;
}

const STRING = /"(?:[^"\\]|\\.)*"(\s*:)?/gs;

/** Deeper than anybody nests claims. */
const MAXIMUM_DEPTH = 16;

/** How many keys all objects of a value have together; NaN for one that is too deep to be looked into. */
function keysIn(value: unknown, depth = 0): number {
  if (typeof value !== "object" || value === null) return 0;
  if (depth > MAXIMUM_DEPTH) return NaN;
  const below = Object.values(value).reduce<number>((sum, item) => sum + keysIn(item, depth + 1), 0);
  return Array.isArray(value) ? below : below + Object.keys(value).length;
}

/** A JSON object without repeated keys, of which two readers may see different ones (RFC 7515, section 4). */
function objectOf(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  const text = bytes.toString("utf8");
  if (!Buffer.from(text).equals(bytes)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    let written = 0;
    for (const [, colon] of text.matchAll(STRING)) if (colon !== undefined) written += 1;
    return written === keysIn(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    // It is no JSON.
    return undefined;
  }
}

interface Parts {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly signed: string;
  readonly signature: Buffer;
}

function split(token: string): Parts | undefined {
  if (token.length > MAXIMUM_TOKEN) return undefined;
  const segments = token.split(".", 4);
  if (segments.length !== 3) return undefined;
  const [header, payload, signature] = segments.map(bytesOf);
  if (header === undefined || payload === undefined || signature === undefined) return undefined;
  const read = { header: objectOf(header), payload: objectOf(payload) };
  if (read.header === undefined || read.payload === undefined) return undefined;
  return { header: read.header, payload: read.payload, signed: `${segments[0]}.${segments[1]}`, signature };
}

/** What is known of a token whose text is well formed, before its signature is looked at: nothing in it may be believed. */
export interface UnverifiedToken {
  readonly issuer: unknown;
  /** The claims, when one of the keys signed them; undefined when none did. */
  verifiedBy(keys: readonly VerifyingKey[]): Readonly<Record<string, unknown>> | undefined;
}

/** True for a header that asks for nothing but to be verified by the key: unknown words could change what is signed. */
function isFor({ alg, kid, typ, ...others }: Readonly<Record<string, unknown>>, key: VerifyingKey): boolean {
  if (Object.keys(others).length > 0) return false;
  return alg === key.algorithm && (kid === undefined || kid === key.id) && (typ === undefined || typ === "JWT");
}

/** Reads a token's text; undefined for what is no JSON Web Signature at all. */
export function readToken(token: string): UnverifiedToken | undefined {
  const parts = split(token);
  if (parts === undefined) return undefined;
  const { header, payload, signed, signature } = parts;
  return {
    issuer: payload["iss"],
    verifiedBy: (keys) =>
      keys.some(
        (key) =>
          isFor(header, key) &&
          verify(hashOf(key.algorithm), Buffer.from(signed), { key: key.key, ...ENCODING }, signature),
      )
        ? payload
        : undefined,
  };
}
