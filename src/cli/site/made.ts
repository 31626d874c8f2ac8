import { readFile, rename, rm, writeFile } from "node:fs/promises";
import type { SocketHolder } from "../../host/held-sockets.ts";
import type { ProcessIdentity } from "../../host/process-identity.ts";

/** What a site made outside the data directory. Written before the thing is made, so that nothing is ever unknown. */
export interface Made {
  /** The process that holds a private site's namespaces. */
  readonly anchor?: ProcessIdentity;
  readonly rootless: boolean;
  /** The machine's boot it was made in: nothing of it outlives a reboot. */
  readonly boot?: string;
  /** Links by name; their addresses and routes go with them. */
  readonly links: readonly string[];
  /** Mount points; `ip netns` makes one at its first use and never takes it away. */
  readonly mounts?: readonly string[];
  /** The process that holds the sockets of cluster DNS. */
  readonly holder?: SocketHolder;
  /** The process that holds those of Ingress. */
  readonly doorHolder?: SocketHolder;
  /** Kernel settings with the values they had. */
  readonly sysctls: Readonly<Record<string, string>>;
}

export const NOTHING_MADE: Made = { rootless: false, links: [], sysctls: {} };

/** The record, or undefined where nothing was made. */
export async function readMade(path: string): Promise<Made | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new Error(`reading the record of what was made, ${path}: ${error.message}`, { cause: error });
  });
  return text === undefined ? undefined : (JSON.parse(text) as Made);
}

export async function writeMade(path: string, made: Made): Promise<void> {
  await writeFile(`${path}.aside`, JSON.stringify(made, undefined, 2), { mode: 0o600 });
  await rename(`${path}.aside`, path);
}

export const forgetMade = (path: string): Promise<void> => rm(path, { force: true });
