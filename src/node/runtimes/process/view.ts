import { chmod, chown, lstat, mkdir, readdir, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Host, Running, RunResult } from "../../../host/host.ts";
import { readMounts, type Mount } from "../../../host/mounts.ts";
import type { Log } from "../../../observe/log.ts";
import { pin } from "./pin.ts";
import { fstab, overlayOptions, viewStep, type Overlay } from "./view-plan.ts";

/**
 * What pods see of the host's files: one read-only overlay per directory, built in a mount namespace of its own.
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
  /** A place inside that shows `source`, checked to lie in the directory `within`, whoever swaps links meanwhile. */
  pin(source: string, within: string, kind: "directory" | "file"): Promise<string>;
  close(): Promise<void>;
}

export type ViewEntry =
  | { readonly path: string; readonly source: string }
  | { readonly path: string; readonly symlink: string };

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
  const script = 'mount -t tmpfs -o mode=0755 tmpfs "$1" && exec cat';
  const anchor = await host.open("unshare", ["--mount", "--propagation", "slave", "sh", "-c", script, "sh", scratch]);
  await answered(anchor);
  const namespace = `/proc/${anchor.pid}/ns/mnt`;
  const inside = (path: string): string => `/proc/${anchor.pid}/root${path}`;
  const mount = (...args: string[]): Promise<RunResult> =>
    host.run("nsenter", [`--mount=${namespace}`, "mount", ...args]);

  // A container's own machine mounts single files, /etc/hosts and its kind: they are put over the overlays, one by one.
  const { mounts, files } = await mountsByKind();
  const overlays: Overlay[] = [];
  let layers = 0;
  const show = async (path: string): Promise<void> => {
    const step = viewStep(path, mounts, hidden);
    if (step === "leave out") return;
    const at = await lstat(path).catch(() => undefined);
    const shown = join(scratch, "root", path);
    if (at?.isSymbolicLink()) await symlink(await readlink(path), inside(shown));
    if (at === undefined || !at.isDirectory()) return;
    await mkdir(inside(shown), { recursive: true });
    if (step === "descend") {
      await copyOwner(path, inside(shown));
      const names = await readdir(path).catch(() => []);
      await Promise.all(names.map((name) => show(join(path, name))));
      return;
    }
    const layer = join(scratch, "layers", String((layers += 1)));
    await mkdir(inside(layer), { recursive: true });
    await copyOwner(path, inside(layer));
    if (path === "/etc") await Promise.all(ETC_FILES.map((file) => writeFile(join(inside(layer), file), "")));
    overlays.push({ path, layer, mountPoint: shown });
  };
  await mkdir(inside(join(scratch, "root")), { recursive: true });
  await Promise.all((await readdir("/")).map((name) => show(`/${name}`)));

  const over = files.flatMap(({ point }) => {
    const overlay = overlayOf(overlays, point);
    return overlay === undefined ? [] : [{ point, overlay }];
  });
  // What such a mount covers stays covered, even where it cannot be shown.
  for (const { point, overlay } of over) await makePlace(overlay, point, "file", inside);

  const table = join(scratch, "fstab");
  await writeFile(inside(table), fstab(overlays));
  const { stderr } = await mount("--all", "--fstab", table);
  const mounted = new Set((await readMounts(anchor.pid)).map(({ point }) => point));
  const refused = overlays.filter(({ mountPoint }) => !mounted.has(mountPoint));
  if (refused.length > 0) {
    log.warn(
      { paths: refused.map(({ path }) => path), error: stderr.split("\n")[0] },
      "the kernel refuses overlays: pods see these files by read-only binds, the host's Unix sockets included",
    );
    // With all that is mounted below: a user namespace may not uncover it.
    for (const { path, mountPoint } of refused) await mount("--rbind", path, mountPoint);
  }
  for (const { point, overlay } of over) {
    const isOwn = ETC_FILES.some((file) => point === `/etc/${file}`);
    if (isOwn || refused.includes(overlay) || !(await lstat(point).catch(() => undefined))?.isFile()) continue;
    await mount("--bind", point, join(scratch, "root", point));
  }

  const top = await Promise.all(
    (await readdir(inside(join(scratch, "root")), { withFileTypes: true })).map(async (entry): Promise<ViewEntry> => {
      const source = join(scratch, "root", entry.name);
      return entry.isSymbolicLink()
        ? { path: `/${entry.name}`, symlink: await readlink(inside(source)) }
        : { path: `/${entry.name}`, source };
    }),
  );

  let pins = 0;
  let turn: Promise<void> = Promise.resolve();
  const ensure = async (path: string, kind: "directory" | "file"): Promise<void> => {
    if (await lstat(inside(join(scratch, "root", path))).catch(() => undefined)) return;
    const overlay = overlayOf(
      overlays.filter((each) => !refused.includes(each)),
      path,
    );
    // At the top, and below /run or /tmp, the sandbox makes it itself.
    if (overlay === undefined) return;
    await makePlace(overlay, path, kind, inside);
    const { code, stderr: complaint } = await mount(
      "-t",
      "overlay",
      "overlay",
      "-o",
      overlayOptions(overlay),
      overlay.mountPoint,
    );
    if (code !== 0) throw new Error(`making a place for ${path} in the pods' view: ${complaint.split("\n")[0]}`);
  };

  return {
    namespace,
    entries: () => top,
    shown: (path) => join(scratch, "root", path),
    pin: (source, within, kind) => {
      pins += 1;
      const place = join(scratch, "pins", String(pins));
      const make = async (): Promise<void> => {
        await mkdir(inside(join(scratch, "pins")), { recursive: true });
        await (kind === "directory" ? mkdir(inside(place)) : writeFile(inside(place), ""));
      };
      return pin({ source, within, place, make, mount, mounts: () => readMounts(anchor.pid) });
    },
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

/** The mounts of directories, and those of single files. */
async function mountsByKind(): Promise<{ mounts: Mount[]; files: Mount[] }> {
  const all = (await readMounts()).filter(({ point }) => point !== "/");
  const isDirectory = await Promise.all(
    all.map(async ({ point }) => (await lstat(point).catch(() => undefined))?.isDirectory() ?? true),
  );
  return { mounts: all.filter((_, at) => isDirectory[at]), files: all.filter((_, at) => !isDirectory[at]) };
}

/** The overlay that shows this path: the innermost. */
const overlayOf = (overlays: readonly Overlay[], path: string): Overlay | undefined =>
  overlays
    .filter((each) => path.startsWith(`${each.path}/`))
    .sort((one, other) => other.path.length - one.path.length)[0];

/** Makes something empty in the layer of an overlay, with the directories above it. */
async function makePlace(
  overlay: Overlay,
  path: string,
  kind: "directory" | "file",
  inside: (path: string) => string,
): Promise<void> {
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
}

async function copyOwner(from: string, to: string): Promise<void> {
  const at = await lstat(from).catch(() => undefined);
  if (at === undefined || !at.isDirectory()) return;
  await chmod(to, at.mode & 0o7777);
  // Rootless, owners outside our user namespace cannot be given; the mode is then what keeps others out.
  await chown(to, at.uid, at.gid).catch(() => {});
}
