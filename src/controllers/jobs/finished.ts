import type { Job, JobCondition, Pod } from "../../api/generated/types.ts";

/** What keeps a pod that has ended until it is counted. */
export const TRACKING = "batch.kubernetes.io/job-tracking";

export const isTracked = (pod: Pod): boolean => pod.metadata.finalizers?.includes(TRACKING) === true;

/** The Job's condition of this type, when it is true. */
export const conditionOf = (job: Job, type: string): JobCondition | undefined =>
  job.status?.conditions?.find((condition) => condition.type === type && condition.status === "True");

/** The condition that ends a Job for good, if it has one. */
export const terminalOf = (job: Job): JobCondition | undefined =>
  conditionOf(job, "Complete") ?? conditionOf(job, "Failed");

/** Pods are replaced when they have failed, not when they have only begun to end (KEP-3939; a failure policy asks for it too). */
export const replacesOnlyFailed = (job: Job): boolean =>
  job.spec?.podReplacementPolicy === "Failed" || job.spec?.podFailurePolicy !== undefined;

/** Whether the pod is a failure of the Job. What is being deleted counts, as it may never come to say that it failed. */
export function isFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === "Failed") return true;
  if (replacesOnlyFailed(job)) return false;
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== "Succeeded";
}

const timeOf = (text: string | undefined): number | undefined => {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? undefined : at;
};

/** When all programs of the pod had ended, sidecars too; undefined when one of them does not say. */
function endOfContainers(pod: Pod): number | undefined {
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const statuses = [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.some((one) => one.name === name)),
  ];
  const ends = statuses.map(({ state }) => timeOf(state?.terminated?.finishedAt));
  return ends.length === 0 || ends.includes(undefined) ? undefined : Math.max(...ends.map((end) => end ?? 0));
}

/** When the pod ended, in milliseconds, by the best witness there is. */
export function finishedAt(pod: Pod): number {
  const ready = pod.status?.conditions?.find(({ type, status }) => type === "Ready" && status === "False");
  const asked = timeOf(pod.metadata.deletionTimestamp);
  return (
    endOfContainers(pod) ??
    timeOf(ready?.lastTransitionTime) ??
    (asked === undefined ? undefined : asked - (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000) ??
    timeOf(pod.metadata.creationTimestamp) ??
    0
  );
}
