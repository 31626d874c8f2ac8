import type { Pod } from "../../api/generated/types.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { PodRecord } from "../state/pod-record.ts";
import type { PodContext } from "./context.ts";

/** What all containers of one pod share. */
export interface SharedByContainers {
  readonly context: PodContext;
  readonly runtime: Runtime;
  /** The newest object of the pod. */
  readonly pod: () => Pod;
  readonly record: PodRecord;
  readonly save: () => Promise<void>;
  /** Called whenever what is so with a container has changed. */
  readonly changed: () => void;
  /** We leave; the containers stay. */
  readonly leaving: AbortSignal;
  /** No container is started any more, because the pod is ending or we leave. */
  readonly stopped: AbortSignal;
}
