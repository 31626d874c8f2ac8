import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readPair, type KeyPair, type ReadPair } from "./judge.ts";

/** The text of a file; undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`reading ${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a file that only its owner may read (mode 0600), whole or not at all: a reader sees the old one or the new one. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await open(aside, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, path);
  } catch (error) {
    // What went wrong is told below; that nothing could be removed follows from it.
    await rm(aside, { force: true }).catch(() => {});
    throw new Error(`writing ${path}: ${(error as Error).message}`, { cause: error });
  }
}

export interface FoundPair {
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export async function findPair(directory: string, file: string): Promise<FoundPair> {
  const [cert, key] = await Promise.all([
    readIfThere(join(directory, `${file}.crt`)),
    readIfThere(join(directory, `${file}.key`)),
  ]);
  return { cert, key };
}

/** The pair, or undefined where a half is missing or unreadable or belongs to another: such a leaf is issued anew. */
export function usablePair({ cert, key }: FoundPair): ReadPair | undefined {
  if (cert === undefined || key === undefined) return undefined;
  try {
    return readPair(cert, key);
  } catch {
    return undefined;
  }
}

export async function writePair(directory: string, file: string, pair: KeyPair): Promise<void> {
  await writePrivate(join(directory, `${file}.key`), pair.key);
  await writePrivate(join(directory, `${file}.crt`), pair.cert);
}

/**
 * Makes a directory with these pairs appear at once: a start that is cut short must not leave an authority by halves, because
 * a key without its certificate is refused.
 */
export async function createDirectory(directory: string, pairs: ReadonlyMap<string, KeyPair>): Promise<void> {
  const aside = `${directory}.${randomBytes(6).toString("hex")}.tmp`;
  await mkdir(dirname(directory), { recursive: true });
  try {
    await mkdir(aside, { mode: 0o700 });
    await Promise.all([...pairs].map(([file, pair]) => writePair(aside, file, pair)));
    await syncDirectory(aside);
    // Replaces an empty directory too.
    await rename(aside, directory);
    await syncDirectory(dirname(directory));
  } catch (error) {
    await rm(aside, { force: true, recursive: true }).catch(() => {});
    throw new Error(`making the certificates in ${directory}: ${(error as Error).message}`, { cause: error });
  }
}
