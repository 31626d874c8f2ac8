import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { Pod } from "../../api/generated/types.ts";
import { ApiError } from "../../api/status.ts";
import { attemptOf } from "../logs/attempt.ts";
import { readLog } from "../logs/read-log.ts";
import type { Attachment, ExecRequest, Execution, Runtime, StartedContainer } from "../runtimes/runtime.ts";
import { dial, dialInside } from "./dial.ts";
import type { PodContext } from "./context.ts";
import type { PodWorker } from "./pod-worker.ts";

/** A container of a pod, as the API names it. */
export interface ContainerAddress {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface LogOptions {
  readonly previous?: boolean | undefined;
  readonly follow?: boolean | undefined;
  readonly tailLines?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly since?: number | undefined;
  readonly limitBytes?: number | undefined;
  readonly timestamps?: boolean | undefined;
}

/** What the node endpoint serves from: the logs of this node's containers, and programs run in them. */
export interface PodSource {
  logs(at: ContainerAddress, options: LogOptions, signal: AbortSignal): AsyncIterable<Buffer>;
  exec(at: ContainerAddress, request: ExecRequest): Promise<Execution>;
  /** Throws ApiError NotFound unless the pod is on this node. */
  has(at: Pick<ContainerAddress, "namespace" | "pod">): void;
  /** Joins the streams of a container's own program. */
  attach(at: ContainerAddress, request: { readonly stdin: boolean }): Promise<Attachment>;
  /** A connection to a port of a pod of this node, at one of the pod's own addresses. */
  dial(at: Pick<ContainerAddress, "namespace" | "pod">, ip: string, port: number): Promise<Duplex>;
  /** A connection to a port of a pod of this node as the pod's own programs have it: on its loopback, else at its addresses. */
  forward(at: Pick<ContainerAddress, "namespace" | "pod">, port: number): Promise<Duplex>;
}

/** Why a container that has no log yet does not run. */
function waitingReason(pod: Pod, container: string): string {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return statuses.find(({ name }) => name === container)?.state?.waiting?.reason ?? "ContainerCreating";
}

export function podSource(
  context: PodContext,
  find: (namespace: string, pod: string) => { pod: Pod; worker: PodWorker } | undefined,
): PodSource {
  const podAt = (at: Pick<ContainerAddress, "namespace" | "pod">): { pod: Pod; worker: PodWorker } => {
    const answer = find(at.namespace, at.pod);
    if (answer === undefined) throw new ApiError("NotFound", `pod "${at.pod}" is not on node ${context.nodeName}`);
    return answer;
  };
  const found = (at: ContainerAddress): { pod: Pod; worker: PodWorker } => {
    const answer = podAt(at);
    const names = [...(answer.pod.spec?.initContainers ?? []), ...(answer.pod.spec?.containers ?? [])];
    if (!names.some(({ name }) => name === at.container)) {
      throw new ApiError("BadRequest", `container ${at.container} is not valid for pod ${at.pod}`);
    }
    return answer;
  };

  const running = (at: ContainerAddress): { runtime: Runtime; started: StartedContainer } => {
    const { worker } = found(at);
    const started = worker.running(at.container);
    if (started === undefined) throw new ApiError("BadRequest", `container ${at.container} is not running`);
    return { runtime: context.runtimes.named(worker.record()!.runtime), started };
  };

  return {
    async *logs(at, options, signal) {
      const { pod, worker } = found(at);
      const record = worker.record();
      const memory = record?.containers[at.container];
      const attempt = attemptOf(memory, options.previous === true);
      if (record === undefined || attempt === undefined) {
        const why =
          options.previous === true
            ? `previous terminated container "${at.container}" in pod "${at.pod}" not found`
            : `container "${at.container}" in pod "${at.pod}" is waiting to start: ${waitingReason(pod, at.container)}`;
        throw new ApiError("BadRequest", why);
      }
      const path = join(context.files.logs(record), at.container, `${attempt}.log`);
      const ended = (): boolean => memory?.attempt !== attempt || memory.ended !== undefined;
      yield* readLog(path, { ...options, over: ended }, () => context.clock.now(), signal);
    },
    has: (at) => void podAt(at),
    async exec(at, request) {
      const { runtime, started } = running(at);
      return runtime.exec(started, request);
    },
    async attach(at, request) {
      const { runtime, started } = running(at);
      if (runtime.attach === undefined) {
        throw new ApiError("BadRequest", `container ${at.container}: the runtime ${runtime.name} attaches to none`);
      }
      return runtime.attach(started, request);
    },
    async dial(at, ip, port) {
      const addresses = podAt(at).worker.record()?.sandbox.addresses ?? [];
      if (!addresses.includes(ip)) throw new ApiError("NotFound", `pod "${at.pod}" has no address ${ip}`);
      return dial(ip, port);
    },
    async forward(at, port) {
      const sandbox = podAt(at).worker.record()?.sandbox;
      if (sandbox === undefined) throw new ApiError("ServiceUnavailable", `pod "${at.pod}" has no network yet`);
      return dialInside(sandbox, port);
    },
  };
}
