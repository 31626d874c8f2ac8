import type { ContainerState, ContainerStateTerminated } from "../../api/generated/types.ts";
import { timestamp } from "../../observe/clock.ts";
import type { StartedContainer } from "../runtimes/runtime.ts";
import { StartError } from "../runtimes/start-error.ts";
import type { ContainerRecord } from "../state/pod-record.ts";
import { failuresAfter, restartDelay, spokenDelay } from "./back-off.ts";
import { followRun, type ContainerRun, type Ended } from "./container-run.ts";
import type { Grace } from "./grace.ts";
import type { KnownContainer } from "./kinds.ts";
import { pause } from "./pause.ts";
import { restarts } from "./restart-policy.ts";
import type { SharedByContainers } from "./shared.ts";
import { startContainer, startFiles } from "./start-container.ts";
import type { ContainerView } from "./status.ts";
import { CANNOT_RUN, terminated } from "./terminated.ts";
import { terminationMessage } from "./termination-message.ts";

/** One container of a pod through all its starts. */
export interface ContainerRunner extends KnownContainer {
  view(): ContainerView;
  /** The container as it runs now. */
  running(): StartedContainer | undefined;
  /** The pod's object is another now. */
  podChanged(): void;
  /** Resolves when it has been started once, its postStart hook included, or could not be: the next container's turn. */
  readonly begun: Promise<void>;
  /** Resolves when its startup probe has passed once (at once where it has none), or it is done. */
  readonly up: Promise<void>;
  /** Resolves when it has ended and will not be started again; undefined when it never ran, or we leave. */
  readonly done: Promise<ContainerStateTerminated | undefined>;
  /** Ends it, for a pod that is ending, when those are done that `turn` waits for. Resolves when it is done itself. */
  end(grace: Grace, turn: Promise<void>): Promise<void>;
}

const NOT_UP = { ready: false, started: false };

