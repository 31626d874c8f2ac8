import { join } from "node:path";
import type { BindMount } from "../runtime.ts";
import { becomeOptions } from "./enter.ts";
import type { HomeView } from "./home.ts";
import type { ViewEntry } from "./view.ts";

/** What confines one container. */
export interface Confinement {
  readonly view: readonly ViewEntry[];
  /** Home directories of which the entries with a dot are not there. */
  readonly homes: readonly HomeView[];
  /** Where the view of a path of the host is. */
  readonly shown: (path: string) => string;
  /** Descriptor of the seccomp program, where there is one. */
  readonly filter: number | undefined;
  /** Paths covered by something empty. */
  readonly hidden: readonly string[];
  readonly nodeBinary: string;
  readonly mounts: readonly (BindMount & {
    /** The source is a device of the host. */
    readonly isDevice?: boolean;
  })[];
  readonly hostname: string;
  readonly workingDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: number;
  readonly group: number;
  readonly groups: readonly number[];
  /** What root has in the container, without `CAP_`; nobody else has any. */
  readonly capabilities: readonly string[];
  /** With the devices and settings of the host, and without a filter of system calls. No new rights all the same: bubblewrap sees to that. */
  readonly privileged: boolean;
  /** With the host's System V IPC and POSIX shared memory. */
  readonly hostIPC: boolean;
  /** Absolute path of setpriv, the same outside and inside. */
  readonly setpriv: string;
  /** What counts its processes: a program that starts what follows. */
  readonly counted: readonly string[];
  readonly rootless: boolean;
}

/** Where a pod finds Fairlead's own Node. */
export const NODE_DIRECTORY = "/run/fairlead/bin";

/**
 * Variables which the C library obeys in any program (glibc `unsecvars.h`, musl), and languages. The program that
 * gives up root's identity inside the sandbox must not see a pod's own, or the pod's library would run in it.
 */
const OBEYED_BY_LOADER =
  /^(LD_|GLIBC_|MALLOC_|MUSL_|LC_|LANG|GCONV_PATH|GETCONF_DIR|HOSTALIASES|LOCALDOMAIN|LOCPATH|NIS_PATH|NLSPATH|OUTPUT_CHARSET|RESOLV_HOST_CONF|RES_OPTIONS|TMPDIR|TZ)/;

/** Tells variables that any program may be given from those that only the pod's own may see. */
export function splitEnvironment(env: Readonly<Record<string, string>>): {
  safe: Record<string, string>;
  late: string[];
} {
  const safe: Record<string, string> = {};
  const late: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (OBEYED_BY_LOADER.test(name)) late.push(`${name}=${value}`);
    else safe[name] = value;
  }
  return { safe, late };
}

/** The variables of Services (DNS-145 … DNS-152): harmless to any program, and seven or more for each Service. */
const OF_SERVICES =
  /^[A-Z_][A-Z0-9_]*_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

const isInherited = ([name, value]: [string, string]): boolean =>
  OF_SERVICES.test(name) && !OBEYED_BY_LOADER.test(name) && !/[\n\0]/.test(value);

/** Variables that bubblewrap is started with and hands on: it takes 9,000 words of options at most, and a namespace of many Services has more. */
export const inheritedEnvironment = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .filter(isInherited)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");

/** What the program needs that gives up everything else. */
const TO_GIVE_UP_RIGHTS = ["SETUID", "SETGID", "SETPCAP"];

const inOwn = (path: string): boolean => /^\/(run|tmp|proc|sys|dev)(\/|$)/.test(path);

/** The directories above a mount point that are made for it: everybody may pass through, where bubblewrap would let only root. */
function madeParents(target: string, view: readonly ViewEntry[]): string[] {
  const steps = target.split("/").slice(1, -1);
  if (!inOwn(target) && view.some(({ path }) => path === `/${steps[0]}`)) return [];
  return steps.map((_, index) => `/${steps.slice(0, index + 1).join("/")}`).slice(inOwn(target) ? 1 : 0);
}

