/** Kinds of hashes that htpasswd, openssl and crypt(3) make. */
export type HashKind = "apr1" | "sha" | "ssha" | "plain" | "crypt";

const CRYPT_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** What one check may cost: about a second. All routes share the thread that checks. */
const MOST_BCRYPT = 14;
const MOST_ROUNDS = 1_000_000;
/** As a power of two, of yescrypt; the memory is 4 kB times that. */
const MOST_YESCRYPT = 15;

/** What a hash of crypt(3) costs is within bounds, and it has the form of one. */
function isCrypt(hash: string): boolean {
  const bcrypt = /^\$2[aby]\$(\d\d)\$[./0-9A-Za-z]{53}$/.exec(hash);
  if (bcrypt !== null) return Number(bcrypt[1]) <= MOST_BCRYPT;
  const sha = /^\$[56]\$(?:rounds=(\d{1,9})\$)?[^$:\n]{0,16}\$[./0-9A-Za-z]{43,86}$/.exec(hash);
  if (sha !== null) return Number(sha[1] ?? 0) <= MOST_ROUNDS;
  const yescrypt = /^\$g?y\$[./0-9A-Za-z]([./0-9A-Za-z])([./0-9A-Za-z])\$[./0-9A-Za-z]{0,86}\$[./0-9A-Za-z]{43}$/.exec(
    hash,
  );
  if (yescrypt !== null) {
    // Its third letter is the size of a block, 32 (`T`) where somebody has not chosen it.
    return CRYPT_ALPHABET.indexOf(yescrypt[1]!) + 1 <= MOST_YESCRYPT && CRYPT_ALPHABET.indexOf(yescrypt[2]!) < 32;
  }
  // MD5, and DES, of which there is nothing but the letters.
  return /^\$1\$[^$:\n]{0,8}\$[./0-9A-Za-z]{22}$/.test(hash) || /^[./0-9A-Za-z]{13}$/.test(hash);
}

/** What kind of hash it is; undefined: none that is known, or one that costs too much to check. */
export function hashKind(hash: string): HashKind | undefined {
  if (/^\$apr1\$[^$:\n]{0,8}\$[./0-9A-Za-z]{22}$/.test(hash)) return "apr1";
  if (/^\{SHA\}[A-Za-z0-9+/]{27}=$/.test(hash)) return "sha";
  if (/^\{SSHA\}[A-Za-z0-9+/]{28,200}={0,2}$/.test(hash)) return "ssha";
  if (hash.startsWith("{PLAIN}")) return "plain";
  return isCrypt(hash) ? "crypt" : undefined;
}
