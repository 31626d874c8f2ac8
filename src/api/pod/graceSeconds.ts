import type { Pod } from "../generated/types.ts";
import { GRACE_SECONDS } from "./defaults.ts";

/** Nothing of it runs any more. */
export const isTerminal = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** Seconds a deleted pod has to end: 0 when there is nothing on any node to end (CTL-109, CTL-110). */
export function graceSeconds(pod: Pod, requested: number | undefined): number {
  if (!pod.spec?.nodeName || isTerminal(pod)) return 0;
  const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? GRACE_SECONDS;
  return seconds < 0 ? 1 : seconds;
}
