import type { Container, ContainerState, ContainerStateTerminated, Pod } from "../../api/generated/types.ts";
import { timestamp } from "../../observe/clock.ts";
import { ConfigError } from "../environment/lookups.ts";
import type { ContainerSight, Runtime, StartedContainer } from "../runtimes/runtime.ts";
import type { ContainerRecord, PodRecord } from "../state/pod-record.ts";
import { LONG_RUN, restartDelay, restarts } from "./back-off.ts";
import type { PodContext } from "./context.ts";
import { startContainerProbes, type ContainerProbes } from "./container-probes.ts";
import { pause } from "./pause.ts";
import { containerStart } from "./prepare-pod.ts";
import type { ContainerView } from "./status.ts";

export interface RunnerOptions {
  readonly context: PodContext;
  readonly runtime: Runtime;
  readonly pod: () => Pod;
  readonly container: Container;
  readonly kind: "init" | "main";
  readonly record: PodRecord;
  readonly save: () => Promise<void>;
  /** Called whenever `view` answers something else. */
  readonly changed: () => void;
  /** No further start. */
  readonly ending: AbortSignal;
  /** We leave; the container stays. */
  readonly leaving: AbortSignal;
}

/** One container of a pod through all its starts. */
export interface ContainerRunner {
  readonly container: Container;
  view(): ContainerView;
  /** The container as it runs now. */
  running(): StartedContainer | undefined;
  /** Resolves when no start is under way: then `running` tells all there is to end. */
  settled(): Promise<void>;
  stopLiveness(): void;
  /** Resolves when it has ended and will not be started again; undefined when it never ran, or we leave. */
  readonly done: Promise<ContainerStateTerminated | undefined>;
}

/** How long until a container whose spec names something missing is tried again, in milliseconds. */
const CONFIG_RETRY = 2_000;

const policyOf = (options: RunnerOptions): string => {
  const policy = options.pod().spec?.restartPolicy ?? "Always";
  // An init container is done when it succeeds, whatever the pod's policy.
  return options.kind === "init" && policy === "Always" ? "OnFailure" : policy;
};

