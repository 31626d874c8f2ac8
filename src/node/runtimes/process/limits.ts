import { createHash } from "node:crypto";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createCgroups, outOfMemoryKills, removeGroup, type Cgroups } from "../../../host/cgroups.ts";
import type { ContainerStart } from "../runtime.ts";
import { limitSettings, MOST_PROCESSES, outOfMemoryScore } from "./limit-settings.ts";
import type { StartedProcess } from "./started.ts";

/** Holds containers to their resources, as far as this machine lets us. */
export interface Limits {
  /** What is not enforced here and why, as a sentence; undefined: everything is. */
  readonly missing: string | undefined;
  /**
   * What a program is started by inside the sandbox where no cgroup counts processes: the kernel then counts those of a user in
   * a user namespace, which without root is one container's.
   */
  readonly counted: readonly string[];
  /** Makes the groups of a container that is about to start. */
  make(start: ContainerStart): Promise<string[]>;
  /** The program and its first arguments that a container is to be started by: it joins the groups, then becomes the container's. */
  joined(groups: readonly string[], start: ContainerStart, command: readonly string[]): [string, string[]];
  /** Why a container has ended whose program did not say so itself; its groups go. */
  ended(started: StartedProcess): Promise<"OOMKilled" | undefined>;
  /** Takes away the groups of a container that is being killed, once it is gone. */
  release(started: StartedProcess): void;
  /** Resolves when nothing is left that could be taken away. */
  close(): Promise<void>;
}

/** Always this same text: the score, the files to write to, and the program come as its arguments. */
const JOIN =
  '{ echo "$1" >/proc/self/oom_score_adj; } 2>/dev/null; shift; while [ "$1" != -- ]; do echo 0 >"$1" || exit 125; shift; done; shift; exec "$@"';

/** How long the processes of a killed container may take to be gone, and between two looks, in milliseconds. */
const PATIENCE = 10_000;
const LOOK = 20;
const LONGEST_LOOK = 200;

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds).unref());

function missingOf({ controllers }: Cgroups): string | undefined {
  const missing = [
    ...(controllers.includes("memory") ? [] : ["memory"]),
    ...(controllers.includes("cpu") ? [] : ["cpu"]),
    ...(controllers.includes("pids") ? [] : ["the number of processes"]),
  ];
  if (missing.length === 0) return undefined;
  return `limits of ${missing.join(", ")} are not enforced: there is no cgroup here that we may write to and that has them`;
}

/** `owner` tells the nodes of one machine apart; `capacity` is its memory; `prlimit` is the tool's path, where there is one. */
export async function createLimits(owner: string, capacity: string, prlimit: string | undefined): Promise<Limits> {
  const name = `fairlead-${createHash("sha256").update(owner).digest("hex").slice(0, 12)}`;
  const cgroups = await createCgroups(name);
  const going = new Set<Promise<void>>();

  const groupOf = (start: ContainerStart): string => {
    const [attempt, container] = start.directory.split("/").reverse();
    return `${start.pod.metadata.uid}_${container}_${attempt}`;
  };
  const markOf = (started: StartedProcess): string => `${started.statusFile}.out-of-memory`;

  const take = async (groups: readonly string[]): Promise<void> => {
    let wait = LOOK;
    for (let waited = 0; waited < PATIENCE; waited += wait) {
      if (await removeGroup(groups)) return;
      await pause(wait);
      wait = Math.min(LONGEST_LOOK, wait * 1.5);
    }
  };
  const release = (started: StartedProcess): void => {
    const { groups = [] } = started;
    if (groups.length === 0) return;
    const taking = take(groups).finally(() => going.delete(taking));
    going.add(taking);
  };

  return {
    missing: missingOf(cgroups),
    counted:
      cgroups.controllers.includes("pids") || prlimit === undefined ? [] : [prlimit, `--nproc=${MOST_PROCESSES}`],
    make: (start) => cgroups.make(groupOf(start), limitSettings(start.container)),
    joined(groups, start, command) {
      const score = String(outOfMemoryScore(start.pod, start.container, capacity));
      const files = groups.map((group) => join(group, "cgroup.procs"));
      return ["/bin/sh", ["-c", JOIN, "sh", score, ...files, "--", ...command]];
    },
    async ended(started) {
      const { groups = [] } = started;
      const mark = markOf(started);
      if (groups.length > 0 && (await outOfMemoryKills(groups)) > 0) await writeFile(mark, "").catch(() => {});
      release(started);
      return access(mark).then(
        () => "OOMKilled",
        () => undefined,
      );
    },
    release,
    async close() {
      await Promise.all(going);
      await cgroups.sweep();
    },
  };
}
