import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/generated/types.ts";
import { labelSelector } from "../../api/selector/labelSelector.ts";
import { ApiError, isApiError } from "../../api/status.ts";
import { forbiddenWrite } from "../errors.ts";

/** Evicted pods of which the budget's controller has not yet said that they are gone; more than these nobody keeps track of. */
const MAXIMUM_DISRUPTED = 2000;
/** Seconds after which to ask again about a budget that has just been changed. */
const RETRY_SECONDS = 10;
const DISRUPTION_ALLOWED = "DisruptionAllowed";
const POLICY = { group: "policy", plural: "poddisruptionbudget" };

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

/** Pods whose end disturbs nobody: those that have ended or are ending, and those that have not begun. */
export const needsNoBudget = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined || ["Succeeded", "Failed", "Pending"].includes(status?.phase ?? "");

/** Whether a budget is about a pod of its namespace; one whose selector cannot be read is about none. */
export function isAbout({ spec }: PodDisruptionBudget, pod: Pod): boolean {
  try {
    return labelSelector(spec?.selector)(pod.metadata.labels);
  } catch (error) {
    if (isApiError(error)) return false;
    throw error;
  }
}

const tooMany = (why: string, retryAfterSeconds?: number): ApiError =>
  new ApiError("TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", {
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    causes: [{ reason: "DisruptionBudget", message: why }],
  });

/** Why a budget that allows no disruption does not. */
function whyNone({ metadata: { name = "" }, status }: PodDisruptionBudget): string {
  const condition = status?.conditions?.find(({ type }) => type === DISRUPTION_ALLOWED);
  const said = condition?.status === "False" && condition.message !== "" ? condition : undefined;
  const budget = `The disruption budget ${name}`;
  if (said?.reason === "SyncFailed") {
    return `${budget} does not allow evicting pods currently because it failed sync: ${said.message}`;
  }
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  if (currentHealthy <= desiredHealthy) {
    return `${budget} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  }
  const reason = said === undefined ? "" : ` (${said.reason}): ${said.message}`;
  return `${budget} does not allow evicting pods currently${reason}`;
}

/** The conditions, saying that no more pods may be evicted. */
function exhausted(status: PodDisruptionBudgetStatus, now: string): PodDisruptionBudgetStatus["conditions"] {
  const conditions = status.conditions ?? [];
  const was = conditions.find(({ type }) => type === DISRUPTION_ALLOWED);
  const next = {
    type: DISRUPTION_ALLOWED,
    status: "False",
    reason: "InsufficientPods",
    message: "",
    lastTransitionTime: was?.status === "False" ? was.lastTransitionTime : now,
    ...(status.observedGeneration === undefined ? {} : { observedGeneration: status.observedGeneration }),
  };
  return was === undefined ? [...conditions, next] : conditions.map((one) => (one === was ? next : one));
}

/**
 * The budget after one more of its pods is evicted; undefined when the eviction costs it nothing, because the pod was not
 * healthy anyway (`unhealthyPodEvictionPolicy`, KEP-3017).
 *
 * @param now RFC 3339, seconds
 * @throws ApiError TooManyRequests when it does not allow that, Forbidden when it is not fit to be asked
 */
export function charged(budget: PodDisruptionBudget, pod: Pod, now: string): PodDisruptionBudget | undefined {
  const { metadata, spec, status } = budget;
  const { name = "" } = metadata;
  const { currentHealthy = 0, desiredHealthy = 0, disruptionsAllowed = 0, disruptedPods = {} } = status ?? {};
  if (!isReady(pod)) {
    if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return undefined;
    if (currentHealthy >= desiredHealthy && desiredHealthy > 0) return undefined;
  }
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, RETRY_SECONDS);
  }
  if (disruptionsAllowed < 0) throw forbiddenWrite(POLICY, name, "pdb disruptions allowed is negative");
  if (Object.keys(disruptedPods).length > MAXIMUM_DISRUPTED) {
    const why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
    throw forbiddenWrite(POLICY, name, why);
  }
  if (disruptionsAllowed === 0) throw tooMany(whyNone(budget));
  const next: PodDisruptionBudgetStatus = {
    ...status!,
    disruptionsAllowed: disruptionsAllowed - 1,
    disruptedPods: { ...disruptedPods, [pod.metadata.name ?? ""]: now },
  };
  return {
    ...budget,
    status: disruptionsAllowed === 1 ? { ...next, conditions: exhausted(next, now)! } : next,
  };
}

/** The pod, saying who ended it. */
export function withDisruptionTarget(pod: Pod, now: string): Pod {
  const type = "DisruptionTarget";
  const conditions = pod.status?.conditions ?? [];
  const was = conditions.find((condition) => condition.type === type);
  const next = {
    type,
    status: "True",
    lastTransitionTime: was?.status === "True" && was.lastTransitionTime ? was.lastTransitionTime : now,
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
  };
  return {
    ...pod,
    status: {
      ...pod.status,
      conditions: was === undefined ? [...conditions, next] : conditions.map((one) => (one === was ? next : one)),
    },
  };
}
