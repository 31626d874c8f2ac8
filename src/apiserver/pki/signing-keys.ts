import { join } from "node:path";
import { newSigningKey, publicHalf, readSigningKey, readVerifyingKey } from "../tokens/keys.ts";
import { readIfThere, writePrivate } from "./files.ts";

/** PEM texts: the key that signs ServiceAccounts' tokens, and all public keys by which they are believed. */
export interface SigningKeys {
  readonly signing: string;
  readonly verifying: readonly string[];
}

const PEM = /-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----/g;

function checked<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`reading the keys of ServiceAccount tokens in ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * The keys of ServiceAccount tokens, kept in `sa.key` (0600) and `sa.pub` of the directory and made at the first start. To sign with a
 * new key, remove `sa.key` and start again, or put another one there (EC or RSA): `sa.pub` keeps the public half of each key there ever was,
 * so that old tokens serve on. To take those back, remove their key from `sa.pub`.
 */
export async function ensureSigningKeys(directory: string): Promise<SigningKeys> {
  const [keyPath, publicPath] = [join(directory, "sa.key"), join(directory, "sa.pub")];
  const [kept, publicText = ""] = await Promise.all([readIfThere(keyPath), readIfThere(publicPath)]);
  const signing = kept ?? newSigningKey();
  const { id } = checked(keyPath, () => readSigningKey(signing));
  const verifying: string[] = publicText.match(PEM) ?? [];
  const isThere = checked(publicPath, () => verifying.map((pem) => readVerifyingKey(pem).id)).includes(id);
  if (!isThere) {
    verifying.push(publicHalf(signing).trim());
    // Before the key: what was signed must be believed whenever a start is cut short.
    await writePrivate(publicPath, `${verifying.join("\n")}\n`);
  }
  if (kept === undefined) await writePrivate(keyPath, signing);
  return { signing, verifying };
}
