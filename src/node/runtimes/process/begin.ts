import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { childrenOf, identityOf, nameOf, signalProcess } from "../../../host/process-identity.ts";
import type { ContainerSight, ContainerStart } from "../runtime.ts";
import { StartError } from "../start-error.ts";
import { startFailure } from "./start-failure.ts";
import { readReport } from "./status-file.ts";

export type ProcessSight =
  | Exclude<ContainerSight, { state: "running" }>
  | {
      readonly state: "running";
      /** The first process of the container, as this machine numbers it. */
      readonly init: number;
    };

/** The programs that come before the pod's own. */
const STARTERS = new Set(["bwrap", "prlimit", "setpriv", "setsid"]);
/** How long a start is looked at before it is taken to run, and how long a look waits for the next at most; in milliseconds. */
const PATIENCE = 2_000;
const LOOK = 20;

/** The pod's own program: the child of the sandbox's first process, once it is past the programs that confine it. */
export async function programOf(init: number): Promise<number | undefined> {
  const [program] = await childrenOf(init);
  const name = program === undefined ? undefined : await nameOf(program);
  return name === undefined || STARTERS.has(name) ? undefined : program;
}

/** Waits until the pod's program runs, or has ended, which it answers: from then on signals and `exec` meet it and nothing else. */
export async function begun(look: () => Promise<ProcessSight>): Promise<ProcessSight | undefined> {
  let wait = 2;
  for (let waited = 0; waited < PATIENCE; waited += wait) {
    const sight = await look();
    if (sight.state === "exited") return sight;
    if (sight.state === "running" && (await programOf(sight.init)) !== undefined) return undefined;
    await new Promise((resolve) => setTimeout(resolve, wait));
    // Many starts at once take their time, and looking takes it from them.
    wait = Math.min(wait * 1.5, LOOK);
  }
  return undefined;
}

/** Throws StartError when the program could not be run. `sight` is what {@link begun} answered. */
export async function checkRan(start: ContainerStart, sight: ProcessSight | undefined): Promise<void> {
  if (sight?.state !== "exited" || sight.exitCode === 0) return;
  const log = await readFile(start.log, "utf8").catch(() => "");
  const why = startFailure(start.command, start.env["PATH"] ?? "", sight.exitCode, log);
  if (why !== undefined) throw new StartError(why);
}

/** Ends what an earlier start left that was cut short by our own death before it was written down. `network` is its namespace. */
export async function endLeftover(statusFile: string, network: string): Promise<void> {
  const { init } = readReport(await readFile(statusFile, "utf8").catch(() => ""));
  const left = init === undefined ? undefined : await identityOf(init);
  if (left === undefined) return;
  const [its, ours] = await Promise.all(
    [`/proc/${left.pid}/ns/net`, network].map((path) => stat(path).catch(() => undefined)),
  );
  if (its !== undefined && its.ino === ours?.ino) await signalProcess(left, "SIGKILL");
}

/** The same for every start of every container of a pod, whose directory has a directory for each. */
export async function endAllLeftovers(directory: string, network: string): Promise<void> {
  const below = (path: string): Promise<string[]> =>
    readdir(path, { withFileTypes: true }).then(
      (entries) => entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name)),
      () => [],
    );
  for (const container of await below(directory)) {
    for (const start of await below(container)) await endLeftover(join(start, "status"), network);
  }
}
