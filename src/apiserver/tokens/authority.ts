import { hash } from "node:crypto";
import { readClaims, type Claims } from "./claims.ts";
import { readToken, signToken } from "./jws.ts";
import { newSigningKey, readSigningKey, readVerifyingKey, type VerifyingKey } from "./keys.ts";
import { LEGACY_ISSUER, readLegacyClaims, type LegacySubject } from "./legacy.ts";

export interface TokenAuthorityOptions {
  /** `--service-account-issuer`: the first is written into new tokens, the others are still believed. */
  readonly issuers: readonly string[];
  /** `--api-audiences`; absent: the issuers. */
  readonly audiences?: readonly string[] | undefined;
  /** `--service-account-signing-key-file`: PEM of a private key. Absent: one that lives as long as the process. */
  readonly signingKey?: string | undefined;
  /** `--service-account-key-file`: PEM of further keys by which tokens are believed, so that a key can be replaced. */
  readonly keys?: readonly string[] | undefined;
  /** `--service-account-max-token-expiration`, in seconds; absent: what a client asks for. */
  readonly longestLife?: number | undefined;
  /** `--service-account-jwks-uri`: where others fetch the keys. */
  readonly jwksUri: string;
}

/** What a token says, its signature being good. */
export type Verified =
  | { readonly kind: "bound"; readonly claims: Claims }
  | { readonly kind: "legacy"; readonly subject: LegacySubject }
  | { readonly kind: "bad"; readonly why: string };

/** By what tokens of ServiceAccounts are made and believed. */
export interface TokenAuthority {
  readonly issuer: string;
  /** Whom tokens must be for to open this API: one of these. */
  readonly audiences: readonly string[];
  readonly keys: readonly VerifyingKey[];
  readonly longestLife: number | undefined;
  readonly jwksUri: string;
  sign(claims: object): string;
  /** Reads a token of one of our issuers; undefined for all that is none. Neither its time nor its audiences are looked at. */
  read(token: string): Verified | undefined;
}

/** Tokens whose signature need not be verified again: verifying one costs as much as a small request. */
const REMEMBERED = 1024;

const BAD_CLAIMS: Verified = { kind: "bad", why: "service account token claims could not be validated" };

export function createTokenAuthority(options: TokenAuthorityOptions): TokenAuthority {
  const { issuers, longestLife, jwksUri } = options;
  const [issuer] = issuers;
  if (issuer === undefined || issuers.includes("")) {
    throw new RangeError("starting the API server: the issuer of ServiceAccount tokens is empty; it should be a URL");
  }
  const signingKey = readSigningKey(options.signingKey ?? newSigningKey());
  const others = (options.keys ?? []).map(readVerifyingKey);
  const keys = [signingKey, ...others.filter(({ id }) => id !== signingKey.id)];
  /** By digest, oldest use first, so that no token lies about in memory. */
  const remembered = new Map<string, Verified>();

  const verify = (token: string): Verified | undefined => {
    const read = readToken(token);
    if (read === undefined || typeof read.issuer !== "string") return undefined;
    const isLegacy = read.issuer === LEGACY_ISSUER;
    if (!isLegacy && !issuers.includes(read.issuer)) return undefined;
    const verified = read.verifiedBy(keys);
    if (verified === undefined) return { kind: "bad", why: "invalid signature" };
    if (isLegacy) {
      const subject = readLegacyClaims(verified);
      return subject === undefined ? BAD_CLAIMS : { kind: "legacy", subject };
    }
    const claims = readClaims(verified);
    return claims === undefined ? BAD_CLAIMS : { kind: "bound", claims };
  };

  return {
    issuer,
    audiences: options.audiences ?? issuers,
    keys,
    longestLife,
    jwksUri,
    sign: (claims) => signToken(claims, signingKey),
    read(token) {
      const digest = hash("sha256", token, "base64");
      let found = remembered.get(digest);
      if (found === undefined) {
        found = verify(token);
        // What is not ours must not push out what is.
        if (found === undefined || found.kind === "bad") return found;
        if (remembered.size >= REMEMBERED) remembered.delete(remembered.keys().next().value!);
      } else remembered.delete(digest);
      remembered.set(digest, found);
      return found;
    },
  };
}
