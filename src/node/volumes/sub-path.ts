import { constants } from "node:fs";
import { mkdir, open, realpath, type FileHandle } from "node:fs/promises";
import { join, relative } from "node:path";
import { ConfigError } from "../environment/lookups.ts";

const FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Where `part` of a directory is by its real name, links followed as far as there is something; the rest is to be made. */
async function realPart(root: string, part: string): Promise<string> {
  const steps = part.split("/");
  for (let known = steps.length; known >= 0; known -= 1) {
    const real = await realpath(join(root, ...steps.slice(0, known))).catch(() => undefined);
    if (real !== undefined) return join(real, ...steps.slice(known));
  }
  return join(root, part);
}

/** Makes the directories that are missing on a way without links: each is opened in the one before, so that none can be swapped. */
async function makeWay(root: string, steps: readonly string[]): Promise<void> {
  let here = await open(root, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const { mode } = await here.stat();
    for (const step of steps) {
      const path = `/proc/self/fd/${here.fd}/${step}`;
      const next: FileHandle | undefined = await open(path, FLAGS).catch(async (error: NodeJS.ErrnoException) => {
        // A file at the end of the way is as good as a directory.
        if (error.code === "ENOTDIR") return undefined;
        if (error.code !== "ENOENT") throw error;
        await mkdir(path);
        const made = await open(path, FLAGS);
        await made.chmod(mode & 0o7777);
        return made;
      });
      if (next === undefined) return;
      await here.close();
      here = next;
    }
  } finally {
    await here.close();
  }
}

/**
 * The file or directory that a `subPath` names in a volume; in a writable one it is made, as a directory, where there is none.
 * Throws ConfigError when a link of a pod's leads out of the volume. What it answers may be swapped a moment later: who
 * mounts it must look again what it is that was mounted.
 */
export async function subPathOf(volume: string, part: string, mayMake: boolean): Promise<string> {
  const root = await realpath(volume);
  const path = await realPart(root, part);
  const way = relative(root, path);
  if (way === ".." || way.startsWith("../"))
    throw new ConfigError(`subPath ${JSON.stringify(part)} leads out of its volume`);
  if (mayMake && way !== "") {
    await makeWay(root, way.split("/")).catch((error: Error) => {
      throw new ConfigError(`subPath ${JSON.stringify(part)} of its volume: ${error.message}`);
    });
  } else if ((await realpath(path).catch(() => undefined)) === undefined) {
    throw new ConfigError(`subPath ${JSON.stringify(part)}: its volume has nothing of that name`);
  }
  return path;
}
