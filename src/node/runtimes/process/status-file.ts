/** What bubblewrap has said on its status descriptor so far: one JSON object a line. */
export interface MonitorReport {
  /** The sandbox's first process, as this machine numbers it. */
  readonly init: number | undefined;
  readonly exitCode: number | undefined;
}

/** Reads the status file of a container; half a line at the end is not yet said. */
export function readReport(text: string): MonitorReport {
  let init: number | undefined;
  let exitCode: number | undefined;
  for (const line of text.split("\n").slice(0, -1)) {
    let said: Record<string, unknown>;
    try {
      said = JSON.parse(line) as Record<string, unknown>;
    } catch {
      continue;
    }
    if (typeof said["child-pid"] === "number") init = said["child-pid"];
    if (typeof said["exit-code"] === "number") exitCode = said["exit-code"];
  }
  return { init, exitCode };
}
