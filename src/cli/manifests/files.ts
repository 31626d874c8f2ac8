import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure.ts";

export interface ManifestText {
  /** As it is named to a person. */
  readonly file: string;
  readonly text: string;
}

const MAX_BYTES = 16 * 1024 * 1024;

async function filesOf(path: string): Promise<string[]> {
  if (path === "-") return [path];
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(
      `reading the manifest ${path}: ${error.code === "ENOENT" ? "there is no such file or directory; name one that is there with -f" : error.message}`,
      { cause: error },
    );
  });
  if (!facts.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  if (names.length === 0)
    throw new Failure(`reading the manifests in ${path}: the directory has no .yaml, .yml or .json file`);
  return names.map((name) => join(path, name));
}

/** A device or a pipe never says how much it holds: what is read is counted. */
async function textOf(path: string): Promise<ManifestText> {
  const file = path === "-" ? "standard input" : path;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of path === "-" ? process.stdin : createReadStream(path)) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length > MAX_BYTES)
        throw new Failure(`reading the manifest ${file}: it has more than ${MAX_BYTES} bytes; apply less at a time`);
    }
    return { file, text: new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const why = error instanceof TypeError ? "it is no UTF-8 text; give a YAML or JSON file" : (error as Error).message;
    throw new Failure(`reading the manifest ${file}: ${why}`, { cause: error });
  }
}

/**
 * What the manifests that `-f` names hold: files, the files of directories, and `-` (standard input), in the order given.
 * Throws Failure for what cannot be read.
 */
export async function manifestTexts(paths: readonly string[]): Promise<ManifestText[]> {
  const files = (await Promise.all(paths.map(filesOf))).flat();
  const texts: ManifestText[] = [];
  for (const file of files) texts.push(await textOf(file));
  return texts;
}
