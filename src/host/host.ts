import type { Readable, Writable } from "node:stream";

export interface RunOptions {
  /** Text for standard input; without it the tool reads end-of-file at once. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Milliseconds after which the tool is killed; 30 seconds unless told. */
  readonly timeout?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface RunResult {
  /** Exit code; 128 + signal where a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs beside us and is talked to. It ends with us unless `detached`. */
export interface Running {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when it has ended: exit code, or 128 + signal. */
  readonly ended: Promise<number>;
  kill(signal?: NodeJS.Signals): void;
}

export interface DetachedOptions {
  /** Appended with standard output and standard error. */
  readonly output: string;
  /** Further files, opened for writing as descriptors 3, 4, …: descriptor 3 is `files[0]`. */
  readonly files?: readonly string[];
  /** Further files, opened for reading as the descriptors that follow those of `files`. */
  readonly inputs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A tool could not be started because it is not there. */
export class ToolMissing extends Error {
  override readonly name = "ToolMissing";
  readonly tool: string;
  constructor(tool: string, options?: ErrorOptions) {
    super(`running ${tool}: it is not installed, or not in PATH`, options);
    this.tool = tool;
  }
}

/** A tool ran and failed: what it was given, and its first line of complaint. */
export class ToolFailed extends Error {
  override readonly name = "ToolFailed";
  readonly command: string;
  readonly input: string | undefined;
  readonly result: RunResult;
  constructor(command: string, input: string | undefined, result: RunResult) {
    const complaint = result.stderr.trim().split("\n")[0] ?? "";
    super(`running ${command}: exit code ${result.code}${complaint === "" ? "" : `: ${complaint}`}`);
    this.command = command;
    this.input = input;
    this.result = result;
  }
}

/**
 * This machine, as far as starting programs goes. The only way to a process: everything in this room takes one,
 * so that a test can give another. Arguments go to the program as they are; no shell is between.
 */
export interface Host {
  /** Runs a tool to its end, whatever its exit code. Throws {@link ToolMissing}. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** As `run`, but throws {@link ToolFailed} unless the exit code is 0. */
  check(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a program with pipes. Throws {@link ToolMissing}. */
  open(
    command: string,
    args: readonly string[],
    options?: {
      env?: Readonly<Record<string, string>>;
      cwd?: string;
      stderr?: "pipe" | "inherit";
      /** Files opened for reading as descriptors 3, 4, … */
      inputs?: readonly string[];
      /** Descriptors of ours that it gets too, after those of `inputs`. */
      descriptors?: readonly number[];
    },
  ): Promise<Running>;
  /**
   * Starts a program in a session of its own that outlives us: output goes to a file, nothing to pipes.
   * Answers its process id. Throws {@link ToolMissing}.
   */
  startDetached(command: string, args: readonly string[], options: DetachedOptions): Promise<number>;
  /** Path of a tool, or undefined where there is none. Looks in PATH and in the sbin folders. */
  which(tool: string): Promise<string | undefined>;
}
