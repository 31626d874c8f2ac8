/** What the programs that confine a container say when there is nothing to run; setpriv(1) and env(1) of util-linux and coreutils, bwrap(1). */
const COMPLAINTS = [
  /^(?:setpriv|prlimit|setsid): failed to execute (?<program>.*): (?<why>[^:]+)$/,
  /^bwrap: execvp (?<program>.*): (?<why>[^:]+)$/,
  /^(?:\/usr\/bin\/)?env: ['‘](?<program>.*)['’]: (?<why>[^:]+)$/,
];
const NO_DIRECTORY = /^bwrap: Can't chdir to (?<directory>.*): (?<why>[^:]+)$/;
/** Exit codes that mean so: as a shell's, 126 and 127; bubblewrap has 1, or ends before it can say one, which counts as 137. */
const CODES = new Set([1, 126, 127, 137]);

/**
 * Why the program of a container was never run, judged by how the container ended and the first line of its log;
 * undefined when it did run. `path` is the container's PATH.
 */
export function startFailure(
  command: readonly string[],
  path: string,
  exitCode: number,
  log: string,
): string | undefined {
  const [program = ""] = command;
  const line = log.split("\n", 1)[0] ?? "";
  if (!CODES.has(exitCode)) return undefined;
  const directory = NO_DIRECTORY.exec(line)?.groups;
  if (directory !== undefined) {
    return `starting ${JSON.stringify(program)}: workingDir ${directory["directory"]}: ${directory["why"]}`;
  }
  for (const complaint of COMPLAINTS) {
    const said = complaint.exec(line)?.groups;
    if (said === undefined || said["program"] !== program) continue;
    const isMissing = said["why"] === "No such file or directory";
    if (!program.includes("/")) {
      // A folder that may not be searched is told as a program that may not be run.
      const or = isMissing ? "" : `, or none that may be run (${said["why"]})`;
      return `starting ${JSON.stringify(program)}: executable file not found in $PATH${or}: ${path}`;
    }
    const hint = isMissing ? " (the program, or the interpreter that it names)" : "";
    return `starting ${JSON.stringify(program)}: ${said["why"]}${hint}; PATH is ${path}`;
  }
  return undefined;
}
