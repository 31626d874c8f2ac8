import type { Flags, Given } from "./flags.ts";

/** A command of the command line: a file of its own in `commands/`, named in `main.ts`. */
export interface Command {
  readonly summary: string;
  /** The line after `usage:`. */
  readonly usage: string;
  readonly flags: Flags;
  /** Answers the exit code. */
  run(given: Given): Promise<number>;
}
