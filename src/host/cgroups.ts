import { access, mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readMounts, type Mount } from "./mounts.ts";

/** The kernel's controllers that hold processes to a limit. */
export const CONTROLLERS = ["memory", "cpu", "pids"] as const;
export type Controller = (typeof CONTROLLERS)[number];

/** A directory of the cgroup file system in which groups with limits can be made. */
interface Root {
  readonly directory: string;
  readonly version: 1 | 2;
  readonly controllers: readonly Controller[];
}

/** A file of a controller and what is written to it: by version 1's name and by version 2's. */
export interface Setting {
  readonly controller: Controller;
  readonly v1: readonly (readonly [file: string, value: string])[];
  readonly v2: readonly (readonly [file: string, value: string])[];
}

/** Groups of processes with limits, all below one name. */
export interface Cgroups {
  /** Those that this machine lets us use. */
  readonly controllers: readonly Controller[];
  /** Makes a group; answers its directories, one a hierarchy. A process joins by writing `0` to their `cgroup.procs`. */
  make(name: string, settings: readonly Setting[]): Promise<string[]>;
  /** Takes away every group that no process is in any more and, when none is left, what they were in. */
  sweep(): Promise<void>;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
const text = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

/** The way of this process below each hierarchy's root, by controller; "" is version 2's (cgroups(7)). */
function ownPaths(proc: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of proc.split("\n")) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (names !== undefined && path !== undefined) for (const name of names.split(",")) paths.set(name, path);
  }
  return paths;
}

/** Where that way is in what is mounted. */
const below = ({ point, root }: Mount, path: string): string =>
  join(point, root === "/" ? path : path === root ? "" : path.startsWith(`${root}/`) ? path.slice(root.length) : "");

/** Makes the directory that our groups are in; false where that cannot be done, or groups in it could not be told what they must. */
async function usable(parent: string, file: string): Promise<boolean> {
  const made = await mkdir(parent).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === "EEXIST",
  );
  if (made && (await exists(join(parent, file)))) return true;
  if (made) await rmdir(parent).catch(() => {});
  return false;
}

/** A file by which each controller of version 1 is known to do what we ask of it. */
const FILES: Readonly<Record<Controller, string>> = {
  memory: "memory.limit_in_bytes",
  cpu: "cpu.cfs_quota_us",
  pids: "pids.max",
};

async function roots(name: string): Promise<Root[]> {
  const mounts = await readMounts();
  const paths = ownPaths(await text("/proc/self/cgroup"));
  const found: Root[] = [];
  const left = new Set<Controller>(CONTROLLERS);
  for (const controller of CONTROLLERS) {
    const mount = mounts.findLast(({ type, options }) => type === "cgroup" && options.split(",").includes(controller));
    if (mount === undefined) continue;
    left.delete(controller);
    const directory = join(below(mount, paths.get(controller) ?? "/"), name);
    if (await usable(directory, FILES[controller])) found.push({ directory, version: 1, controllers: [controller] });
  }
  const unified = mounts.findLast(({ type }) => type === "cgroup2");
  if (unified === undefined || left.size === 0) return found;
  // A group with processes in it cannot hand controllers on, but for the root: there is where container runtimes begin.
  for (const directory of [below(unified, paths.get("") ?? "/"), unified.point]) {
    const offered = new Set((await text(join(directory, "cgroup.controllers"))).trim().split(/\s+/));
    const wanted = [...left].filter((controller) => offered.has(controller));
    if (wanted.length === 0) continue;
    for (const at of [directory, join(directory, name)]) {
      if (at !== directory) await mkdir(at).catch(() => {});
      for (const controller of wanted)
        await writeFile(join(at, "cgroup.subtree_control"), `+${controller}`).catch(() => {});
    }
    const parent = join(directory, name);
    const granted = new Set((await text(join(parent, "cgroup.subtree_control"))).trim().split(/\s+/));
    const controllers = wanted.filter((controller) => granted.has(controller));
    if (controllers.length > 0) {
      found.push({ directory: parent, version: 2, controllers });
      break;
    }
    await rmdir(parent).catch(() => {});
  }
  return found;
}

const removed = (directory: string): Promise<boolean> =>
  rmdir(directory).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT",
  );

/** Takes away the groups in a directory that no process is in; answers whether none is left. */
async function sweepGroups(directory: string): Promise<boolean> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const groups = entries.filter((entry) => entry.isDirectory());
  return !(await Promise.all(groups.map(({ name }) => removed(join(directory, name))))).includes(false);
}

/** Finds out what can be done on this machine, and takes away the empty groups that an earlier run of ours left below the name. */
export async function createCgroups(name: string): Promise<Cgroups> {
  const found = await roots(name);
  for (const { directory } of found) await sweepGroups(directory);
  return {
    controllers: found.flatMap(({ controllers }) => controllers),
    async sweep() {
      for (const { directory } of found) if (await sweepGroups(directory)) await removed(directory);
    },
    async make(group, settings) {
      const directories: string[] = [];
      for (const { directory, version, controllers } of found) {
        const path = join(directory, group);
        await mkdir(path, { recursive: true });
        directories.push(path);
        for (const setting of settings) {
          if (!controllers.includes(setting.controller)) continue;
          for (const [file, value] of version === 1 ? setting.v1 : setting.v2) {
            // What counts swap is not there on every machine.
            if (!(await exists(join(path, file)))) continue;
            await writeFile(join(path, file), value).catch((error: Error) => {
              throw new Error(`limiting a container: writing ${value} to ${join(path, file)}: ${error.message}`);
            });
          }
        }
      }
      return directories;
    },
  };
}

/** How many processes of a group the kernel has killed because its memory was used up; 0 where it does not say. */
export async function outOfMemoryKills(directories: readonly string[]): Promise<number> {
  const counts = await Promise.all(
    directories.flatMap((directory) =>
      ["memory.events", "memory.oom_control"].map((file) => text(join(directory, file))),
    ),
  );
  return Math.max(0, ...counts.map((said) => Number(/^oom_kill (\d+)$/m.exec(said)?.[1] ?? 0)));
}

/** Takes a group away; answers whether it is gone. It cannot go while processes are in it. */
export const removeGroup = async (directories: readonly string[]): Promise<boolean> =>
  !(await Promise.all(directories.map(removed))).includes(false);
