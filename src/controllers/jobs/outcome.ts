import type { Job, Pod } from "../../api/generated/types.ts";
import { judgeFailure } from "./failure-policy.ts";
import { conditionOf, isFailed } from "./finished.ts";
import { countOf } from "./indexes.ts";
import { successOf } from "./success-policy.ts";
import type { JobView } from "./view.ts";

/** What a Job is to end as: said in the status before its pods go, so that nobody decides otherwise afterwards. */
export interface Outcome {
  readonly type: "SuccessCriteriaMet" | "FailureTarget";
  readonly reason: string;
  readonly message: string;
}

export const isSuspended = (job: Job): boolean => job.spec?.suspend === true;

const failure = (reason: string, message: string): Outcome => ({ type: "FailureTarget", reason, message });

/** Restarts of containers count as failures where it is the node that starts them again. */
function exceedsRestarts(job: Job, pods: readonly Pod[]): boolean {
  if (job.spec?.template.spec?.restartPolicy !== "OnFailure") return false;
  const restarts = pods
    .filter(({ status }) => status?.phase === "Running" || status?.phase === "Pending")
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  return restarts > 0 && restarts >= (job.spec.backoffLimit ?? 6);
}

/** Milliseconds until `activeDeadlineSeconds` are over; undefined when the Job has no such limit, or does not run. */
export function deadlineIn(job: Job, now: number): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds;
  const startedAt = Date.parse(job.status?.startTime ?? "");
  if (seconds === undefined || Number.isNaN(startedAt) || isSuspended(job)) return undefined;
  return startedAt + seconds * 1000 - now;
}

/** What was decided before; kept, whatever has happened since. */
function decidedBefore(job: Job): Outcome | undefined {
  for (const type of ["SuccessCriteriaMet", "FailureTarget"] as const) {
    const said = conditionOf(job, type);
    if (said !== undefined) return { type, reason: said.reason ?? "", message: said.message ?? "" };
  }
  return undefined;
}

function failureOf({ job, pods, failed, now, indexes }: JobView): Outcome | undefined {
  const fatal = pods
    .filter((pod) => isFailed(job, pod))
    .map((pod) => judgeFailure(job, pod))
    .find(({ action }) => action === "FailJob");
  if (fatal !== undefined) return failure("PodFailurePolicy", fatal.why ?? "");
  if (failed > (job.spec?.backoffLimit ?? 6) || exceedsRestarts(job, pods)) {
    return failure("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  if ((deadlineIn(job, now) ?? 1) <= 0) {
    return failure("DeadlineExceeded", "Job was active longer than specified deadline");
  }
  if (indexes?.failed === undefined) return undefined;
  const { maxFailedIndexes, completions = 0 } = job.spec ?? {};
  const lost = countOf(indexes.failed);
  if (maxFailedIndexes !== undefined && lost > maxFailedIndexes) {
    return failure("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
  }
  return lost > 0 && lost + countOf(indexes.succeeded) >= completions
    ? failure("FailedIndexes", "Job has failed indexes")
    : undefined;
}

/** How the Job ends; undefined while it goes on. Failure comes first where both could be said. */
export function outcomeOf(view: JobView): Outcome | undefined {
  const { job, active, succeeded, indexes } = view;
  const known = decidedBefore(job) ?? failureOf(view);
  if (known !== undefined) return known;
  const matched = successOf(job, indexes?.succeeded ?? []);
  if (matched !== undefined) return { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message: matched };
  // Without a number of completions one success is enough, when the others have ended too.
  if (active.length > 0 || succeeded < (job.spec?.completions ?? 1)) return undefined;
  return {
    type: "SuccessCriteriaMet",
    reason: "CompletionsReached",
    message: "Reached expected number of succeeded pods",
  };
}
