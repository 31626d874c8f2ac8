import type { ContainerState, ContainerStatus, Pod } from "../generated/types.ts";
import { isTerminal } from "./graceSeconds.ts";

const hasCondition = (pod: Pod, type: string): boolean =>
  pod.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") === true;

/** Init containers that go on running beside the others. */
export const isSidecar = (pod: Pod, name: string): boolean =>
  pod.spec?.initContainers?.some((container) => container.name === name && container.restartPolicy === "Always") ===
  true;

function terminatedText({ terminated }: ContainerState): string {
  if (terminated?.reason) return terminated.reason;
  return terminated?.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated?.exitCode ?? 0}`;
}

/** What holds an init container up, or undefined when it is done. */
function initText(pod: Pod, container: ContainerStatus, index: number): string | undefined {
  const state = container.state ?? {};
  if (state.terminated?.exitCode === 0) return undefined;
  if (isSidecar(pod, container.name) && container.started === true) return undefined;
  if (state.terminated) return `Init:${terminatedText(state)}`;
  const waits = state.waiting?.reason;
  if (waits && waits !== "PodInitializing") return `Init:${waits}`;
  return `Init:${index}/${pod.spec?.initContainers?.length ?? 0}`;
}

/** The first thing that keeps a pod from starting its containers. */
function initializing(pod: Pod): string | undefined {
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const text = initText(pod, container, index);
    if (text !== undefined) return text;
  }
  return undefined;
}

export const isPastInit = (pod: Pod): boolean => initializing(pod) === undefined || hasCondition(pod, "Initialized");

function containersText(pod: Pod, otherwise: string): string {
  let text = otherwise;
  let running = false;
  // The first container that has something to say is the last word.
  for (const { state, ready } of (pod.status?.containerStatuses ?? []).toReversed()) {
    if (state?.waiting?.reason) text = state.waiting.reason;
    else if (state?.terminated) text = terminatedText(state);
    else if (ready && state?.running) running = true;
  }
  if (text !== "Completed" || !running) return text;
  return hasCondition(pod, "Ready") ? "Running" : "NotReady";
}

/** The Status column: the phase, or whatever says more (SVC-340). */
export function statusText(pod: Pod): string {
  const ending = pod.metadata.deletionTimestamp !== undefined;
  if (ending && pod.status?.reason === "NodeLost") return "Unknown";
  if (ending && !isTerminal(pod)) return "Terminating";
  const gated = pod.status?.conditions?.some(
    (condition) => condition.type === "PodScheduled" && condition.reason === "SchedulingGated",
  );
  const plain = gated === true ? "SchedulingGated" : pod.status?.reason || pod.status?.phase || "";
  const init = initializing(pod) ?? plain;
  return isPastInit(pod) ? containersText(pod, init) : init;
}
