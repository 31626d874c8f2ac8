import * as apache from "apache-md5";
import { createHash, timingSafeEqual } from "node:crypto";
import { hashKind } from "./hash-kind.ts";

/** Compared without telling, by the time it takes, how much is right. */
function isSame(one: Buffer, other: Buffer): boolean {
  const digest = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
  return timingSafeEqual(digest(one), digest(other));
}

const SHA1 = 20;

/** The package is one function of CommonJS; its types speak of something else. */
const apacheMd5 = (apache as unknown as { default: (password: string, hash: string) => string }).default;

/**
 * Whether a password is the one of a hash. It takes the thread for as long as the hash wants. What `crypt` cannot do, and what is no
 * hash, is nobody's password.
 */
export function checkPassword(
  password: Buffer,
  hash: string,
  crypt: (password: Buffer, hash: string) => string | undefined,
): boolean {
  switch (hashKind(hash)) {
    case "apr1":
      // Its strings are bytes.
      return isSame(Buffer.from(apacheMd5(password.toString("latin1"), hash)), Buffer.from(hash));
    case "sha":
      return isSame(createHash("sha1").update(password).digest(), Buffer.from(hash.slice("{SHA}".length), "base64"));
    case "ssha": {
      const said = Buffer.from(hash.slice("{SSHA}".length), "base64");
      const made = createHash("sha1").update(password).update(said.subarray(SHA1)).digest();
      return isSame(made, said.subarray(0, SHA1));
    }
    case "plain":
      return isSame(password, Buffer.from(hash.slice("{PLAIN}".length)));
    case "crypt": {
      const made = crypt(password, hash);
      return made !== undefined && isSame(Buffer.from(made), Buffer.from(hash));
    }
    case undefined:
      return false;
  }
}
