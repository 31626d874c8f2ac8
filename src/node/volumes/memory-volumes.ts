import { createHash } from "node:crypto";
import { lstat, mkdir, rm, rmdir, statfs } from "node:fs/promises";
import { join } from "node:path";

/** `TMPFS_MAGIC` of linux/magic.h. */
const TMPFS = 0x01021994;
const SHM = "/dev/shm";

/** Directories in the machine's memory for emptyDirs with `medium: Memory`. */
export interface MemoryVolumes {
  /** The directory of a pod's; undefined where this machine has no place for it, and a directory on its disk must do. */
  of(uid: string): Promise<string | undefined>;
  remove(uid: string): Promise<void>;
  /** Takes away the place of all pods' once it is empty. */
  close(): Promise<void>;
}

/**
 * In /dev/shm, the tmpfs that a machine has: one of our own would have to be seen by namespaces made before it. What is written
 * there counts as memory of the container that writes it. `directory` tells the nodes of a machine apart.
 */
export function memoryVolumes(directory: string): MemoryVolumes {
  const root = join(SHM, `fairlead-${createHash("sha256").update(directory).digest("hex").slice(0, 12)}`);
  const prepare = async (): Promise<boolean> => {
    const { type } = await statfs(SHM).catch(() => ({ type: 0 }));
    if (type !== TMPFS) return false;
    await mkdir(root, { mode: 0o700 }).catch(() => {});
    // Everybody may write to /dev/shm: what somebody else put there under our name is not used.
    const at = await lstat(root).catch(() => undefined);
    return at?.isDirectory() === true && at.uid === process.getuid?.() && (at.mode & 0o077) === 0;
  };
  return {
    of: async (uid) => ((await prepare()) ? join(root, uid) : undefined),
    remove: (uid) => rm(join(root, uid), { recursive: true, force: true }),
    close: () => rmdir(root).catch(() => {}),
  };
}
