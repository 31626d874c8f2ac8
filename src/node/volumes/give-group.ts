import { constants } from "node:fs";
import { open, readdir, type FileHandle } from "node:fs/promises";

/** Opens one thing in an open directory and no other: a link is not followed, whoever puts it there meanwhile. */
const openIn = (directory: FileHandle, name: string): Promise<FileHandle | undefined> =>
  open(`/proc/self/fd/${directory.fd}/${name}`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );

async function give(handle: FileHandle, group: number): Promise<void> {
  const before = await handle.stat();
  if (before.gid !== group) await handle.chown(before.uid, group).catch(() => {});
  const bits = before.isDirectory() ? 0o2770 : 0o660;
  if ((before.mode & bits) !== bits) await handle.chmod((before.mode & 0o7777) | bits).catch(() => {});
}

async function giveAll(directory: FileHandle, group: number): Promise<void> {
  await give(directory, group);
  for (const entry of await readdir(`/proc/self/fd/${directory.fd}`, { withFileTypes: true })) {
    if (!entry.isDirectory() && !entry.isFile()) continue;
    const handle = await openIn(directory, entry.name);
    if (handle === undefined) continue;
    try {
      await (entry.isDirectory() && (await handle.stat()).isDirectory() ? giveAll(handle, group) : give(handle, group));
    } finally {
      await handle.close();
    }
  }
}

/**
 * Gives everything in a volume to the pod's `fsGroup`, which may then read and write it; what is made later in a directory
 * belongs to the group too. `onlyRoot`: nothing is looked at when the volume itself is the group's already (`OnRootMismatch`).
 * Pods may write to the volume meanwhile: no link of theirs leads us out of it.
 */
export async function giveToGroup(path: string, group: number, onlyRoot: boolean): Promise<void> {
  const root = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const { gid, mode } = await root.stat();
    if (onlyRoot && gid === group && (mode & 0o2770) === 0o2770) return;
    await giveAll(root, group);
  } finally {
    await root.close();
  }
}
