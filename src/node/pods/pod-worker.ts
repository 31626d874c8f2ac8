import { ACCEPTS_WITHIN, untilAccepted } from "../ending/accepted.ts";
import type { Pod } from "../../api/generated/types.ts";
import type { Runtime, StartedContainer } from "../runtimes/runtime.ts";
import type { PodRecord } from "../state/pod-record.ts";
import { runContainer, type ContainerRunner } from "./container-runner.ts";
import type { PodContext } from "./context.ts";
import { deadline, DEADLINE_EXCEEDED } from "./deadline.ts";
import { deleteObject } from "./delete-object.ts";
import { endContainers } from "./end-pod.ts";
import { gracePeriod } from "./grace.ts";
import type { KnownContainer } from "./kinds.ts";
import { whenAborted } from "./pause.ts";
import { podTeller } from "./pod-teller.ts";
import { removePod } from "./remove-pod.ts";
import { newRecord, setUpPod } from "./set-up.ts";
import type { SharedByContainers } from "./shared.ts";
import { runInOrder, stillRunning } from "./start-order.ts";

/** One pod of this node, from when it is seen until nothing is left of it. */
export interface PodWorker {
  readonly uid: string;
  /** The newest object of the pod. */
  update(pod: Pod): void;
  /** The object is gone from the API without us: nothing may stay. */
  gone(): void;
  running(container: string): StartedContainer | undefined;
  record(): PodRecord | undefined;
  /** Leaves the pod as it is. */
  leave(): Promise<void>;
  /** Resolves when nothing is left of the pod here, or we have left it. */
  readonly done: Promise<void>;
}

/** When at the latest the API hears of a pod whose containers are being made, in milliseconds. */
const FIRST_WORD = 1_000;
const isOver = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
const isReady = (pod: Pod): boolean => pod.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";

