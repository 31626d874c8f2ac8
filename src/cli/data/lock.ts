import { link, mkdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { identityOf, isRunning, type ProcessIdentity } from "../../host/process-identity.ts";
import { Failure } from "../failure.ts";
import type { DataLayout } from "./layout.ts";

/** Who holds a data directory, and where it answers. */
export interface Holder extends ProcessIdentity {
  /** URL of the API server. */
  readonly server: string;
  readonly private: boolean;
}

const inUse = (layout: DataLayout, holder: Holder): Failure =>
  new Failure(
    `the data directory ${layout.directory} is in use by the Fairlead with process id ${holder.pid}, which answers at ${holder.server}; ` +
      `end it with 'fairlead down${layout.directory === "/var/lib/fairlead" ? "" : ` --data ${layout.directory}`}', or name another directory with --data DIR`,
  );

/** The living process that a lock names, if there is one. */
async function livingHolder(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EACCES" && error.code !== "EPERM") return undefined;
    throw new Failure(
      `looking who uses the data directory: ${path} may not be read by this user; be the user it belongs to, or name another directory with --data DIR`,
      { cause: error },
    );
  });
  let holder: Holder;
  try {
    holder = JSON.parse(text ?? "") as Holder;
  } catch {
    // There is none, or a machine that lost its power has cut it short.
    return undefined;
  }
  return (await isRunning(holder)) ? holder : undefined;
}

/** The living holder of the data directory, if there is one. Throws Failure when this user may not know. */
export const holderOf = (layout: DataLayout): Promise<Holder | undefined> => livingHolder(layout.lock);

/** Throws Failure when another Fairlead holds the data directory. */
export async function refuseHeld(layout: DataLayout): Promise<void> {
  const holder = await holderOf(layout);
  if (holder !== undefined) throw inUse(layout, holder);
}

/** Puts the lock in its place unless a living process has one there. */
async function lock(layout: DataLayout, mine: Holder): Promise<void> {
  const aside = `${layout.lock}.${process.pid}`;
  const dead = `${aside}.dead`;
  await writeFile(aside, JSON.stringify(mine), { mode: 0o600 });
  try {
    for (;;) {
      try {
        await link(aside, layout.lock);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      await refuseHeld(layout);
      // Another that found the same dead holder may have put its own lock there by now: look again at what was taken away.
      await rename(layout.lock, dead).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
      const holder = await livingHolder(dead);
      if (holder !== undefined) {
        await link(dead, layout.lock).catch(() => {});
        throw inUse(layout, holder);
      }
    }
  } finally {
    await Promise.all([aside, dead].map((path) => rm(path, { force: true })));
  }
}

/**
 * Makes a directory and those above it that are missing; answers the first one made. Node's own recursive mkdir never comes back where
 * the file system answers "no such file" for a directory whose parent is there, as /proc does.
 */
async function makeDirectories(path: string): Promise<string | undefined> {
  const make = (): Promise<void> => mkdir(path, { mode: 0o700 });
  try {
    await make();
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return undefined;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
  }
  const first = await makeDirectories(dirname(path));
  await make();
  return first ?? path;
}

export interface Taken {
  /** Gives the directory free for the next. */
  release(): Promise<void>;
  /** As release, and takes the directory away again if it was not there before. */
  discard(): Promise<void>;
}

/** Makes the data directory, if need be, and takes it for this process. Throws Failure when it cannot be written or another Fairlead holds it. */
export async function takeDataDirectory(layout: DataLayout, server: string, isPrivate: boolean): Promise<Taken> {
  const self = await identityOf(process.pid);
  if (self === undefined) throw new Failure("reading /proc/self/stat: this needs Linux with /proc mounted");
  let first: string | undefined;
  const discard = async (): Promise<void> => {
    if (first !== undefined) await rm(first, { recursive: true, force: true });
  };
  try {
    first = await makeDirectories(layout.directory);
    for (const folder of [layout.run, layout.logs, layout.node]) await mkdir(folder, { recursive: true, mode: 0o700 });
    await lock(layout, { ...self, server, private: isPrivate });
  } catch (error) {
    if (error instanceof Failure) throw error;
    await discard();
    const { code } = await mkdir(layout.directory).then(
      async () => {
        await rmdir(layout.directory);
        return error as NodeJS.ErrnoException;
      },
      // Making directories all the way up answers that something is missing where the file system is only read.
      (plain: NodeJS.ErrnoException) => (plain.code === "EEXIST" ? (error as NodeJS.ErrnoException) : plain),
    );
    throw new Failure(
      `using the data directory ${layout.directory}: it cannot be written (${code ?? (error as Error).message}); name another with --data DIR`,
      { cause: error },
    );
  }
  const release = (): Promise<void> => rm(layout.lock, { force: true });
  return {
    release,
    async discard() {
      await release();
      await discard();
    },
  };
}
