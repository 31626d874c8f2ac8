import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure.ts";

async function filesOf(path: string): Promise<string[]> {
  if (path === "-") return [path];
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(
      `reading the manifest ${path}: ${error.code === "ENOENT" ? "there is no such file" : error.message}`,
      { cause: error },
    );
  });
  if (!facts.isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  if (names.length === 0)
    throw new Failure(`reading the manifests in ${path}: the directory has no .yaml, .yml or .json file`);
  return names.map((name) => join(path, name));
}

/** The manifest files that `-f` names: files, the files of directories, and `-`. Throws Failure for what is not there. */
export const manifestFiles = async (paths: readonly string[]): Promise<string[]> =>
  (await Promise.all(paths.map(filesOf))).flat();
