import type { ProcessIdentity } from "../../../host/process-identity.ts";
import type { StartedContainer } from "../runtime.ts";
import type { AttachableStreams } from "./standard-streams.ts";

/** What is remembered of a container that is a program of this machine. */
export interface StartedProcess extends StartedContainer {
  /** The process that waits for the container's end and writes its exit code. */
  readonly monitor: ProcessIdentity;
  /** File with what the monitor reports. */
  readonly statusFile: string;
  readonly user: number;
  readonly group: number;
  /** What older releases did not remember: further groups of its user, capabilities without `CAP_`, directories of its cgroups. */
  readonly supplementary?: readonly number[];
  readonly capabilities?: readonly string[];
  readonly groups?: readonly string[];
  /** What it says, and what it can be told. Those that older releases started lack both. */
  readonly log?: string;
  readonly streams?: AttachableStreams;
}

/** What the process runtime once gave out, and a record kept. */
export const startedProcess = (started: StartedContainer): StartedProcess => started as StartedProcess;