/**
 * Options for bubblewrap, for its `--args` descriptor: they hold the environment, and a command line is everybody's to read.
 * Later mounts cover earlier ones.
 */
export function bubblewrapOptions(confinement: Confinement): string[] {
  const { safe } = splitEnvironment(confinement.env);
  // Rootless there are no rights to give up, and nothing runs between.
  const given = confinement.rootless ? confinement.env : safe;
  return [
    ...confinement.view.flatMap((entry) =>
      "symlink" in entry ? ["--symlink", entry.symlink, entry.path] : ["--ro-bind", entry.source, entry.path],
    ),
    ...(confinement.privileged ? ["--dev-bind", "/dev", "/dev", "--bind", "/sys", "/sys"] : ["--dev", "/dev"]),
    "--proc",
    "/proc",
    ...[...(confinement.hostIPC || confinement.privileged ? [] : ["/dev/shm"]), "/tmp", "/run"].flatMap((path) => [
      "--perms",
      "1777",
      "--tmpfs",
      path,
    ]),
    ...(confinement.hostIPC && !confinement.privileged ? ["--bind", "/dev/shm", "/dev/shm"] : []),
    "--ro-bind",
    confinement.nodeBinary,
    `${NODE_DIRECTORY}/node`,
    ...confinement.homes.flatMap(({ path, entries }) => [
      "--tmpfs",
      path,
      ...entries.flatMap((entry) => {
        const at = join(path, entry.name);
        return "symlink" in entry ? ["--symlink", entry.symlink, at] : ["--ro-bind-try", confinement.shown(at), at];
      }),
    ]),
    ...confinement.hidden.filter((path) => !inOwn(path)).flatMap((path) => ["--tmpfs", path, "--remount-ro", path]),
    ...confinement.mounts.flatMap(({ source, target, readOnly, isDevice }) => [
      ...madeParents(target, confinement.view).flatMap((path) => ["--perms", "0755", "--dir", path]),
      isDevice === true ? "--dev-bind" : readOnly ? "--ro-bind" : "--bind",
      source,
      target,
    ]),
    ...confinement.homes.flatMap(({ path }) => ["--remount-ro", path]),
    "--remount-ro",
    "/",
    ...(confinement.filter === undefined || confinement.privileged ? [] : ["--seccomp", String(confinement.filter)]),
    "--chdir",
    confinement.workingDir,
    "--unshare-pid",
    ...(confinement.hostIPC ? [] : ["--unshare-ipc"]),
    "--unshare-uts",
    "--hostname",
    confinement.hostname,
    // The rest of what bubblewrap is started with is PATH alone, which is set here.
    ...Object.entries(given)
      .filter((variable) => !isInherited(variable))
      .flatMap(([name, value]) => ["--setenv", name, value]),
    "--cap-drop",
    "ALL",
    ...(confinement.rootless
      ? ["--unshare-user", "--uid", String(confinement.user), "--gid", String(confinement.group)]
      : [...new Set([...TO_GIVE_UP_RIGHTS, ...confinement.capabilities])].flatMap((name) => [
          "--cap-add",
          `CAP_${name}`,
        ])),
  ];
}

/** What bubblewrap starts: as root, first a program that becomes the pod's user and gives up for good what a pod's program may not have. */
export function confinedCommand(confinement: Confinement, command: readonly string[]): string[] {
  if (confinement.rootless) return [...confinement.counted, ...command];
  const { late } = splitEnvironment(confinement.env);
  return [
    ...confinement.counted,
    confinement.setpriv,
    ...becomeOptions({ ...confinement, supplementary: confinement.groups }),
    "--no-new-privs",
    "--",
    ...(late.length === 0 ? [] : ["/usr/bin/env", ...late]),
    ...command,
  ];
}
