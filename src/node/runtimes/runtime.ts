import type { Readable, Writable } from "node:stream";
import type { Container, Pod } from "../../api/generated/types.ts";
import type { ProcessIdentity } from "../../host/process-identity.ts";

/** Why a pod or container cannot run here: the reason word is shown by `kubectl get`, the message names the field. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** A directory or file of the node which a container sees at a path. */
export interface BindMount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** All that one start of a container needs; nothing in it is looked up again. */
export interface ContainerStart {
  readonly pod: Pod;
  readonly container: Container;
  /** Network namespace under /run/netns. */
  readonly namespace: string;
  readonly hostname: string;
  /** `$(VAR)` already expanded. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly BindMount[];
  /** Directory of files of this start that only we write. */
  readonly directory: string;
  /** Appended with what the program says. */
  readonly log: string;
}

/** What must be remembered of a started container to find it again after we were away. */
export interface StartedContainer {
  /** The process that waits for the container's end and writes its exit code. */
  readonly monitor: ProcessIdentity;
  /** File with what the monitor reports. */
  readonly statusFile: string;
  readonly user: number;
  readonly group: number;
}

export type ContainerSight =
  | { readonly state: "starting" }
  | { readonly state: "running"; readonly init: number }
  | { readonly state: "exited"; readonly exitCode: number };

export interface ExecRequest {
  readonly command: readonly string[];
  readonly stdin: boolean;
}

export interface Execution {
  readonly stdin?: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Exit code; 128 + signal where a signal ended it. */
  readonly ended: Promise<number>;
  kill(): void;
}

/** A way to run the containers of a pod in a sandbox that the node made. */
export interface Runtime {
  readonly name: string;
  /** Why this pod cannot run here, judged by its spec alone; undefined when it can. */
  refusal(pod: Pod): Refusal | undefined;
  /** Gets ready for pods; called once, before the first start. */
  prepare(): Promise<void>;
  /** Starts a container that outlives us. */
  start(start: ContainerStart): Promise<StartedContainer>;
  status(started: StartedContainer): Promise<ContainerSight>;
  /** Calls back when `status` may have changed. The returned function ends it. */
  watch(started: StartedContainer, callback: () => void): () => void;
  /** SIGTERM goes to the container's program; SIGKILL ends every process of it. */
  stop(started: StartedContainer, signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  exec(started: StartedContainer, request: ExecRequest): Promise<Execution>;
  /** Ends what `prepare` began. Containers go on. */
  close(): Promise<void>;
}
