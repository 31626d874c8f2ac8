import { createHmac } from "node:crypto";

/** Keys of session cookies: the first makes them, all of them are known. None: sessions cannot be had. */
export type CookieKeys = readonly Uint8Array[];

/** Bytes of a token; RFC 2104 asks for at least half of the hash. */
const LENGTH = 16;
/** Endpoints whose tokens are remembered. */
const REMEMBERED = 50_000;

/**
 * What a cookie says of an endpoint: HMAC-SHA256 of its key, cut, in base64url. Every replica that has the key says the same, nobody without
 * it can make one, and nothing of the endpoint can be read from it (CTL-165).
 */
export const tokenOf = (key: Uint8Array, endpoint: string): string =>
  createHmac("sha256", key).update(endpoint).digest().subarray(0, LENGTH).toString("base64url");

/** Tokens of an endpoint, with each key; remembered, so that asking again gives the same list. */
export function tokensOf(keys: CookieKeys): (endpoint: string) => readonly string[] {
  const remembered = new Map<string, readonly string[]>();
  return (endpoint) => {
    const known = remembered.get(endpoint);
    if (known !== undefined) return known;
    const tokens = keys.map((key) => tokenOf(key, endpoint));
    remembered.set(endpoint, tokens);
    if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value!);
    return tokens;
  };
}
