import { readFile } from "node:fs/promises";

/** A process that cannot be taken for another: its id, and when it started in clock ticks since boot. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

/** When the process started (field 22 of `/proc/PID/stat`), or undefined where there is none or only its zombie. */
export async function startTicksOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name in field 2 may hold spaces and parentheses, so fields are counted from the last parenthesis.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : Number(fields[19]);
}

/** The process with this id now; undefined where there is none. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const startTicks = await startTicksOf(pid);
  return startTicks === undefined ? undefined : { pid, startTicks };
}

/** True while this very process runs: a later one with the same id is another. */
export const isRunning = async (process: ProcessIdentity): Promise<boolean> =>
  (await startTicksOf(process.pid)) === process.startTicks;

/** Sends a signal to this very process, or to `at` while this process runs; false when it is gone. */
export async function signalProcess(
  target: ProcessIdentity,
  signal: NodeJS.Signals,
  at: number = target.pid,
): Promise<boolean> {
  if (!(await isRunning(target))) return false;
  try {
    process.kill(at, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw new Error(`sending ${signal} to process ${target.pid}: ${(error as Error).message}`, { cause: error });
  }
}

/** Waits until the process is gone, looking every few milliseconds; false when `milliseconds` have passed. */
export async function waitForEnd(process: ProcessIdentity, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (await isRunning(process)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}

/** Ids of the processes that this one started and that still run (Linux 3.5 and newer). */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.split(" ").filter(Boolean).map(Number);
}

/** The processes that this one started, those that they started, and so on: each before what it started. */
export async function descendantsOf(pid: number): Promise<number[]> {
  const children = await childrenOf(pid);
  const further = await Promise.all(children.map(descendantsOf));
  return [...children, ...further.flat()];
}

/** The variables a process was started with, as far as it has not written over them. */
export async function environmentOf(pid: number): Promise<Record<string, string>> {
  const text = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
  const pairs = text.split("\0").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
  return Object.fromEntries(pairs.filter(([name]) => name !== "")) as Record<string, string>;
}

/** The name of the program a process runs (15 characters at most), or undefined where there is no process. */
export const nameOf = (pid: number): Promise<string | undefined> =>
  readFile(`/proc/${pid}/comm`, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );

/** As `signalProcess`, to the whole process group that this process leads. */
export const signalGroup = (leader: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> =>
  signalProcess(leader, signal, -leader.pid);
