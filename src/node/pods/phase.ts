import type { Pod } from "../../api/generated/types.ts";
import type { KnownContainer } from "./kinds.ts";
import { restarts } from "./restart-policy.ts";
import type { ContainerView } from "./status.ts";

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

export interface SeenContainer extends KnownContainer {
  readonly view: ContainerView;
}

/** How it last ended, unless it runs again. */
const lastEnd = ({ state, last }: ContainerView): number | undefined =>
  state.running === undefined ? (state.terminated ?? last)?.exitCode : undefined;

/** It has been started at least once. */
export const hasRun = ({ state, last }: ContainerView): boolean =>
  state.running !== undefined || state.terminated !== undefined || last !== undefined;

/** Ended, and not to be started again unless the pod were another. */
const isOver = (pod: Pod, { container, kind, view }: SeenContainer): boolean => {
  const exitCode = lastEnd(view);
  return exitCode !== undefined && !restarts(pod, container, kind, exitCode);
};

/**
 * The phase by what is so with the containers. Sidecars count as running and never as ended: a pod is over by its main containers.
 * `isEnding`: nothing is started any more, whatever the policies say.
 */
export function phaseOf(pod: Pod, all: readonly SeenContainer[], isEnding: boolean): Phase {
  const init = all.filter(({ kind }) => kind === "init");
  const sidecars = all.filter(({ kind }) => kind === "sidecar");
  const main = all.filter(({ kind }) => kind === "main");
  const isInitialized = main.some(({ view }) => hasRun(view));

  if (init.some((each) => lastEnd(each.view) !== undefined && lastEnd(each.view) !== 0 && isOver(pod, each))) {
    return "Failed";
  }
  const isInitPending = init.some(({ view }) => lastEnd(view) === undefined);
  const isSidecarPending = sidecars.some(({ view }) =>
    view.state.running === undefined ? !hasRun(view) : !view.started,
  );
  if (isInitPending || (isSidecarPending && !isInitialized)) return "Pending";
  // One that waits for its first start.
  if ([...sidecars, ...main].some(({ view }) => !hasRun(view))) return "Pending";
  if ([...sidecars, ...main].some(({ view }) => view.state.running !== undefined)) return "Running";
  if (!isEnding && main.some((each) => !isOver(pod, each))) return "Running";
  return main.every(({ view }) => lastEnd(view) === 0) ? "Succeeded" : "Failed";
}
