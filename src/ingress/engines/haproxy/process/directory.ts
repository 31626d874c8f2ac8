import { chmod, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Compiled } from "../compile/compile.ts";
import { CERTIFICATES, certificateFiles, listLines, mapsOf, mapText } from "../compile/files.ts";

/** What HAProxy is started with. */
export const CONFIGURATION = "haproxy.cfg";
/** The next one, until it was found to be good. */
export const NEXT = "next.cfg";
const CERTIFICATE = /^[0-9a-f]{32}\.pem$/;

/** HAProxy's configuration, and our words to a shell, take no other characters as they are. */
const PLAIN_PATH = /^\/[A-Za-z0-9._/-]+$/;

/** Makes the directory, readable by its owner alone. */
export async function prepareDirectory(directory: string): Promise<void> {
  if (!PLAIN_PATH.test(directory))
    throw new Error(
      `using ${JSON.stringify(directory)} for HAProxy's files: an absolute path of letters, digits, '.', '_' and '-' is needed`,
    );
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
}

/** Another file in its place, in one step: a reader finds the old one or the new one. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Writes all that a start reads; the configuration itself as {@link NEXT}. */
export async function writeFiles(directory: string, compiled: Compiled, configuration: string): Promise<void> {
  const certificates = certificateFiles(compiled.plan.certificates);
  for (const { file, text } of certificates) await writeWhole(join(directory, file), text);
  await writeWhole(join(directory, CERTIFICATES), certificates.map(listLines).join(""));
  for (const [name, entries] of mapsOf(compiled)) await writeWhole(join(directory, name), mapText(entries));
  await writeWhole(join(directory, NEXT), configuration);
  const wanted = new Set(certificates.map(({ file }) => file));
  for (const name of await readdir(directory))
    if (CERTIFICATE.test(name) && !wanted.has(name)) await rm(join(directory, name), { force: true });
}
