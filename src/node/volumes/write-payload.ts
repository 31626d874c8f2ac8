import { randomBytes } from "node:crypto";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Payload } from "./payload.ts";

/** Who the files of a volume belong to; undefined: whoever we are. */
export interface Ownership {
  readonly user: number | undefined;
  readonly group: number | undefined;
}

const DATA = "..data";
const NEXT = "..data_tmp";

/** With a group of the pod's own, that group may read what the mode gives to its owner alone (as Kubernetes' fsGroup does). */
export const modeFor = (mode: number, { group }: Ownership): number => (group === undefined ? mode : mode | 0o440);

async function give(path: string, { user, group }: Ownership): Promise<void> {
  if (user === undefined && group === undefined) return;
  // In a user namespace there may be one user only; then everything is that one's already.
  await chown(path, user ?? -1, group ?? -1).catch(() => {});
}

/** Whether a directory holds exactly this payload. */
async function holds(directory: string, payload: Payload, owner: Ownership): Promise<boolean> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (found === undefined || found.filter((entry) => !entry.isDirectory()).length !== payload.size) return false;
  for (const [path, { content, mode }] of payload) {
    const file = join(directory, path);
    const at = await lstat(file).catch(() => undefined);
    if (at === undefined || !at.isFile() || (at.mode & 0o7777) !== modeFor(mode, owner)) return false;
    if (!content.equals(await readFile(file))) return false;
  }
  return true;
}

const topOf = (path: string): string => path.split("/")[0]!;

/**
 * Makes a directory show a payload: files are links through `..data` to a directory of one state, so that one rename changes
 * all of them at once and no reader meets half of an update (the layout that programs know from Kubernetes). Writes nothing
 * when nothing differs; answers whether it did. Calls for one directory must not overlap.
 */
export async function writePayload(directory: string, payload: Payload, owner: Ownership): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await chmod(directory, 0o755);
  const current = await readlink(join(directory, DATA)).catch(() => undefined);
  const isSame = current !== undefined && (await holds(join(directory, current), payload, owner));
  const wanted = new Set([...payload.keys()].map(topOf));
  const present = (await readdir(directory, { withFileTypes: true })).filter(({ name }) => !name.startsWith(".."));
  // Earlier releases wrote plain files.
  for (const entry of present) if (!entry.isSymbolicLink()) await rm(join(directory, entry.name), { recursive: true });
  const shown = present.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name);
  const isShown = shown.length === wanted.size && shown.every((name) => wanted.has(name));
  if (isSame && isShown) return false;

  if (!isSame) {
    const state = `..${new Date().toISOString().slice(0, 19).replaceAll(/[-:T]/g, "_")}.${randomBytes(5).toString("hex")}`;
    const next = join(directory, state);
    await mkdir(next, { mode: 0o755 });
    await chmod(next, 0o755);
    for (const [path, { content, mode }] of payload) {
      const file = join(next, path);
      await mkdir(dirname(file), { recursive: true, mode: 0o755 });
      await writeFile(file, content, { mode: 0o600 });
      await give(file, owner);
      await chmod(file, modeFor(mode, owner));
    }
    await rm(join(directory, NEXT), { force: true });
    await symlink(state, join(directory, NEXT));
    await rename(join(directory, NEXT), join(directory, DATA));
  }
  for (const name of wanted) {
    if (!shown.includes(name)) await symlink(join(DATA, name), join(directory, name));
  }
  for (const name of shown) if (!wanted.has(name)) await rm(join(directory, name), { force: true });
  // What an update before this one left, cut short perhaps.
  const kept = await readlink(join(directory, DATA));
  for (const name of await readdir(directory)) {
    if (name.startsWith("..") && name !== DATA && name !== kept) await rm(join(directory, name), { recursive: true });
  }
  return true;
}
