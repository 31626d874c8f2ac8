import { chmod, chown, lstat, mkdir, readdir, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Host, Running } from "../../../host/host.ts";
import { readMounts, type Mount } from "../../../host/mounts.ts";
import type { Log } from "../../../observe/log.ts";

/**
 * What pods see of the host's files: one read-only overlay per directory, built once in a mount namespace of its own.
 * An overlay gives every Unix socket another inode, so a pod cannot connect to one that the host listens on; a plain
 * read-only bind would let it.
 */
export interface HostView {
  /** For `nsenter --mount=`. */
  readonly namespace: string;
  /** Top-level entries: a directory to bind, or a symlink to make again. Read anew for every start. */
  entries(): readonly ViewEntry[];
  /** Where a path of the host is seen inside the namespace. */
  readonly shown: (path: string) => string;
  /** Makes sure that there is something to mount a volume on. Other pods may see it, empty. */
  ensure(path: string, kind: "directory" | "file"): Promise<void>;
  close(): Promise<void>;
}

export type ViewEntry =
  | { readonly path: string; readonly source: string }
  | { readonly path: string; readonly symlink: string };

interface Overlay {
  readonly path: string;
  readonly layer: string;
  readonly mountPoint: string;
}

/** Every pod has its own of these. */
const OWN = new Set(["/proc", "/sys", "/dev", "/run", "/tmp"]);
const NO_FILES =
  /^(proc|sysfs|devtmpfs|devpts|cgroup2?|securityfs|debugfs|tracefs|pstore|bpf|mqueue|hugetlbfs|autofs|nsfs|binfmt_misc|configfs|fusectl|rpc_pipefs|overlay)$/;
/** Commas, colons and backslashes mean something in overlayfs options; a directory with one is not shown. */
const PLAIN_PATH = /^\/[\w./+@%=~ -]*$/;

/** The empty files of the /etc layer: each pod's own are bound on them, even where the host's is a symlink. */
const ETC_FILES = ["hosts", "resolv.conf", "hostname"];

/** Answers once the program is past its `unshare`: `cat` says back what it hears. */
async function answered(anchor: Running): Promise<void> {
  const heard = new Promise<void>((resolve, reject) => {
    anchor.stdout.once("data", () => resolve());
    void anchor.ended.then((code) => reject(new Error(`making the mount namespace of the pods' view: exit ${code}`)));
  });
  anchor.stdin.write("\n");
  await heard;
}

