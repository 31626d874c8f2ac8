import { BACKUP, WEIGHT } from "../../api/endpointSlice/shares.ts";
import type { Pod } from "../../api/generated/types.ts";
import { sameLabels } from "./labels.ts";
import { isReady, isTerminating } from "./ready.ts";

/** CTL-054: what of a pod its endpoints are made of, but for labels, as one word to compare. */
const facts = (pod: Pod): string =>
  JSON.stringify([
    pod.metadata.uid,
    isReady(pod),
    isTerminating(pod),
    pod.status?.phase,
    pod.status?.podIP,
    pod.status?.podIPs,
    pod.spec?.nodeName,
    pod.spec?.hostname,
    pod.spec?.subdomain,
    pod.metadata.annotations?.[WEIGHT],
    pod.metadata.annotations?.[BACKUP],
  ]);

/** CTL-054: whether the step from one state of a pod to the next can change what the Services that select it show. */
export const podMatters = (previous: Pod, next: Pod): boolean => facts(previous) !== facts(next);

/** Whether the labels differ, so that other Services may select the pod. */
export function labelsDiffer(previous: Pod, next: Pod): boolean {
  const before = previous.metadata.labels;
  const after = next.metadata.labels ?? {};
  return before !== after && !sameLabels(before, after);
}
