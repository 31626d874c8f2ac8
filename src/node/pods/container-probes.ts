import type { Container, Pod, Probe } from "../../api/generated/types.ts";
import { startProber } from "../probes/prober.ts";
import type { ProbeTarget } from "../probes/attempt.ts";
import type { ProbeResult } from "../probes/result.ts";
import type { Runtime, StartedContainer } from "../runtimes/runtime.ts";
import type { PodContext } from "./context.ts";
import { pause } from "./pause.ts";

export interface ContainerProbesOptions {
  readonly context: PodContext;
  readonly runtime: Runtime;
  readonly pod: Pod;
  readonly container: Container;
  readonly kind: "init" | "main";
  readonly podIP: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly started: StartedContainer;
  /** An adopted container was ready when we left it, and is until a probe says otherwise. */
  readonly wasReady: boolean;
  /** Called when `ready` or `started` answers something else. */
  readonly changed: () => void;
}

/** The probes of one start of a container. */
export interface ContainerProbes {
  ready(): boolean;
  started(): boolean;
  /** The pod is ending: only readiness is still asked (CTL-113). */
  stopLiveness(): void;
  stop(): void;
}

export function startContainerProbes(options: ContainerProbesOptions): ContainerProbes {
  const { context, pod, container, started } = options;
  const { clock, events } = context;
  const { runtime } = options;
  const probes = options.kind === "init" ? {} : container;
  const { startupProbe, livenessProbe, readinessProbe } = probes as Partial<Container>;
  const target: ProbeTarget = {
    podIP: options.podIP,
    container,
    exec: (command) => runtime.exec(started, { command, stdin: false }),
  };
  const stops = new Map<string, () => void>();
  const stopping = new AbortController();
  let hasStarted = startupProbe === undefined || options.wasReady;
  let ready = hasStarted && (readinessProbe === undefined || options.wasReady);

  const begin = (kind: string, probe: Probe, initially: boolean, onVerdict: (ok: boolean) => void): void => {
    const onFailure = (result: ProbeResult): void =>
      events.event(pod, "Warning", "Unhealthy", `${kind} probe failed: ${result.message}`);
    const ranFor = Math.max(0, clock.now() - options.startedAt);
    const eager = !initially;
    stops.set(kind, startProber({ probe, target, clock, initially, ranFor, eager, onVerdict, onFailure }));
  };

  /** Ends the container, which its restart policy then starts again (CTL-106). */
  const kill = async (kind: string, probe: Probe): Promise<void> => {
    events.event(pod, "Normal", "Killing", `Container ${container.name} failed ${kind} probe, will be restarted`);
    const grace = probe.terminationGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
    await runtime.stop(started, "SIGTERM");
    await pause(clock, grace * 1000, stopping.signal);
    if (!stopping.signal.aborted) await runtime.stop(started, "SIGKILL");
  };

  const afterStartup = (): void => {
    if (livenessProbe !== undefined) {
      begin("Liveness", livenessProbe, true, (ok) => {
        if (!ok) void kill("liveness", livenessProbe);
      });
    }
    if (readinessProbe !== undefined) {
      begin("Readiness", readinessProbe, ready, (ok) => {
        ready = ok;
        options.changed();
      });
    }
  };

  if (startupProbe === undefined || hasStarted) {
    afterStartup();
  } else {
    // A startup probe has no "false" verdict to turn from: failures are counted here (CTL-104).
    let failures = 0;
    const onFailure = (result: ProbeResult): void => {
      events.event(pod, "Warning", "Unhealthy", `Startup probe failed: ${result.message}`);
      failures += 1;
      if (failures < (startupProbe.failureThreshold ?? 3)) return;
      stops.get("Startup")?.();
      void kill("startup", startupProbe);
    };
    const ranFor = Math.max(0, clock.now() - options.startedAt);
    const onVerdict = (): void => {
      stops.get("Startup")?.();
      stops.delete("Startup");
      hasStarted = true;
      ready = readinessProbe === undefined;
      afterStartup();
      options.changed();
    };
    stops.set(
      "Startup",
      startProber({ probe: startupProbe, target, clock, initially: false, ranFor, eager: true, onVerdict, onFailure }),
    );
  }

  return {
    ready: () => ready,
    started: () => hasStarted,
    stopLiveness() {
      for (const kind of ["Liveness", "Startup"]) stops.get(kind)?.();
    },
    stop() {
      stopping.abort();
      for (const stop of stops.values()) stop();
    },
  };
}