export function runContainer(shared: SharedByContainers, known: KnownContainer): ContainerRunner {
  const { context, runtime, record, stopped } = shared;
  const { container, kind } = known;
  const { clock, events } = context;
  const memory: ContainerRecord = (record.containers[container.name] ??= { attempt: 0, restartCount: 0, failures: 0 });
  const adopted = memory.ended === undefined ? memory.started : undefined;
  // What runs from before stays as it was told until it is looked at: adopting must not flip readiness.
  const { containerStatuses = [], initContainerStatuses = [] } = shared.pod().status ?? {};
  const told = [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === container.name);
  const was = { ready: told?.ready === true, started: told?.started === true };
  let state: ContainerState =
    adopted !== undefined && memory.startedAt !== undefined
      ? { running: { startedAt: memory.startedAt } }
      : { waiting: { reason: "ContainerCreating" } };
  let current: ContainerRun | undefined;
  let starting: Promise<unknown> = Promise.resolve();
  const begun = Promise.withResolvers<void>();
  const up = Promise.withResolvers<void>();
  const idOf = (): string => `${runtime.name}://${record.uid}/${container.name}/${memory.attempt}`;

  const show = (next: ContainerState): void => {
    state = next;
    shared.changed();
  };
  const refuse = (reason: string, message: string): void => {
    begun.resolve();
    if (state.waiting?.message === message) return;
    events.event(shared.pod(), "Warning", "Failed", `Error: ${message}`);
    show({ waiting: { reason, message } });
  };

  const follow = (started: StartedContainer): ContainerRun => {
    const startedAt = memory.startedAt ?? timestamp(clock.now());
    const noteUp = (): void => {
      if (current?.readiness().started === true) up.resolve();
    };
    return followRun({
      shared,
      known,
      started,
      startedAt: Date.parse(startedAt),
      was: started === adopted ? was : undefined,
      onRunning() {
        noteUp();
        begun.resolve();
        show({ running: { startedAt } });
      },
      changed() {
        noteUp();
        shared.changed();
      },
    });
  };

  /** Starts it, or takes over what runs; undefined when it is no longer to be started. Throws StartError. */
  const begin = async (): Promise<ContainerRun | undefined> => {
    if (memory.started !== undefined) {
      await runtime.adopt?.(memory.started, { pod: shared.pod(), container, sandbox: record.sandbox });
      return (current = follow(memory.started));
    }
    const started = await startContainer(shared, container, memory.attempt, refuse);
    if (started === undefined) return undefined;
    memory.started = started;
    memory.startedAt = timestamp(clock.now());
    current = follow(started);
    await shared.save();
    events.event(shared.pod(), "Normal", "Started", `Started container ${container.name}`);
    return current;
  };

  const runOnce = async (): Promise<Ended | undefined> => {
    const beginning = begin();
    starting = beginning.catch(() => {});
    try {
      return await (
        await beginning
      )?.ended;
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      events.event(shared.pod(), "Warning", "Failed", `Error: ${error.message}`);
      return { exitCode: CANNOT_RUN, reason: "StartError", message: error.message };
    } finally {
      current = undefined;
    }
  };

  const lastWords = (exitCode: number): Promise<string> => {
    // Where there is no program, nobody wrote any.
    if (runtime.judge !== undefined) return Promise.resolve("");
    const files = startFiles(shared, container, memory.attempt);
    return terminationMessage(files.terminationMessage, files.log, container.terminationMessagePolicy, exitCode);
  };

  const onEnd = async ({ exitCode, reason, message }: Ended): Promise<ContainerStateTerminated> => {
    const now = clock.now();
    const { startedAt } = memory;
    const finishedAt = timestamp(now);
    const said = message ?? (await lastWords(exitCode));
    memory.failures = failuresAfter(memory.failures, now - Date.parse(startedAt ?? finishedAt));
    memory.ended = terminated({ exitCode, reason, message: said, startedAt, finishedAt, containerID: idOf() });
    show({ terminated: memory.ended });
    await shared.save();
    return memory.ended;
  };

  /** Waits until the next start is due, or the pod ends. `waited`: milliseconds since the end, of one that we come back to. */
  const backOff = async (last: ContainerStateTerminated, waited: number): Promise<void> => {
    const delay = restartDelay(memory.failures);
    if (delay <= waited) return;
    const pod = `${record.name}_${record.namespace}(${record.uid})`;
    const what = `Back-off restarting failed container ${container.name} in pod ${pod}`;
    events.event(shared.pod(), "Warning", "BackOff", what);
    memory.last = last;
    const message = `back-off ${spokenDelay(delay)} restarting failed container=${container.name} pod=${pod}`;
    show({ waiting: { reason: "CrashLoopBackOff", message } });
    await pause(clock, delay - waited, stopped);
  };

  const run = async (): Promise<ContainerStateTerminated | undefined> => {
    let waited = 0;
    if (memory.ended !== undefined) {
      show({ terminated: memory.ended });
      waited = Math.max(0, clock.now() - Date.parse(memory.ended.finishedAt ?? timestamp(clock.now())));
    }
    for (;;) {
      if (memory.ended === undefined) {
        const ended = await runOnce();
        if (ended === undefined) return undefined;
        await onEnd(ended);
      }
      const last = memory.ended!;
      begun.resolve();
      if (!stopped.aborted && restarts(shared.pod(), container, kind, last.exitCode)) await backOff(last, waited);
      else return last;
      waited = 0;
      if (stopped.aborted) {
        show({ terminated: last });
        return last;
      }
      memory.last = last;
      delete memory.ended;
      delete memory.started;
      delete memory.startedAt;
      memory.attempt += 1;
      memory.restartCount += 1;
    }
  };

  const done = run().finally(() => {
    begun.resolve();
    up.resolve();
  });
  return {
    ...known,
    view() {
      const { ready, started } = state.running === undefined ? NOT_UP : (current?.readiness() ?? was);
      return {
        state,
        last: memory.last,
        restartCount: memory.restartCount,
        ready: kind === "init" ? state.terminated?.exitCode === 0 : ready,
        started,
        containerID: memory.started === undefined ? undefined : idOf(),
      };
    },
    running: () => current?.started,
    podChanged: () => current?.podChanged(),
    begun: begun.promise,
    up: up.promise,
    done,
    async end(grace, turn) {
      current?.stopLiveness();
      // While a start is under way nobody can say what there is to end.
      await starting;
      current?.end(grace, turn);
      await done;
    },
  };
}
