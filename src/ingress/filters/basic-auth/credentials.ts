/** Who somebody says to be (RFC 7617). */
export interface Credentials {
  readonly user: string;
  /** As it was sent: its encoding is the client's. */
  readonly password: Buffer;
}

/** Characters; far more than anybody has. */
const LONGEST = 4096;

/** Reads `Authorization: Basic …`; undefined for anything else. */
export function readCredentials(authorization: string | undefined): Credentials | undefined {
  if (authorization === undefined || authorization.length > LONGEST) return undefined;
  const encoded = /^basic +([A-Za-z0-9+/_-]+={0,2}) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, "base64");
  const colon = bytes.indexOf(58);
  if (colon < 0) return undefined;
  return { user: bytes.toString("utf8", 0, colon), password: bytes.subarray(colon + 1) };
}
