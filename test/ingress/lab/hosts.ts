import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Whether this process has a mount namespace of its own, as `bin/test` makes it. */
const hasOwnMounts = process.env["FAIRLEAD_GROUND"] === "own";

/** Has this machine know a name, in this namespace alone; resolves to what makes it forget it. */
export async function knowName(name: string, address: string): Promise<() => Promise<void>> {
  if (!hasOwnMounts) throw new Error("making a name known: this must run in a mount namespace of its own (bin/test)");
  const directory = await mkdtemp("/var/tmp/fairlead-hosts-");
  const file = join(directory, "hosts");
  await writeFile(file, `${await readFile("/etc/hosts", "utf8")}\n${address} ${name}\n`);
  await run("mount", ["--bind", file, "/etc/hosts"]);
  return async () => {
    await run("umount", ["/etc/hosts"]);
    await rm(directory, { recursive: true });
  };
}
