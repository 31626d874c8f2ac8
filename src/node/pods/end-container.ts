import type { Container, Pod } from "../../api/generated/types.ts";
import { attempt } from "../probes/attempt.ts";
import type { Runtime, StartedContainer } from "../runtimes/runtime.ts";
import type { PodContext } from "./context.ts";
import { pause } from "./pause.ts";

/** Runs the preStop hook (CTL-112). A hook that fails is told of, and does not keep the container from ending. */
async function preStop(
  context: PodContext,
  runtime: Runtime,
  pod: Pod,
  container: Container,
  podIP: string,
  started: StartedContainer,
  graceOver: AbortSignal,
): Promise<void> {
  const hook = container.lifecycle?.preStop;
  if (hook === undefined) return;
  if (hook.sleep !== undefined) return pause(context.clock, hook.sleep.seconds * 1000, graceOver);
  const target = {
    podIP,
    container,
    exec: (command: readonly string[]) => runtime.exec(started, { command, stdin: false }),
  };
  // The same doing as a probe's, with the grace period as its time limit.
  const result = await attempt({ ...hook, timeoutSeconds: 86_400 }, target, graceOver);
  if (!result.ok) {
    context.events.event(pod, "Warning", "FailedPreStopHook", `preStop of ${container.name}: ${result.message}`);
  }
}

/** Ends a running container: its preStop hook, SIGTERM, and SIGKILL when the grace period is over. */
export async function endContainer(
  context: PodContext,
  runtime: Runtime,
  pod: Pod,
  container: Container,
  podIP: string,
  started: StartedContainer,
  graceOver: AbortSignal,
): Promise<void> {
  context.events.event(pod, "Normal", "Killing", `Stopping container ${container.name}`);
  const kill = (): void => void runtime.stop(started, "SIGKILL");
  if (graceOver.aborted) return kill();
  graceOver.addEventListener("abort", kill, { once: true });
  await preStop(context, runtime, pod, container, podIP, started, graceOver);
  if (!graceOver.aborted) await runtime.stop(started, "SIGTERM");
}
