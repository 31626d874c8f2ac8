import { mkdir, open, readFile, rm, writeFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { identityOf, isAlive, type ProcessIdentity } from "../../host/processTable.ts";
import { Failure } from "../failure.ts";
import type { DataLayout } from "./layout.ts";

/** Who holds a data directory, and where it answers. */
export interface Holder extends ProcessIdentity {
  /** URL of the API server. */
  readonly server: string;
  readonly private: boolean;
}

/** The living holder of the data directory, if there is one. */
export async function holderOf(layout: DataLayout): Promise<Holder | undefined> {
  const text = await readFile(layout.lock, "utf8").catch(() => undefined);
  if (text === undefined || text === "") return undefined;
  const holder = JSON.parse(text) as Holder;
  return (await isAlive(holder)) ? holder : undefined;
}

/** Makes the data directory, if need be, and takes it for this process. Throws Failure when it cannot be written or another Fairlead holds it. */
export async function takeDataDirectory(
  layout: DataLayout,
  server: string,
  isPrivate: boolean,
): Promise<() => Promise<void>> {
  try {
    await mkdir(layout.directory, { recursive: true, mode: 0o700 });
    for (const folder of [layout.run, layout.logs, layout.node]) await mkdir(folder, { recursive: true, mode: 0o700 });
    const probe = await open(`${layout.run}/.writable`, "w", 0o600);
    await probe.close();
    await rm(`${layout.run}/.writable`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Failure(
      `using the data directory ${layout.directory}: it cannot be written (${code ?? "unknown error"}); name another with --data DIR`,
      { cause: error },
    );
  }
  const holder = await holderOf(layout);
  if (holder !== undefined) {
    throw new Failure(
      `the data directory ${layout.directory} is in use by the Fairlead with process id ${holder.pid}, which answers at ${holder.server}; ` +
        `end it with 'fairlead down', or name another directory with --data DIR`,
    );
  }
  const self = await identityOf(process.pid);
  if (self === undefined) throw new Failure("reading /proc/self/stat: this needs Linux with /proc mounted");
  const mine: Holder = { ...self, server, private: isPrivate };
  await mkdir(dirname(layout.lock), { recursive: true });
  const aside = `${layout.lock}.${process.pid}`;
  await writeFile(aside, JSON.stringify(mine), { mode: 0o600 });
  await rename(aside, layout.lock);
  return () => rm(layout.lock, { force: true });
}
