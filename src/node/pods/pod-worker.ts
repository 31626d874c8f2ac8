import type { Container, ContainerStatus, Pod, PodCondition } from "../../api/generated/types.ts";
import { pods } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { timestamp } from "../../observe/clock.ts";
import { ConfigError } from "../environment/lookups.ts";
import type { Runtime, StartedContainer } from "../runtimes/runtime.ts";
import type { PodRecord } from "../state/pod-record.ts";
import { runContainer, type ContainerRunner } from "./container-runner.ts";
import type { PodContext } from "./context.ts";
import { endContainer } from "./end-container.ts";
import { pause } from "./pause.ts";
import { preparePodFiles, preparePodNetwork } from "./prepare-pod.ts";
import { removePod } from "./remove-pod.ts";
import { podStatus, type ContainerView } from "./status.ts";
import { statusWriter } from "./status-writer.ts";

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

const SETUP_RETRY = 1_000;
/** When at the latest the API hears of a pod whose containers are being made, in milliseconds. */
const FIRST_WORD = 1_000;
const isOver = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** Restarts that the API knows of, for a pod of which we have no record: it ran here once, and what ran is gone. */
const restartsOf = (status: ContainerStatus | undefined): number =>
  status === undefined ? 0 : status.restartCount + (status.state?.waiting === undefined ? 1 : 0);

