import type { Container, Pod } from "../../api/generated/types.ts";
import type { ProbeTarget } from "../probes/target.ts";
import type { Runtime, StartedContainer } from "../runtimes/runtime.ts";
import type { PodContext } from "./context.ts";
import type { Grace } from "./grace.ts";
import { runHook } from "./hooks.ts";
import { pause, whenAborted } from "./pause.ts";

/** What a program has at least between its signal and SIGKILL, even when its hook has used up the grace (CTL-112). */
const LEAST_GRACE = 2_000;
/** How long until one that SIGKILL has not ended is killed again, in milliseconds. */
const KILL_AGAIN = 1_000;

export interface EndContainerOptions {
  readonly context: Pick<PodContext, "clock" | "events" | "log">;
  readonly runtime: Runtime;
  readonly pod: Pod;
  readonly container: Container;
  readonly target: ProbeTarget;
  readonly started: StartedContainer;
  readonly grace: Grace;
  /** Resolves when the containers that are to end before this one have; its hook runs meanwhile. */
  readonly turn: Promise<void>;
  /** Why, for the event. */
  readonly message: string;
  /** Aborted when the program has ended, or we leave. */
  readonly over: AbortSignal;
}

/** Runs the preStop hook. One that fails is told of, and does not keep the container from ending. */
async function preStop(options: EndContainerOptions): Promise<void> {
  const { context, pod, container, grace, over } = options;
  const hook = container.lifecycle?.preStop;
  if (hook === undefined || grace.over.aborted) return;
  const limit = AbortSignal.any([grace.over, over]);
  try {
    await runHook(hook, options.target, context.clock, limit);
  } catch (error) {
    if (over.aborted) return;
    // What a command said may be secret: it goes to our own log, and not into an event.
    context.events.event(pod, "Warning", "FailedPreStopHook", "PreStopHook failed");
    context.log.info({ container: container.name, error: (error as Error).message }, "a preStop hook failed");
  }
}

/** Ends a running container: its hook, its turn, its signal, and SIGKILL when the grace is over. Resolves when it has ended. */
export async function endContainer(options: EndContainerOptions): Promise<void> {
  const { context, runtime, container, grace, over, started } = options;
  const { clock } = context;
  context.events.event(options.pod, "Normal", "Killing", options.message);
  await preStop(options);
  await Promise.race([options.turn, whenAborted(grace.over, over)]);
  if (over.aborted) return;
  if (!grace.forced.aborted) {
    const signal = container.lifecycle?.stopSignal ?? "SIGTERM";
    const signalled = clock.now();
    await runtime.stop(started, signal).catch(async (error: unknown) => {
      context.log.warn(
        { container: container.name, signal, error },
        "a stop signal could not be sent; SIGTERM goes instead",
      );
      await runtime.stop(started, "SIGTERM");
    });
    await whenAborted(grace.over, over);
    await pause(clock, signalled + LEAST_GRACE - clock.now(), AbortSignal.any([grace.forced, over]));
  }
  while (!over.aborted) {
    await runtime.stop(started, "SIGKILL");
    await pause(clock, KILL_AGAIN, over);
  }
}
