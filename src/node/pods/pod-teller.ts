import type { Pod, PodCondition } from "../../api/generated/types.ts";
import { timestamp } from "../../observe/clock.ts";
import type { PodRecord } from "../state/pod-record.ts";
import type { PodContext } from "./context.ts";
import { podStatus, type ContainerView, type StatusInputs, type Verdict } from "./status.ts";
import { statusWriter } from "./status-writer.ts";

export interface PodTellerOptions {
  readonly context: PodContext;
  readonly pod: () => Pod;
  readonly record: () => PodRecord | undefined;
  /** What is so with each container that was begun, by its name. */
  readonly views: () => ReadonlyMap<string, ContainerView>;
  readonly isEnding: () => boolean;
}

/** Tells the API what is so with a pod. */
export interface PodTeller {
  /** Something has changed. */
  readonly tell: () => void;
  /** Nothing of the pod runs any more. */
  tellEnd(): void;
  /** The pod has failed, whatever its containers did. */
  fail(verdict: Verdict): void;
  /** No container of the pod is begun, and why; the event has a reason word of its own. */
  refuse(event: string, reason: string, message: string): void;
  /** The pod cannot be set up yet, and why. */
  readonly trouble: (reason: string, message: string) => void;
  /** The network and the files are there. */
  setUp(): void;
  /** The pod's object is another now. */
  podChanged(): void;
  /** Resolves when the newest status is stored, or the pod is gone, or we were stopped. */
  settled(): Promise<void>;
  stop(): void;
}

export function podTeller({ context, pod, record, views, isEnding }: PodTellerOptions): PodTeller {
  const { clock, events } = context;
  const first = pod();
  const writer = statusWriter(context, first);
  let conditions: readonly PodCondition[] = first.status?.conditions ?? [];
  let generation = first.metadata.generation;
  let isSetUp = record() !== undefined;
  let sandboxTrouble: StatusInputs["sandboxTrouble"];
  /** What is so with all containers that were not begun. */
  let refused: ContainerView | undefined;
  let verdict: Verdict | undefined;
  let isStopped = false;

  const write = (ending: StatusInputs["ending"]): void => {
    if (isStopped) return;
    const containers = new Map(views());
    if (refused !== undefined) {
      for (const { name } of pod().spec?.containers ?? []) if (!containers.has(name)) containers.set(name, refused);
    }
    const now = timestamp(clock.now());
    const podIPs = record()?.sandbox.addresses ?? [];
    const status = podStatus({
      pod: pod(),
      containers,
      podIPs,
      ending,
      verdict,
      sandboxTrouble,
      now,
      hostIPs: context.nodeAddresses,
      startTime: record()?.startTime ?? pod().status?.startTime ?? now,
      sandboxReady: isSetUp && ending !== "over",
      previous: conditions,
    });
    conditions = status.conditions ?? [];
    writer.write(status);
  };
  const tell = (): void => write(isEnding() ? "yes" : "no");

  const refuse = (event: string, reason: string, message: string): void => {
    if (refused?.state.waiting?.message === message) return;
    events.event(pod(), "Warning", event, message);
    const state = { waiting: { reason, message } };
    refused = { state, last: undefined, restartCount: 0, ready: false, started: false, containerID: undefined };
    tell();
  };

  return {
    tell,
    refuse,
    tellEnd: () => write("over"),
    fail(why) {
      verdict = why;
      tell();
    },
    trouble(reason, message) {
      sandboxTrouble = reason === "FailedCreatePodSandBox" ? { reason, message } : undefined;
      refuse(reason, "ContainerCreating", message);
    },
    setUp() {
      isSetUp = true;
      sandboxTrouble = undefined;
      refused = undefined;
    },
    podChanged() {
      const hasGates = (pod().spec?.readinessGates ?? []).length > 0;
      const isOther = hasGates || pod().metadata.generation !== generation;
      generation = pod().metadata.generation;
      // Before the first word there is nothing that could be another.
      if (writer.hasTold() && (writer.isContradicted(pod()) || isOther)) tell();
    },
    settled: () => writer.settled(),
    stop() {
      isStopped = true;
      writer.stop();
    },
  };
}