export function runContainer(options: RunnerOptions): ContainerRunner {
  const { context, container, record, ending, leaving } = options;
  const { clock, events } = context;
  const { runtime } = options;
  const memory: ContainerRecord = (record.containers[container.name] ??= { attempt: 0, restartCount: 0, failures: 0 });
  const adopted = memory.ended === undefined && memory.started !== undefined;
  // What runs from before stays as it was told until it is looked at: adopting must not flip readiness.
  let wasReady =
    adopted && options.pod().status?.containerStatuses?.find(({ name }) => name === container.name)?.ready === true;
  let state: ContainerState =
    adopted && memory.startedAt !== undefined
      ? { running: { startedAt: memory.startedAt } }
      : { waiting: { reason: "ContainerCreating" } };
  let probes: ContainerProbes | undefined;
  let running: StartedContainer | undefined;
  const stopped = AbortSignal.any([ending, leaving]);

  const show = (next: ContainerState): void => {
    state = next;
    options.changed();
  };

  const refuse = (reason: string, message: string): void => {
    if (state.waiting?.message === message) return;
    events.event(options.pod(), "Warning", reason === "CreateContainerConfigError" ? "Failed" : reason, message);
    show({ waiting: { reason, message } });
  };

  let starting: Promise<unknown> = Promise.resolve();
  const start = async (): Promise<StartedContainer | undefined> => {
    while (!stopped.aborted) {
      try {
        const started = await context.startInTurn(async () => {
          if (stopped.aborted) return undefined;
          const plan = await containerStart(context, options.pod(), container, record, memory.attempt);
          return stopped.aborted ? undefined : runtime.start(plan);
        });
        if (started === undefined) return undefined;
        running = started;
        memory.started = started;
        memory.startedAt = timestamp(clock.now());
        delete memory.ended;
        await options.save();
        events.event(options.pod(), "Normal", "Started", `Started container ${container.name}`);
        return started;
      } catch (error) {
        const config = error instanceof ConfigError;
        refuse(config ? "CreateContainerConfigError" : "RunContainerError", (error as Error).message);
        if (!config)
          context.log.warn({ pod: record.name, container: container.name, error }, "starting a container failed");
        await pause(clock, CONFIG_RETRY, stopped);
      }
    }
    return undefined;
  };

  const begin = (): Promise<StartedContainer | undefined> => {
    const next = start();
    starting = next;
    return next;
  };

  const onRunning = (started: StartedContainer): void => {
    const startedAt = memory.startedAt ?? timestamp(clock.now());
    probes = startContainerProbes({
      context,
      runtime,
      pod: options.pod(),
      container,
      kind: options.kind,
      podIP: record.sandbox.addresses[0] ?? "",
      startedAt: Date.parse(startedAt),
      started,
      wasReady,
      changed: options.changed,
    });
    wasReady = false;
    show({ running: { startedAt } });
  };

  /** Resolves with how it ended, or undefined when we leave before. */
  const exit = (started: StartedContainer): Promise<Extract<ContainerSight, { state: "exited" }> | undefined> =>
    new Promise((resolve) => {
      let looking = false;
      let again = false;
      const finish = (sight: Extract<ContainerSight, { state: "exited" }> | undefined): void => {
        stopWatching();
        leaving.removeEventListener("abort", left);
        resolve(sight);
      };
      const left = (): void => finish(undefined);
      const look = async (): Promise<void> => {
        if (looking) {
          again = true;
          return;
        }
        looking = true;
        do {
          again = false;
          const sight = await runtime.status(started);
          if (leaving.aborted) return;
          if (sight.state === "exited") return finish(sight);
          if (sight.state === "running" && probes === undefined) onRunning(started);
        } while (again);
        looking = false;
      };
      const stopWatching = runtime.watch(started, () => void look());
      leaving.addEventListener("abort", left);
      if (leaving.aborted) left();
    });

  const run = async (): Promise<ContainerStateTerminated | undefined> => {
    for (;;) {
      const known = memory.ended === undefined ? memory.started : undefined;
      if (memory.ended === undefined) {
        if (known !== undefined)
          await runtime.adopt?.(known, { pod: options.pod(), container, sandbox: record.sandbox });
        const started = known ?? (await begin());
        if (started === undefined) return undefined;
        running = started;
        const end = await exit(started);
        running = undefined;
        probes?.stop();
        probes = undefined;
        if (end === undefined) return undefined;
        const { exitCode } = end;
        const now = clock.now();
        const ranFor = now - Date.parse(memory.startedAt ?? timestamp(now));
        memory.failures = ranFor >= LONG_RUN ? 1 : memory.failures + 1;
        memory.ended = {
          exitCode,
          reason: end.reason ?? (exitCode === 0 ? "Completed" : "Error"),
          ...(memory.startedAt === undefined ? {} : { startedAt: memory.startedAt }),
          finishedAt: timestamp(now),
          containerID: idOf(),
          ...(exitCode > 128 && exitCode < 160 ? { signal: exitCode - 128 } : {}),
        };
        show({ terminated: memory.ended });
        await options.save();
      } else {
        show({ terminated: memory.ended });
      }
      if (stopped.aborted || !restarts(policyOf(options), memory.ended.exitCode)) return memory.ended;
      const delay = restartDelay(memory.failures);
      if (delay > 0) {
        const message = `back-off ${delay / 1000}s restarting failed container=${container.name} pod=${record.name}_${record.namespace}(${record.uid})`;
        events.event(
          options.pod(),
          "Warning",
          "BackOff",
          `Back-off restarting failed container ${container.name} in pod ${record.name}`,
        );
        memory.last = memory.ended;
        show({ waiting: { reason: "CrashLoopBackOff", message } });
        await pause(clock, delay, stopped);
        if (stopped.aborted) {
          show({ terminated: memory.ended });
          return memory.ended;
        }
      }
      memory.last = memory.ended;
      delete memory.ended;
      delete memory.started;
      memory.attempt += 1;
      memory.restartCount += 1;
    }
  };

  const idOf = (): string => `${runtime.name}://${record.uid}/${container.name}/${memory.attempt}`;

  return {
    container,
    view: () => ({
      state,
      last: memory.last,
      restartCount: memory.restartCount,
      ready: state.running !== undefined && (probes?.ready() ?? wasReady),
      started: state.running !== undefined && (probes?.started() ?? adopted),
      containerID: memory.started === undefined ? undefined : idOf(),
    }),
    running: () => running,
    settled: async () => void (await starting),
    stopLiveness: () => probes?.stopLiveness(),
    done: run(),
  };
}
