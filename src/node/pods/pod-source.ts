import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { Pod } from "../../api/generated/types.ts";
import { ApiError } from "../../api/status.ts";
import { microTimestamp } from "../../observe/clock.ts";
import { readLog, withTimestamps } from "../logs/read-log.ts";
import type { ExecRequest, Execution } from "../runtimes/runtime.ts";
import { dial } from "./dial.ts";
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
  readonly sinceSeconds?: number | undefined;
  readonly limitBytes?: number | undefined;
  readonly timestamps?: boolean | undefined;
}

/** What the node endpoint serves from: the logs of this node's containers, and programs run in them. */
export interface PodSource {
  logs(at: ContainerAddress, options: LogOptions, signal: AbortSignal): AsyncIterable<Buffer>;
  exec(at: ContainerAddress, request: ExecRequest): Promise<Execution>;
  /** A connection to a port of a pod of this node, at one of the pod's own addresses. */
  dial(at: Pick<ContainerAddress, "namespace" | "pod">, ip: string, port: number): Promise<Duplex>;
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

  return {
    async *logs(at, options, signal) {
      const { worker } = found(at);
      const record = worker.record();
      const memory = record?.containers[at.container];
      const attempt = (memory?.attempt ?? 0) - (options.previous === true ? 1 : 0);
      if (options.previous === true && attempt < 0) {
        throw new ApiError(
          "BadRequest",
          `previous terminated container "${at.container}" in pod "${at.pod}" not found`,
        );
      }
      if (record === undefined || memory?.started === undefined) {
        if (options.previous !== true) {
          throw new ApiError("BadRequest", `container "${at.container}" in pod "${at.pod}" is waiting to start`);
        }
      }
      const path = join(context.files.logs(record!), at.container, `${attempt}.log`);
      const { mtimeMs } = await stat(path);
      // Lines carry no time of their own, so `since` can only tell a file that was written to since from one that was not.
      const since = options.sinceSeconds;
      const old = since !== undefined && mtimeMs < context.clock.now() - since * 1000;
      const chunks = readLog(
        path,
        {
          tailLines: old ? 0 : options.tailLines,
          limitBytes: options.limitBytes,
          follow: options.follow === true && options.previous !== true,
          over: () => worker.running(at.container) === undefined || memory?.attempt !== attempt,
        },
        signal,
      );
      yield* options.timestamps === true ? withTimestamps(chunks, () => microTimestamp(mtimeMs)) : chunks;
    },
    async exec(at, request) {
      const { worker } = found(at);
      const started = worker.running(at.container);
      if (started === undefined) throw new ApiError("BadRequest", `container ${at.container} is not running`);
      return context.runtimes.named(worker.record()!.runtime).exec(started, request);
    },
    async dial(at, ip, port) {
      const addresses = podAt(at).worker.record()?.sandbox.addresses ?? [];
      if (!addresses.includes(ip)) throw new ApiError("NotFound", `pod "${at.pod}" has no address ${ip}`);
      return dial(ip, port);
    },
  };
}
