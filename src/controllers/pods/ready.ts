import type { Pod } from "../../api/generated/types.ts";

/** CTL-009, CTL-013: the pod's Ready condition is True; without the condition it is not. */
export const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** CTL-010: somebody has asked for the pod's end. */
export const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** CTL-004: the pod's programs have ended for good. */
export const isFinished = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
