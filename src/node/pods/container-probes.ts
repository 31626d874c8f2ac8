import type { Container, Pod, Probe } from "../../api/generated/types.ts";
import { startJudged, type Judged } from "../probes/judged.ts";
import { startProber } from "../probes/prober.ts";
import type { ProbeResult } from "../probes/result.ts";
import type { ProbeTarget } from "../probes/target.ts";
import type { ProbeKind, Runtime } from "../runtimes/runtime.ts";
import type { PodContext } from "./context.ts";
import type { ContainerKind } from "./kinds.ts";

export interface ContainerProbesOptions {
  readonly context: Pick<PodContext, "clock" | "events">;
  readonly judge: Runtime["judge"];
  readonly pod: () => Pod;
  readonly container: Container;
  readonly kind: ContainerKind;
  readonly target: ProbeTarget;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** An adopted container was so when we left it, and is until a probe says otherwise. */
  readonly was: { readonly ready: boolean; readonly started: boolean };
  /** Called when `ready` or `started` answers something else. */
  readonly changed: () => void;
  /** The container is to end: its startup or liveness probe has failed as often as it may (CTL-106). */
  readonly failed: (kind: "startup" | "liveness", probe: Probe) => void;
}

/** The probes of one start of a container. */
export interface ContainerProbes {
  ready(): boolean;
  started(): boolean;
  /** The pod's object is another now. */
  podChanged(): void;
  /** The pod is ending: only readiness is still asked (CTL-113). */
  stopLiveness(): void;
  stop(): void;
}

type Asking = Pick<Judged, "stop"> & Partial<Judged>;

const TITLES = { startup: "Startup", liveness: "Liveness", readiness: "Readiness" } as const;

/** Starts the probes of a container that runs. An init container has none: it is only to end well. */
export function startContainerProbes(options: ContainerProbesOptions): ContainerProbes {
  const { container, was } = options;
  const { clock, events } = options.context;
  const { startupProbe, livenessProbe, readinessProbe }: Partial<Container> = options.kind === "init" ? {} : container;
  const asking = new Map<ProbeKind, Asking>();
  let hasStarted = startupProbe === undefined || was.started;
  let ready = hasStarted && (readinessProbe === undefined || was.ready);
  // With no startup probe to wait for, or none any more, the others run from now on.
  let isEnding = false;

  const begin = (
    kind: ProbeKind,
    probe: Probe,
    on: { readonly initially: boolean; readonly verdict: (ok: boolean) => void; readonly failure?: () => void },
  ): void => {
    const tell = (reason: string, word: string, message: string): void =>
      events.event(options.pod(), "Warning", reason, `${TITLES[kind]} probe ${word}: ${message}`);
    const onFailure = (result: ProbeResult): void => {
      tell("Unhealthy", "failed", result.message);
      on.failure?.();
    };
    const ranFor = Math.max(0, clock.now() - options.startedAt);
    const { judge } = options;
    if (judge !== undefined) {
      const delay = Math.max(0, (probe.initialDelaySeconds ?? 0) * 1000 - ranFor);
      const word = (): ProbeResult => judge(options.pod(), container, kind, probe);
      asking.set(
        kind,
        startJudged({ judge: word, clock, delay, initially: on.initially, onVerdict: on.verdict, onFailure }),
      );
      return;
    }
    const stop = startProber({
      probe,
      target: options.target,
      clock,
      initially: on.initially,
      ranFor,
      // Until the first success it is asked between the periods too; one that is good already waits for its period.
      eager: !on.initially,
      onVerdict: on.verdict,
      onFailure,
      onWarning: ({ message }) => tell("ProbeWarning", "warning", message),
    });
    asking.set(kind, { stop });
  };
  const end = (kind: ProbeKind): void => {
    asking.get(kind)?.stop();
    asking.delete(kind);
  };

  const afterStartup = (): void => {
    if (livenessProbe !== undefined && !isEnding) {
      const verdict = (ok: boolean): void => {
        if (ok) return;
        end("liveness");
        options.failed("liveness", livenessProbe);
      };
      begin("liveness", livenessProbe, { initially: true, verdict });
    }
    if (readinessProbe !== undefined) {
      const verdict = (ok: boolean): void => {
        ready = ok;
        options.changed();
      };
      begin("readiness", readinessProbe, { initially: ready, verdict });
    }
  };

  if (startupProbe === undefined || hasStarted) {
    afterStartup();
  } else {
    // A startup probe has no "true" to turn from: its failures are counted here (CTL-104).
    let failures = 0;
    const failure = (): void => {
      failures += 1;
      if (failures < (startupProbe.failureThreshold ?? 3)) return;
      end("startup");
      options.failed("startup", startupProbe);
    };
    const verdict = (): void => {
      end("startup");
      hasStarted = true;
      ready = readinessProbe === undefined;
      afterStartup();
      options.changed();
    };
    begin("startup", startupProbe, { initially: false, verdict, failure });
  }

  return {
    ready: () => ready,
    started: () => hasStarted,
    podChanged() {
      for (const each of asking.values()) each.podChanged?.();
    },
    stopLiveness() {
      isEnding = true;
      end("liveness");
      end("startup");
    },
    stop() {
      for (const kind of asking.keys()) end(kind);
    },
  };
}
