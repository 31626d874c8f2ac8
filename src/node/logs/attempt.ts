import type { ContainerRecord } from "../state/pod-record.ts";

/** The number of the start whose log is meant; undefined where there was none (kubelet's order of looking). */
export function attemptOf(memory: ContainerRecord | undefined, previous: boolean): number | undefined {
  if (memory === undefined) return undefined;
  // While it waits to be started again, the start that has ended is the one before.
  const isBetween = memory.last !== undefined && memory.last.containerID === memory.ended?.containerID;
  const current = memory.started === undefined ? memory.attempt - 1 : memory.attempt;
  const wanted = previous && !isBetween && memory.started !== undefined ? current - 1 : current;
  return wanted < 0 ? undefined : wanted;
}
