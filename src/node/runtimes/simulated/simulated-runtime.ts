import { appendFile } from "node:fs/promises";
import { PassThrough, Readable } from "node:stream";
import type { Container, Pod } from "../../../api/generated/types.ts";
import type { Host } from "../../../host/host.ts";
import type { Clock } from "../../../observe/clock.ts";
import type { Log } from "../../../observe/log.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import { SHARED_NAMESPACE } from "../../sandbox/shared-lines.ts";
import type { ContainerSight, ContainerStart, Runtime, StartedContainer } from "../runtime.ts";
import { judgeProbe, planContainer, simulatedRefusal, type ContainerPlan } from "./plan.ts";
import type { AnsweredPort } from "./protocol.ts";
import { createResponder, type Opening } from "./responder.ts";

export interface SimulatedRuntimeOptions {
  readonly host: Host;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeBinary: string;
}

/** What is remembered of a simulated container. */
interface StartedSimulated extends StartedContainer {
  /** The directory of this start: no other start has it. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly plan: Omit<ContainerPlan, "says">;
  readonly hostname: string;
  readonly log: string;
}

/** A container from its start to its end. */
interface Live {
  readonly started: StartedSimulated;
  sight: ContainerSight;
  isEnding: boolean;
  readonly watchers: Set<() => void>;
  opening: Opening | undefined;
  readonly ports: readonly string[];
  cancel: () => void;
}

/** As by SIGKILL. */
const KILLED = 137;
/** What a shell answers for a command that is there and cannot be run. */
const CANNOT_RUN = 126;
const NO_PROGRAM = "fairlead: this container is simulated: no program runs in it, so there is nothing to enter\n";
/** How long until the answering of a container that was taken over is tried again, in milliseconds. */
const AGAIN = 1000;

const simulated = (started: StartedContainer): StartedSimulated => started as StartedSimulated;

/** A container without a program: its declared ports answer at the pod's own addresses, its probes pass, its Jobs complete. */
export function simulatedRuntime(options: SimulatedRuntimeOptions): Runtime {
  const { clock, log } = options;
  const responder = createResponder({ ...options, namespace: `/run/netns/${SHARED_NAMESPACE}` });
  const living = new Map<string, Live>();
  /** How those ended that somebody still asks for. */
  const ended = new WeakMap<StartedContainer, ContainerSight>();
  /** Which container of a pod has a port: by address, port and protocol. */
  const taken = new Map<string, string>();

  const portKey = (sandbox: Sandbox, { port, protocol }: AnsweredPort): string =>
    `${sandbox.addresses[0]} ${port}/${protocol}`;

  /** From the first call on the exit code is fixed; it is told when nothing answers any more. */
  const exit = async (key: string, exitCode: number): Promise<void> => {
    const live = living.get(key);
    if (live === undefined || live.isEnding) return;
    live.isEnding = true;
    live.cancel();
    await live.opening?.shut();
    living.delete(key);
    live.sight = { state: "exited", exitCode };
    ended.set(live.started, live.sight);
    for (const port of live.ports) taken.delete(port);
    for (const watcher of live.watchers) watcher();
  };

  const begin = async (started: StartedSimulated, pod: Pod, container: Container, sandbox: Sandbox): Promise<void> => {
    const { key, plan } = started;
    const ports = plan.ports.map((port) => portKey(sandbox, port));
    const live: Live = living.get(key) ?? {
      started,
      sight: { state: "starting" },
      isEnding: false,
      watchers: new Set(),
      opening: undefined,
      ports,
      cancel: () => {},
    };
    living.set(key, live);
    for (const port of ports) taken.set(port, container.name);
    const left = plan.runsFor === undefined ? undefined : started.startedAt + plan.runsFor * 1000 - clock.now();
    if (left !== undefined && left <= 0) return exit(key, plan.exitCode);
    if (ports.length > 0) {
      const { addresses } = sandbox;
      const opening = await responder.open({
        pod: pod.metadata.name ?? "",
        namespace: pod.metadata.namespace ?? "",
        node: pod.spec?.nodeName ?? "",
        container: container.name,
        hostname: started.hostname,
        addresses,
        ports: plan.ports,
        log: started.log,
      });
      // It may have been ended meanwhile.
      if (live.isEnding) return opening.shut();
      live.opening = opening;
    }
    live.sight = { state: "running" };
    if (left !== undefined) live.cancel = clock.after(left, () => void exit(key, plan.exitCode));
    for (const watcher of live.watchers) watcher();
  };

  /** Never fails: what ran before goes on to run, and answers as soon as it can. */
  const takeOver = async (
    started: StartedSimulated,
    pod: Pod,
    container: Container,
    sandbox: Sandbox,
  ): Promise<void> => {
    try {
      await begin(started, pod, container, sandbox);
    } catch (error) {
      log.error({ pod: pod.metadata.name, error }, "a simulated pod does not answer yet; trying again");
      clock.after(AGAIN, () => {
        // Unless it was ended meanwhile.
        if (living.has(started.key)) void takeOver(started, pod, container, sandbox);
      });
    }
  };

  return {
    name: "simulated",
    network: "shared",
    refusal: simulatedRefusal,
    prepare: () => Promise.resolve(),
    async start(start: ContainerStart) {
      const { pod, container, sandbox } = start;
      const { says, ...plan } = planContainer(pod, container, (port) => {
        const name = taken.get(portKey(sandbox, port));
        return name === container.name ? undefined : name;
      });
      const started: StartedSimulated = {
        key: start.directory,
        startedAt: clock.now(),
        plan,
        hostname: start.hostname,
        log: start.log,
      };
      // Taken before anything is waited for: the next container of the pod is planned meanwhile.
      for (const port of plan.ports) taken.set(portKey(sandbox, port), container.name);
      try {
        await appendFile(start.log, says.map((line) => `${line}\n`).join(""), { mode: 0o600 });
        await begin(started, pod, container, sandbox);
      } catch (error) {
        await exit(started.key, 1);
        for (const port of plan.ports) taken.delete(portKey(sandbox, port));
        throw error;
      }
      return started;
    },
    async adopt(container, { pod, container: spec, sandbox }) {
      const started = simulated(container);
      if (!living.has(started.key)) await takeOver(started, pod, spec, sandbox);
    },
    status: (started) =>
      Promise.resolve(
        living.get(simulated(started).key)?.sight ?? ended.get(started) ?? { state: "exited", exitCode: KILLED },
      ),
    watch(started, callback) {
      const watchers = living.get(simulated(started).key)?.watchers;
      watchers?.add(callback);
      queueMicrotask(callback);
      return () => void watchers?.delete(callback);
    },
    async stop(started, signal) {
      const { key } = simulated(started);
      const live = living.get(key);
      if (signal === "SIGKILL") return exit(key, KILLED);
      if (live === undefined) return;
      if (live.opening === undefined) return exit(key, 0);
      // Whoever asks it to end does not wait for that.
      void live.opening.drain().then(() => exit(key, 0));
    },
    exec: () =>
      Promise.resolve({
        stdout: Readable.from([]),
        stderr: Readable.from([NO_PROGRAM]),
        ended: Promise.resolve(CANNOT_RUN),
        kill: () => {},
      }),
    attach: (_, { stdin }) =>
      Promise.resolve({
        ...(stdin ? { stdin: new PassThrough().resume() } : {}),
        stdout: Readable.from([]),
        stderr: Readable.from([NO_PROGRAM]),
        ended: Promise.resolve(CANNOT_RUN),
        leave: () => {},
      }),
    judge: (pod, _container, kind) => judgeProbe(pod, kind),
    close: () => responder.close(),
  };
}