/** `scratch` is an empty directory to mount on; `hidden` are paths that no pod may see. */
export async function buildHostView(
  host: Host,
  log: Log,
  scratch: string,
  hidden: readonly string[],
): Promise<HostView> {
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  // The anchor ends when we do: its input closes. Containers keep their own copy of the mounts.
  // Slave, not private: when the host unmounts something, it must not stay busy because of us.
  const anchor = await host.open("unshare", ["--mount", "--propagation", "slave", "cat"]);
  await answered(anchor);
  const namespace = `/proc/${anchor.pid}/ns/mnt`;
  const inside = (path: string): string => `/proc/${anchor.pid}/root${path}`;
  const mount = async (...args: string[]): Promise<void> => {
    await host.check("nsenter", [`--mount=${namespace}`, "mount", ...args]);
  };
  await mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", scratch);

  const mounts = (await readMounts()).filter(({ point }) => point !== "/");
  const below = (path: string): Mount[] => mounts.filter(({ point }) => point.startsWith(`${path}/`));
  const isHidden = (path: string): boolean => hidden.some((each) => path === each || path.startsWith(`${each}/`));
  const overlays: Overlay[] = [];
  let layers = 0;
  let saidFallback = false;

  const mountOverlay = (overlay: Overlay): Promise<void> =>
    mount("-t", "overlay", "overlay", "-o", `ro,lowerdir=${overlay.layer}:${overlay.path}`, overlay.mountPoint);

  const show = async (path: string): Promise<void> => {
    if (OWN.has(path) || isHidden(path) || !PLAIN_PATH.test(path)) return;
    const at = await lstat(path).catch(() => undefined);
    const shown = join(scratch, "root", path);
    if (at?.isSymbolicLink()) {
      await symlink(await readlink(path), inside(shown));
    }
    if (at === undefined || !at.isDirectory()) return;
    if (mounts.some(({ point, type }) => point === path && NO_FILES.test(type))) return;
    await mkdir(inside(shown), { recursive: true });
    const layer = join(scratch, "layers", String((layers += 1)));
    await mkdir(inside(layer), { recursive: true });
    await copyOwner(path, inside(layer));
    if (path === "/etc") await Promise.all(ETC_FILES.map((file) => writeFile(join(inside(layer), file), "")));
    const overlay: Overlay = { path, layer, mountPoint: shown };
    if (!below(path).some(({ type }) => !NO_FILES.test(type))) {
      const refused = await mountOverlay(overlay).then(
        () => undefined,
        (error: Error) => error,
      );
      if (refused === undefined) {
        overlays.push(overlay);
        return;
      }
      if (below(path).length === 0) {
        if (!saidFallback) {
          log.warn(
            { path, error: refused.message },
            "the kernel refuses overlays: pods see the host's files by read-only binds, its Unix sockets included",
          );
        }
        saidFallback = true;
        await mount("--bind", path, shown);
        return;
      }
    }
    // In a user namespace the kernel refuses an overlay over a directory with mounts below it: go round them.
    await copyOwner(path, inside(shown));
    for (const name of await readdir(path).catch(() => [])) await show(join(path, name));
  };

  await mkdir(inside(join(scratch, "root")), { recursive: true });
  const names = await readdir("/");
  await Promise.all(names.map((name) => show(`/${name}`)));

  const top = await Promise.all(
    (await readdir(inside(join(scratch, "root")), { withFileTypes: true })).map(async (entry): Promise<ViewEntry> => {
      const source = join(scratch, "root", entry.name);
      return entry.isSymbolicLink()
        ? { path: `/${entry.name}`, symlink: await readlink(inside(source)) }
        : { path: `/${entry.name}`, source };
    }),
  );

  let turn: Promise<void> = Promise.resolve();
  const ensure = async (path: string, kind: "directory" | "file"): Promise<void> => {
    if (await lstat(inside(join(scratch, "root", path))).catch(() => undefined)) return;
    const overlay = overlays
      .filter((each) => path.startsWith(`${each.path}/`))
      .sort((one, other) => other.path.length - one.path.length)[0];
    // At the top, and below /run or /tmp, the sandbox makes it itself.
    if (overlay === undefined) return;
    const steps = path.slice(overlay.path.length + 1).split("/");
    let host = overlay.path;
    let layer = inside(overlay.layer);
    for (const [index, step] of steps.entries()) {
      host = join(host, step);
      layer = join(layer, step);
      if (index === steps.length - 1 && kind === "file") {
        await writeFile(layer, "", { flag: "a" });
      } else {
        await mkdir(layer, { recursive: true });
        // A merged directory shows the upper one's owner and mode: a closed directory must stay closed.
        await copyOwner(host, layer);
      }
    }
    await mountOverlay(overlay);
  };

  return {
    namespace,
    entries: () => top,
    shown: (path) => join(scratch, "root", path),
    ensure(path, kind) {
      const next = turn.then(() => ensure(path, kind));
      turn = next.catch(() => {});
      return next;
    },
    async close() {
      anchor.stdin.end();
      anchor.kill("SIGKILL");
      await anchor.ended;
    },
  };
}

async function copyOwner(from: string, to: string): Promise<void> {
  const at = await lstat(from).catch(() => undefined);
  if (at === undefined || !at.isDirectory()) return;
  await chmod(to, at.mode & 0o7777);
  // Rootless, owners outside our user namespace cannot be given; the mode is then what keeps others out.
  await chown(to, at.uid, at.gid).catch(() => {});
}
