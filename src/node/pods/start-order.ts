import type { ContainerRunner } from "./container-runner.ts";
import { containersOf, type KnownContainer } from "./kinds.ts";
import type { Pod } from "../../api/generated/types.ts";
import type { PodRecord } from "../state/pod-record.ts";

/** Whether a main container was started before: then all before it have had their turn, and none waits for another. */
const wasInitialized = (known: readonly KnownContainer[], record: PodRecord): boolean =>
  known.some(({ kind, container: { name } }) => {
    const memory = record.containers[name];
    return kind === "main" && (memory?.started ?? memory?.ended ?? memory?.last) !== undefined;
  });

/**
 * Starts a pod's containers in their order: init containers one after the other, each to its end; a sidecar among them until it has started
 * (KEP-753); then the main ones, each after the postStart hook of the one before. Resolves when all main containers have ended
 * for good, or an init container has failed for good.
 */
export async function runInOrder(
  pod: Pod,
  record: PodRecord,
  begin: (known: KnownContainer) => ContainerRunner,
  stopped: AbortSignal,
): Promise<void> {
  const known = containersOf(pod);
  const main = known.filter(({ kind }) => kind === "main");
  if (wasInitialized(known, record)) {
    const all = known.map(begin);
    await Promise.all(all.filter(({ kind }) => kind === "main").map(({ done }) => done));
    return;
  }
  for (const each of known) {
    if (stopped.aborted) return;
    if (each.kind === "main") continue;
    const runner = begin(each);
    if (each.kind === "sidecar") await runner.up;
    else if ((await runner.done)?.exitCode !== 0) return;
  }
  const begun: ContainerRunner[] = [];
  for (const each of main) {
    if (stopped.aborted) break;
    const runner = begin(each);
    begun.push(runner);
    if (main.length > 1) await runner.begun;
  }
  await Promise.all(begun.map(({ done }) => done));
}

/** The containers that were started before and are not known to have ended: all that there is to end of a pod that begins no more. */
export const stillRunning = (pod: Pod, record: PodRecord): KnownContainer[] =>
  containersOf(pod).filter(({ container }) => {
    const memory = record.containers[container.name];
    return memory?.started !== undefined && memory.ended === undefined;
  });
