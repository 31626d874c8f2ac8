import type { Deployment } from "../../api/generated/types.ts";
import { shareOf } from "../pods/share.ts";

export const replicasOf = (deployment: Deployment): number => deployment.spec?.replicas ?? 1;

export const isRolling = (deployment: Deployment): boolean => deployment.spec?.strategy?.type !== "Recreate";

interface Bounds {
  readonly surge: number;
  readonly unavailable: number;
}

/** CTL-124: `maxSurge` rounded up and `maxUnavailable` rounded down; when both come to nothing, one pod may be unavailable. */
function boundsOf(deployment: Deployment): Bounds {
  const { maxSurge, maxUnavailable } = deployment.spec?.strategy?.rollingUpdate ?? {};
  const replicas = replicasOf(deployment);
  const surge = shareOf(maxSurge, replicas, "up");
  const unavailable = shareOf(maxUnavailable, replicas, "down");
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

/** Pods that may be there beyond `replicas`. */
export const maxSurgeOf = (deployment: Deployment): number => (isRolling(deployment) ? boundsOf(deployment).surge : 0);

/** Pods that may be missing from `replicas`. */
export const maxUnavailableOf = (deployment: Deployment): number =>
  isRolling(deployment) ? Math.min(replicasOf(deployment), boundsOf(deployment).unavailable) : 0;

/** The largest number of 32 bits says: no limit. */
const NONE = 2 ** 31 - 1;

/** Seconds in which there must be some progress; undefined: it is not watched. */
export function progressDeadlineOf(deployment: Deployment): number | undefined {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds === NONE ? undefined : seconds;
}

/** How many old ReplicaSets are kept; undefined: all. */
export function historyLimitOf(deployment: Deployment): number | undefined {
  const limit = deployment.spec?.revisionHistoryLimit;
  return limit === NONE ? undefined : limit;
}
