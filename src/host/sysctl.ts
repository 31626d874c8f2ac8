import { readFile, writeFile } from "node:fs/promises";

const pathOf = (name: string): string => `/proc/sys/${name}`;

/** A kernel setting of the network namespace this thread's process is in, e.g. `net/ipv4/ip_forward`; undefined where the kernel has none. */
export async function readSysctl(name: string): Promise<string | undefined> {
  try {
    return (await readFile(pathOf(name), "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`reading the kernel setting ${name}: ${(error as Error).message}`, { cause: error });
  }
}

export async function writeSysctl(name: string, value: string): Promise<void> {
  try {
    await writeFile(pathOf(name), value);
  } catch (error) {
    throw new Error(`setting ${name} to ${value}: ${(error as Error).message}`, { cause: error });
  }
}
