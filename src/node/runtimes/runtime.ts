import type { Readable, Writable } from "node:stream";
import type { Container, Pod, Probe } from "../../api/generated/types.ts";
import type { ProbeResult } from "../probes/result.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

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
  /** A directory that pods write to and that the source lies in: no link of theirs may lead the mount out of it. */
  readonly within?: string;
}

/** All that one start of a container needs; nothing in it is looked up again. */
export interface ContainerStart {
  readonly pod: Pod;
  readonly container: Container;
  /** The network that the node made, shared by all containers of the pod. */
  readonly sandbox: Sandbox;
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

/**
 * What must be remembered of a started container to find it again after we were away: JSON that only the runtime
 * which gave it out reads.
 */
export type StartedContainer = Readonly<Record<string, unknown>>;

export type ContainerSight =
  | { readonly state: "starting" }
  | { readonly state: "running" }
  | {
      readonly state: "exited";
      readonly exitCode: number;
      /** In the place of `Completed` or `Error`, e.g. `OOMKilled`. */
      readonly reason?: string;
    };

export interface ExecRequest {
  readonly command: readonly string[];
  readonly stdin: boolean;
  /** A terminal for the program: what it says is then all on `stdout`. */
  readonly tty?: boolean;
}

/** The streams of a program that runs in a container, and its end. */
export interface Execution {
  readonly stdin?: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Exit code; 128 + signal where a signal ended it. */
  readonly ended: Promise<number>;
  /** The size of its terminal, in characters; does nothing where there is none. */
  resize?(columns: number, rows: number): void;
  kill(): void;
}

/** The streams of a container's own program, from now on. The program goes on when they are left. */
export interface Attachment {
  readonly stdin?: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves with the exit code when the program ends. */
  readonly ended: Promise<number>;
  resize?(columns: number, rows: number): void;
  leave(): void;
}

export type ProbeKind = "startup" | "liveness" | "readiness";

/** A way to run the containers of a pod in a sandbox that the node made. */
export interface Runtime {
  readonly name: string;
  /** What its pods' networks are. A pod with `hostNetwork` has the node's own instead. */
  readonly network: "own" | "shared";
  /** Why this pod cannot run here, judged by its spec alone; undefined when it can. */
  refusal(pod: Pod): Refusal | undefined;
  /** Gets ready for pods; called once, before the first start. */
  prepare(): Promise<void>;
  /** Starts a container that outlives us. Throws StartError when its program cannot be run. */
  start(start: ContainerStart): Promise<StartedContainer>;
  /** Takes over a container that was started before we were; called before anything else is asked of it. */
  adopt?(started: StartedContainer, start: Pick<ContainerStart, "pod" | "container" | "sandbox">): Promise<void>;
  status(started: StartedContainer): Promise<ContainerSight>;
  /** Calls back when `status` may have changed. The returned function ends it. */
  watch(started: StartedContainer, callback: () => void): () => void;
  /** A signal by its name, e.g. SIGTERM, goes to the container's program; SIGKILL ends every process of it. */
  stop(started: StartedContainer, signal: string): Promise<void>;
  exec(started: StartedContainer, request: ExecRequest): Promise<Execution>;
  /** Joins the program's own streams. Absent: this runtime cannot. */
  attach?(started: StartedContainer, request: { readonly stdin: boolean }): Promise<Attachment>;
  /**
   * Ends what was begun below a pod's directory by one of us that died before it could write that down; called before the pod's
   * network is taken away. Absent: nothing outlives us unwritten.
   */
  endLeftovers?(directory: string, sandbox: Sandbox): Promise<void>;
  /** Connections to the pod's own network that no program has accepted yet. Absent: there are none. */
  waiting?(started: StartedContainer): Promise<number>;
  /**
   * Answers a probe in the program's place, where there is no program to ask; called after `initialDelaySeconds` and then whenever
   * the pod's object changes. Its word counts at once, without thresholds. Absent: the node asks the program itself.
   */
  judge?(pod: Pod, container: Container, kind: ProbeKind, probe: Probe): ProbeResult;
  /** Ends what `prepare` began. Containers go on. */
  close(): Promise<void>;
}
