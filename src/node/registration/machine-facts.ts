import { readFile } from "node:fs/promises";
import { arch, release } from "node:os";
import type { NodeFacts } from "./node-object.ts";

const textOf = (path: string): Promise<string> =>
  readFile(path, "utf8").then(
    (text) => text.trim(),
    () => "",
  );

/** What the kernel and the distribution say of this machine. */
export async function machineFacts(): Promise<
  Pick<NodeFacts, "architecture" | "kernelVersion" | "osImage" | "machineID" | "bootID">
> {
  const [osRelease, machineID, bootID] = await Promise.all([
    textOf("/etc/os-release"),
    textOf("/etc/machine-id"),
    textOf("/proc/sys/kernel/random/boot_id"),
  ]);
  const osImage = /^PRETTY_NAME="?(.*?)"?$/m.exec(osRelease)?.[1] ?? "Linux";
  return { architecture: arch(), kernelVersion: release(), osImage, machineID, bootID };
}
