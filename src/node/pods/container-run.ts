import type { Container, Probe } from "../../api/generated/types.ts";
import type { ProbeTarget } from "../probes/target.ts";
import type { StartedContainer } from "../runtimes/runtime.ts";
import { startContainerProbes, type ContainerProbes } from "./container-probes.ts";
import { endContainer } from "./end-container.ts";
import { endWith, gracePeriod, type Grace } from "./grace.ts";
import { runHook } from "./hooks.ts";
import type { KnownContainer } from "./kinds.ts";
import { restarts } from "./restart-policy.ts";
import type { SharedByContainers } from "./shared.ts";
import { untilExit } from "./watch-exit.ts";

/** Whether a container is ready, and whether it has started. */
export interface Readiness {
  readonly ready: boolean;
  readonly started: boolean;
}

/** How one start of a container ended. */
export interface Ended {
  readonly exitCode: number;
  readonly reason?: string | undefined;
  /** Why we ended it ourselves; counts for more than the program's last words. */
  readonly message?: string | undefined;
}

/** A container from when it was started until it has ended. */
export interface ContainerRun {
  readonly started: StartedContainer;
  readiness(): Readiness;
  podChanged(): void;
  /** For a pod that is ending: only readiness is still asked. */
  stopLiveness(): void;
  end(grace: Grace, turn: Promise<void>): void;
  /** Undefined when we leave before. */
  readonly ended: Promise<Ended | undefined>;
}

export interface ContainerRunOptions {
  readonly shared: SharedByContainers;
  readonly known: KnownContainer;
  readonly started: StartedContainer;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** How one that ran before we did was when we left it; absent for a new start, whose postStart hook is run. */
  readonly was?: Readiness | undefined;
  /** It runs, and its postStart hook is through. */
  readonly onRunning: () => void;
  /** Called when `readiness` answers something else. */
  readonly changed: () => void;
}

/** A container ended by a signal exits with some code that is not 0. */
const BY_SIGNAL = 143;

const graceOf = ({ pod }: SharedByContainers): number => pod().spec?.terminationGracePeriodSeconds ?? 30;

function targetOf(
  { runtime, record }: SharedByContainers,
  container: Container,
  started: StartedContainer,
): ProbeTarget {
  return {
    podIP: record.sandbox.addresses[0] ?? "",
    container,
    exec: (command) => runtime.exec(started, { command, stdin: false }),
  };
}

export function followRun(options: ContainerRunOptions): ContainerRun {
  const { shared, known, started } = options;
  const { context, runtime, stopped } = shared;
  const { container, kind } = known;
  const { events, clock } = context;
  const target = targetOf(shared, container, started);
  const over = new AbortController();
  let probes: ContainerProbes | undefined;
  /** The time it has to end, once a probe or a hook has failed. */
  let ownGrace: Grace | undefined;
  let why: string | undefined;
  let isRunning = false;

  const end = (grace: Grace, turn: Promise<void>, message: string): void => {
    const pod = shared.pod();
    void endContainer({
      context,
      runtime,
      pod,
      container,
      target,
      started,
      grace,
      turn,
      message,
      over: over.signal,
    }).catch((error: unknown) => context.log.error({ container: container.name, error }, "ending a container failed"));
  };

  /** Ends it because of what it did; whether it is started again its restart policy says. */
  const fail = (seconds: number, message: string): void => {
    if (over.signal.aborted || stopped.aborted || ownGrace !== undefined) return;
    ownGrace = gracePeriod(clock);
    ownGrace.arm(clock.now() + seconds * 1000);
    end(ownGrace, Promise.resolve(), message);
  };

  const onProbeFailed = (probeKind: string, probe: Probe): void => {
    const what = `${kind === "main" ? "Container" : "Init container"} ${container.name}`;
    const next = restarts(shared.pod(), container, kind, BY_SIGNAL) ? ", will be restarted" : "";
    fail(probe.terminationGracePeriodSeconds ?? graceOf(shared), `${what} failed ${probeKind} probe${next}`);
  };

  /** False when the hook has failed, and with it the container. */
  const postStart = async (): Promise<boolean> => {
    const hook = container.lifecycle?.postStart;
    if (hook === undefined || options.was !== undefined) return true;
    const signal = AbortSignal.any([over.signal, stopped]);
    try {
      await runHook(hook, target, clock, signal);
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      why = `PostStartHook failed: ${(error as Error).message}`;
      events.event(shared.pod(), "Warning", "FailedPostStartHook", "PostStartHook failed");
      fail(graceOf(shared), "FailedPostStartHook");
      return false;
    }
  };

  const begin = async (): Promise<void> => {
    if (!(await postStart()) || over.signal.aborted) return;
    probes = startContainerProbes({
      context,
      container,
      kind,
      target,
      changed: options.changed,
      failed: onProbeFailed,
      judge: runtime.judge?.bind(runtime),
      pod: shared.pod,
      startedAt: options.startedAt,
      was: options.was ?? { ready: false, started: false },
    });
    if (stopped.aborted) probes.stopLiveness();
    isRunning = true;
    options.onRunning();
  };

  const exit = untilExit(runtime, started, shared.leaving, () => void begin());
  return {
    started,
    readiness() {
      if (probes !== undefined) return { ready: probes.ready(), started: probes.started() };
      return isRunning || options.was === undefined ? { ready: false, started: false } : options.was;
    },
    podChanged: () => probes?.podChanged(),
    stopLiveness: () => probes?.stopLiveness(),
    end(grace, turn) {
      if (ownGrace === undefined) end(grace, turn, `Stopping container ${container.name}`);
      else endWith(grace, ownGrace);
    },
    ended: exit.then((seen) => {
      over.abort();
      probes?.stop();
      probes = undefined;
      ownGrace?.disarm();
      return seen === undefined ? undefined : { exitCode: seen.exitCode, reason: seen.reason, message: why };
    }),
  };
}
