import { mkdir, open, stat } from "node:fs/promises";
import type { HostPathVolumeSource } from "../../api/generated/types.ts";
import { ConfigError } from "../environment/lookups.ts";

/** What may be at a path of the host, by the volume's `type`; the predicates' names are those of Node's Stats. */
const KINDS = {
  Directory: ["isDirectory", "a directory"],
  File: ["isFile", "a file"],
  Socket: ["isSocket", "a socket file"],
  CharDevice: ["isCharacterDevice", "a character device"],
  BlockDevice: ["isBlockDevice", "a block device"],
} as const;

/** Makes or checks what is at a path of the host as its type says; without one, a directory is made where there is nothing. */
export async function checkHostPath({ path, type = "" }: HostPathVolumeSource): Promise<void> {
  const at = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new ConfigError(`hostPath ${path}: ${error.message}`);
  });
  if (at === undefined && (type === "" || type === "DirectoryOrCreate")) {
    await mkdir(path, { recursive: true, mode: 0o755 });
    return;
  }
  if (at === undefined && type === "FileOrCreate") {
    await (await open(path, "a", 0o644)).close();
    return;
  }
  if (type === "") return;
  const kind = KINDS[type.replace("OrCreate", "") as keyof typeof KINDS];
  if (kind === undefined) throw new ConfigError(`${type} is an invalid volume type`);
  if (at?.[kind[0]]() !== true) throw new ConfigError(`hostPath type check failed: ${path} is not ${kind[1]}`);
}
