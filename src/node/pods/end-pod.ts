import type { ContainerRunner } from "./container-runner.ts";
import type { Grace } from "./grace.ts";

/**
 * Ends all containers of a pod that run: the main ones together, then the sidecars, the last to start first (KEP-753). The hooks of all
 * run at once, and all share one grace: who has not had its turn when it is over is ended all the same.
 */
export async function endContainers(runners: readonly ContainerRunner[], grace: Grace): Promise<void> {
  const beside = runners.filter(({ kind }) => kind === "sidecar").reverse();
  const others = runners.filter(({ kind }) => kind !== "sidecar");
  const endings = others.map((runner) => runner.end(grace, Promise.resolve()));
  let before: Promise<unknown> = Promise.all(others.map(({ done }) => done));
  for (const runner of beside) {
    const turn = before.then(() => {});
    endings.push(runner.end(grace, turn));
    before = Promise.all([turn, runner.done]);
  }
  await Promise.all(endings);
}
