import type { ContainerStatus, Pod } from "../../api/generated/types.ts";
import { timestamp } from "../../observe/clock.ts";
import { ConfigError } from "../environment/lookups.ts";
import type { Runtime } from "../runtimes/runtime.ts";
import type { PodRecord } from "../state/pod-record.ts";
import type { PodContext } from "./context.ts";
import { pause } from "./pause.ts";
import { preparePodFiles, preparePodNetwork } from "./prepare-pod.ts";

/** How long until a pod that could not be set up is tried again, in milliseconds: twice as long each time, up to the last. */
const RETRY = { least: 1_000, most: 10_000 };

/** Restarts that the API knows of, for a pod of which we have no record: it ran here once, and what ran is gone. */
const restartsOf = (status: ContainerStatus): number =>
  status.restartCount + (status.state?.waiting === undefined ? 1 : 0);

/** What is remembered of a pod that begins here. Throws when its network has no address left. */
export function newRecord(context: PodContext, runtime: Runtime, pod: Pod): PodRecord {
  const { namespace = "", name = "", uid = "" } = pod.metadata;
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return {
    version: 1,
    uid,
    namespace,
    name,
    runtime: runtime.name,
    sandbox: context.networks[pod.spec?.hostNetwork === true ? "host" : runtime.network].plan(uid),
    startTime: pod.status?.startTime ?? timestamp(context.clock.now()),
    containers: Object.fromEntries(
      statuses.map((status) => [status.name, { attempt: 0, restartCount: restartsOf(status), failures: 0 }]),
    ),
  };
}

export interface SetUpOptions {
  readonly context: PodContext;
  readonly pod: () => Pod;
  /** The pod's record, made now where there is none. */
  readonly record: () => PodRecord;
  readonly save: () => Promise<void>;
  /** Hears why the pod cannot be set up yet. */
  readonly trouble: (reason: string, message: string) => void;
  readonly stopped: AbortSignal;
}

/** Makes a pod's network and files, and tries again until they are there; false when the pod is no longer to be begun. */
export async function setUpPod({ context, pod, record, save, trouble, stopped }: SetUpOptions): Promise<boolean> {
  const { clock, log } = context;
  for (let wait = RETRY.least; !stopped.aborted; wait = Math.min(wait * 2, RETRY.most)) {
    try {
      const known = record();
      await context.inTurn(async () => {
        if (stopped.aborted) return;
        await save();
        await Promise.all([preparePodNetwork(context, known), preparePodFiles(context, pod(), known)]);
      });
      return !stopped.aborted;
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof ConfigError) {
        trouble("FailedMount", message);
      } else {
        trouble("FailedCreatePodSandBox", `Failed to create pod sandbox: ${message}`);
        log.warn({ pod: pod().metadata.name, namespace: pod().metadata.namespace, error }, "setting up a pod failed");
      }
      await pause(clock, wait, stopped);
    }
  }
  return false;
}
