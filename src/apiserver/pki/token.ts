import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AUTHENTICATED, MASTERS, type Identity } from "../identity/identity.ts";
import { writePrivate } from "./files.ts";

/** As long as nobody guesses it: 256 bits. */
const BYTES = 32;
const ADMIN: Identity = { user: "kubernetes-admin", groups: [MASTERS, AUTHENTICATED] };

const digest = (token: string): Buffer => createHash("sha256").update(token).digest();

/**
 * The administrator's bearer token, for clients that cannot use a certificate (`curl`, a browser): made at the first start, kept in
 * the file `admin.token` (0600) of the directory. To take it back, remove the file and start again.
 */
export async function ensureAdminToken(directory: string): Promise<(token: string) => Identity | undefined> {
  const path = join(directory, "admin.token");
  let token = await readFile(path, "utf8").then(
    (text) => text.trim(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw new Error(`reading the administrator's token ${path}: ${error.message}`, { cause: error });
    },
  );
  if (token === "") {
    token = randomBytes(BYTES).toString("base64url");
    await writePrivate(path, `${token}\n`);
  }
  // Compared by digest: the time it takes tells nothing of how much was right.
  const known = digest(token);
  return (given) => (timingSafeEqual(digest(given), known) ? ADMIN : undefined);
}
