import { readFile } from "node:fs/promises";

/** A process named so that a later one with the same number is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and its start: field 22 of /proc/PID/stat. */
  readonly startTime: string;
}

/** The identity of a living process; undefined when there is none (a zombie counts as none). */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (stat === undefined) return undefined;
  // The name in parentheses may hold spaces and parentheses itself; the fields after it cannot.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : { pid, startTime: fields[19]! };
}

/** Whether this very process still lives. */
export const isAlive = async (process: ProcessIdentity): Promise<boolean> =>
  (await identityOf(process.pid))?.startTime === process.startTime;

/** Signals a process if it is still the one that was meant; false when it is gone. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(identity))) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Waits until the process is gone, looking every few milliseconds; false when `milliseconds` have passed. */
export async function waitForEnd(identity: ProcessIdentity, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (await isAlive(identity)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}
