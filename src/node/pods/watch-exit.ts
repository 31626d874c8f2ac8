import type { ContainerSight, Runtime, StartedContainer } from "../runtimes/runtime.ts";

export type Exit = Extract<ContainerSight, { readonly state: "exited" }>;

/** Looks at a container until it has exited; `onRunning` hears when it is first seen to run. Undefined when we leave before. */
export const untilExit = (
  runtime: Runtime,
  started: StartedContainer,
  leaving: AbortSignal,
  onRunning: () => void,
): Promise<Exit | undefined> =>
  new Promise((resolve) => {
    let isLooking = false;
    let again = false;
    let runs = false;
    const finish = (exit: Exit | undefined): void => {
      stopWatching();
      leaving.removeEventListener("abort", left);
      resolve(exit);
    };
    const left = (): void => finish(undefined);
    const look = async (): Promise<void> => {
      if (isLooking) {
        again = true;
        return;
      }
      isLooking = true;
      do {
        again = false;
        const sight = await runtime.status(started);
        if (leaving.aborted) return;
        if (sight.state === "exited") return finish(sight);
        if (sight.state === "running" && !runs) {
          runs = true;
          onRunning();
        }
      } while (again);
      isLooking = false;
    };
    const stopWatching = runtime.watch(started, () => void look());
    leaving.addEventListener("abort", left);
    if (leaving.aborted) left();
  });