export function startPodWorker(context: PodContext, first: Pod, known: PodRecord | undefined): PodWorker {
  const { clock } = context;
  const log = context.log.child({ namespace: first.metadata.namespace, pod: first.metadata.name });
  /** No container is started any more: the pod is deleted, failed, past its deadline or through, or we leave. */
  const stopping = new AbortController();
  const stopped = stopping.signal;
  /** The object is to go. */
  const deleted = new AbortController();
  const leaving = new AbortController();
  const grace = gracePeriod(clock);
  const runners = new Map<string, ContainerRunner>();
  let pod = first;
  let record = known;
  let isGone = false;

  const teller = podTeller({
    context,
    pod: () => pod,
    record: () => record,
    views: () => new Map([...runners].map(([name, runner]) => [name, runner.view()])),
    isEnding: () => stopped.aborted,
  });
  const limit = deadline(clock, () => {
    context.events.event(pod, "Normal", DEADLINE_EXCEEDED.reason, DEADLINE_EXCEEDED.message);
    teller.fail(DEADLINE_EXCEEDED);
    end();
  });

  let saving: Promise<void> = Promise.resolve();
  const save = (): Promise<void> => {
    const next = saving.then(async () => {
      if (record !== undefined) await context.records.save(record);
    });
    saving = next.catch(() => {});
    return next;
  };

  /** Lets the containers end in the pod's own grace, unless one was given already. */
  function end(): void {
    if (stopped.aborted) return;
    grace.arm(clock.now() + (pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000);
    stopping.abort();
  }
  /** The SIGKILL moment is the API's; a second DELETE may bring it nearer (CTL-111). */
  function endDeleted(): void {
    grace.arm(Date.parse(pod.metadata.deletionTimestamp ?? ""));
    stopping.abort();
    deleted.abort();
  }

  const begin = (runtime: Runtime, each: KnownContainer): ContainerRunner => {
    const shared: SharedByContainers = {
      context,
      runtime,
      save,
      stopped,
      pod: () => pod,
      record: record!,
      changed: teller.tell,
      leaving: leaving.signal,
    };
    const runner = runContainer(shared, each);
    runners.set(each.container.name, runner);
    return runner;
  };

  /** Resolves when the containers have ended for good, or the pod is ending: then those that are left are to be ended. */
  const run = async (): Promise<void> => {
    const runtime = record === undefined ? context.runtimes.of(pod) : context.runtimes.named(record.runtime);
    const refusal = "message" in runtime ? runtime : record === undefined ? runtime.refusal(pod) : undefined;
    if (refusal !== undefined) {
      teller.refuse("Failed", refusal.reason, refusal.message);
      return whenAborted(stopped);
    }
    const chosen = runtime as Runtime;
    const isSetUp = await setUpPod({
      context,
      save,
      stopped,
      trouble: teller.trouble,
      pod: () => pod,
      record() {
        record ??= newRecord(context, chosen, pod);
        limit.arm(pod, record.startTime);
        return record;
      },
    });
    if (isSetUp) {
      teller.setUp();
      await context.ready;
    }
    if (stopped.aborted) {
      if (record !== undefined && !leaving.signal.aborted)
        for (const each of stillRunning(pod, record)) begin(chosen, each);
      return;
    }
    // Most containers run in a moment: then the first status told is already that one.
    const unhush = clock.after(FIRST_WORD, teller.tell);
    leaving.signal.addEventListener("abort", unhush, { once: true });
    const through = runInOrder(pod, record!, (each) => begin(chosen, each), stopped).finally(unhush);
    await Promise.race([through, whenAborted(stopped)]);
  };

  /** Until no new connection is led to the pod, and those that were have been accepted. */
  const letGo = async (): Promise<void> => {
    const signal = AbortSignal.any([grace.over, leaving.signal]);
    await context.proxiesKnow(pod, signal);
    if (record === undefined || record.sandbox.network !== "own") return;
    const runtime = context.runtimes.named(record.runtime);
    // All containers of the pod have one network: any that runs shows its queues.
    const started = [...runners.values()].map((runner) => runner.running()).find((one) => one !== undefined);
    if (started === undefined) return;
    const waiting = async (): Promise<number> => (await runtime.waiting?.(started)) ?? 0;
    await untilAccepted(waiting, { clock, signal, patience: ACCEPTS_WITHIN });
  };

  const life = async (): Promise<void> => {
    // Nothing of a finished pod is started again; its record stays for its logs.
    if (!isOver(pod) || (record !== undefined && stillRunning(pod, record).length > 0)) await run();
    if (leaving.signal.aborted) return;
    const wasReady = isReady(pod);
    end();
    if (deleted.signal.aborted && wasReady && !isGone) {
      await letGo();
    }
    await endContainers([...runners.values()], grace);
    limit.disarm();
    grace.disarm();
    if (leaving.signal.aborted) return;
    if (runners.size > 0) teller.tellEnd();
    await whenAborted(deleted.signal, leaving.signal);
    if (leaving.signal.aborted) return;
    if (!isGone) {
      teller.tellEnd();
      await teller.settled();
    }
    teller.stop();
    await saving;
    if (record !== undefined) await removePod(context, record);
    if (!isGone) await deleteObject(context, pod, leaving.signal, () => isGone);
  };

  if (isOver(first)) end();
  if (first.metadata.deletionTimestamp !== undefined) endDeleted();
  const done = life().catch((error: unknown) => log.error({ error }, "a pod's work failed"));

  return {
    uid: first.metadata.uid ?? "",
    done,
    update(next) {
      pod = next;
      if (record !== undefined) limit.arm(pod, record.startTime);
      if (next.metadata.deletionTimestamp !== undefined) endDeleted();
      // Others may say that a pod has failed: an eviction, a node that was away.
      else if (isOver(next)) end();
      for (const runner of runners.values()) runner.podChanged();
      teller.podChanged();
    },
    gone() {
      isGone = true;
      teller.stop();
      grace.force();
      stopping.abort();
      deleted.abort();
    },
    running: (container) => runners.get(container)?.running(),
    record: () => record,
    async leave() {
      grace.disarm();
      limit.disarm();
      leaving.abort();
      stopping.abort();
      teller.stop();
      await done;
      await saving;
    },
  };
}