function newRecord(context: PodContext, runtime: Runtime, pod: Pod): PodRecord {
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

export function startPodWorker(context: PodContext, first: Pod, known: PodRecord | undefined): PodWorker {
  const { client, clock, events } = context;
  const log = context.log.child({ namespace: first.metadata.namespace, pod: first.metadata.name });
  const uid = first.metadata.uid ?? "";
  const writer = statusWriter(context, first);
  const ending = new AbortController();
  const leaving = new AbortController();
  const graceOver = new AbortController();
  const runners = new Map<string, ContainerRunner>();
  let pod = first;
  let record = known;
  let sandboxReady = known !== undefined;
  let refused: ContainerView | undefined;
  let conditions: readonly PodCondition[] = first.status?.conditions ?? [];
  let isGone = false;
  let disarm = (): void => {};

  const publish = (): void => {
    if (leaving.signal.aborted || isGone) return;
    const views = new Map([...runners].map(([name, runner]) => [name, runner.view()]));
    if (refused !== undefined) for (const { name } of pod.spec?.containers ?? []) views.set(name, refused);
    const status = podStatus({
      pod,
      containers: views,
      podIPs: record?.sandbox.addresses ?? [],
      hostIPs: context.nodeAddresses,
      startTime: record?.startTime ?? pod.status?.startTime ?? timestamp(clock.now()),
      sandboxReady,
      ending: ending.signal.aborted,
      previous: conditions,
      now: timestamp(clock.now()),
    });
    conditions = status.conditions ?? [];
    writer.write(status);
  };

  let saving: Promise<void> = Promise.resolve();
  const save = (): Promise<void> => {
    const next = saving.then(async () => {
      if (record !== undefined) await context.records.save(record);
    });
    saving = next.catch(() => {});
    return next;
  };

  /** The SIGKILL moment; a second DELETE may bring it nearer (CTL-111). */
  const armGrace = (): void => {
    disarm();
    const deadline = isGone ? 0 : Date.parse(pod.metadata.deletionTimestamp ?? "");
    disarm = clock.after(Math.max(0, deadline - clock.now()), () => graceOver.abort());
  };

  const refuse = (reason: string, message: string): void => {
    if (refused?.state.waiting?.message === message) return;
    events.event(pod, "Warning", reason === "FailedMount" ? reason : "Failed", message);
    const state = { waiting: { reason, message } };
    refused = { state, last: undefined, restartCount: 0, ready: false, started: false, containerID: undefined };
    publish();
  };

  const setUp = async (runtime: Runtime): Promise<boolean> => {
    const stopped = AbortSignal.any([ending.signal, leaving.signal]);
    while (!stopped.aborted) {
      try {
        record ??= newRecord(context, runtime, pod);
        const { sandbox } = record;
        await context.inTurn(async () => {
          if (stopped.aborted) return;
          await save();
          await Promise.all([preparePodNetwork(context, record!), preparePodFiles(context, pod, record!)]);
        });
        sandboxReady = sandbox.addresses.length > 0;
        refused = undefined;
        return !stopped.aborted;
      } catch (error) {
        const message = (error as Error).message;
        if (error instanceof ConfigError) refuse("FailedMount", message);
        else {
          events.event(pod, "Warning", "FailedCreatePodSandBox", message);
          log.warn({ error }, "setting up a pod failed; trying again");
        }
        await pause(clock, SETUP_RETRY, stopped);
      }
    }
    return false;
  };

  const begin = (runtime: Runtime, container: Container, kind: "init" | "main"): ContainerRunner => {
    const runner = runContainer({
      context,
      runtime,
      pod: () => pod,
      container,
      kind,
      record: record!,
      save,
      changed: publish,
      ending: ending.signal,
      leaving: leaving.signal,
    });
    runners.set(container.name, runner);
    return runner;
  };

  const run = async (): Promise<void> => {
    // Nothing of a finished pod is started again; its record stays for its logs.
    if (isOver(pod)) return;
    const runtime = record === undefined ? context.runtimes.of(pod) : context.runtimes.named(record.runtime);
    const refusal = "message" in runtime ? runtime : runtime.refusal(pod);
    if (refusal !== undefined) return refuse(refusal.reason, refusal.message);
    const chosen = runtime as Runtime;
    if (!(await setUp(chosen))) return;
    await context.ready;
    if (ending.signal.aborted || leaving.signal.aborted) return;
    for (const container of pod.spec?.initContainers ?? []) {
      const ended = await begin(chosen, container, "init").done;
      if (ended?.exitCode !== 0) return publish();
    }
    for (const container of pod.spec?.containers ?? []) begin(chosen, container, "main");
    // Most containers run in a moment: then the first status told is already that one.
    const unhush = clock.after(FIRST_WORD, publish);
    void Promise.all([...runners.values()].map(({ done }) => done)).finally(unhush);
    leaving.signal.addEventListener("abort", unhush, { once: true });
    await Promise.all([...runners.values()].map(({ done }) => done));
    publish();
  };

  const end = async (): Promise<void> => {
    const podIP = record?.sandbox.addresses[0] ?? "";
    await Promise.all(
      [...runners.values()].map(async (runner) => {
        runner.stopLiveness();
        await runner.settled();
        const started = runner.running();
        if (started !== undefined) {
          await endContainer(
            context,
            context.runtimes.named(record!.runtime),
            pod,
            runner.container,
            podIP,
            started,
            graceOver.signal,
          );
        }
        await runner.done;
      }),
    );
    disarm();
    if (leaving.signal.aborted) return;
    if (!isGone) {
      publish();
      await writer.settled();
    }
    writer.stop();
    await saving;
    if (record !== undefined) await removePod(context, record);
    if (!isGone) await deleteObject();
  };

  const deleteObject = async (): Promise<void> => {
    const { namespace, name = "" } = pod.metadata;
    for (;;) {
      if (leaving.signal.aborted || isGone) return;
      try {
        await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
        return;
      } catch (error) {
        if (isApiError(error, "NotFound", "Conflict")) return;
        log.warn({ error }, "deleting a pod's object failed; trying again");
        await pause(clock, SETUP_RETRY, leaving.signal);
      }
    }
  };

  const whenEnding = new Promise<void>((resolve) => {
    for (const { signal } of [ending, leaving]) signal.addEventListener("abort", () => resolve());
  });
  const work = async (): Promise<void> => {
    await run().catch((error: unknown) => log.error({ error }, "a pod's work failed"));
    await whenEnding;
  };
  const working = work();
  const done = whenEnding
    .then(async () => {
      if (leaving.signal.aborted) return;
      // A pod still being set up, or between two starts, hears `ending` and stops there.
      await Promise.race([working, runners.size > 0 ? Promise.resolve() : working]);
      await end();
      await working;
    })
    .catch((error: unknown) => log.error({ error }, "ending a pod failed"));

  if (first.metadata.deletionTimestamp !== undefined) {
    armGrace();
    queueMicrotask(() => ending.abort());
  }

  return {
    uid,
    done,
    update(next) {
      pod = next;
      if (next.metadata.deletionTimestamp === undefined) {
        if ((next.spec?.readinessGates ?? []).length > 0 && runners.size > 0) publish();
        return;
      }
      armGrace();
      ending.abort();
    },
    gone() {
      isGone = true;
      writer.stop();
      armGrace();
      graceOver.abort();
      ending.abort();
    },
    running: (container) => runners.get(container)?.running(),
    record: () => record,
    async leave() {
      disarm();
      leaving.abort();
      writer.stop();
      await working;
      await saving;
    },
  };
}
