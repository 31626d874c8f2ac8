import type { ContainerStateTerminated } from "../../api/generated/types.ts";

/** What is known of an end. Times are RFC 3339. */
export interface End {
  readonly exitCode: number;
  /** The runtime's own word for it, e.g. `OOMKilled`. */
  readonly reason?: string | undefined;
  readonly message: string;
  readonly startedAt: string | undefined;
  readonly finishedAt: string;
  readonly containerID: string;
}

/** The state of a container that ended. An exit code above 128 is a signal's, as a shell says it. */
export const terminated = (end: End): ContainerStateTerminated => ({
  exitCode: end.exitCode,
  reason: end.reason ?? (end.exitCode === 0 ? "Completed" : "Error"),
  ...(end.message === "" ? {} : { message: end.message }),
  ...(end.startedAt === undefined ? {} : { startedAt: end.startedAt }),
  finishedAt: end.finishedAt,
  containerID: end.containerID,
  ...(end.exitCode > 128 && end.exitCode < 160 ? { signal: end.exitCode - 128 } : {}),
});

/** The exit code of a program that could not be run, as container runtimes say it. */
export const CANNOT_RUN = 128;
