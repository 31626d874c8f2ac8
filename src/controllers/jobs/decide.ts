import type { Job, JobCondition, JobStatus, Pod } from "../../api/generated/types.ts";
import { timestamp } from "../../observe/clock.ts";
import { isReady } from "../pods/ready.ts";
import type { Failures } from "./backoff.ts";
import { conditionOf } from "./finished.ts";
import { manage, type Work } from "./manage.ts";
import { deadlineIn, isSuspended, outcomeOf, type Outcome } from "./outcome.ts";
import { trackPods } from "./track.ts";
import { viewOf, type JobInput } from "./view.ts";

export interface Told {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface JobDecision extends Work {
  /** Pods of a Job that has its outcome: to be told to end; they stay until they are counted. */
  readonly end: readonly Pod[];
  /** What the pods say as they are, before anything above is done. */
  readonly status: JobStatus;
  /** Pods to be set free of the finalizer, after `status` is stored and not before. */
  readonly release: readonly Pod[];
  readonly failures: Failures;
  /** What there is to tell of the step from the present status to this one, once it is stored. */
  readonly told: readonly Told[];
}

/** Conditions with this one put in its place; one that is false is only said after it was true. */
function withCondition(
  conditions: readonly JobCondition[],
  next: Pick<JobCondition, "type" | "status" | "reason" | "message">,
  now: number,
): JobCondition[] {
  const held = conditions.find(({ type }) => type === next.type);
  const condition = { ...next, lastProbeTime: timestamp(now), lastTransitionTime: timestamp(now) };
  if (held === undefined) return next.status === "False" ? [...conditions] : [...conditions, condition];
  const isSame = held.status === next.status && held.reason === next.reason && held.message === next.message;
  return conditions.map((one) => (one === held && !isSame ? condition : one));
}

const SUSPENDED = { type: "Suspended", status: "True", reason: "JobSuspended", message: "Job suspended" } as const;
const RESUMED = { type: "Suspended", status: "False", reason: "JobResumed", message: "Job resumed" } as const;

const terminalOf = ({ type, reason, message }: Outcome) => ({
  type: type === "SuccessCriteriaMet" ? "Complete" : "Failed",
  status: "True",
  reason,
  message,
});

function toldOf(job: Job, outcome: Outcome, succeeded: number): Told[] {
  if (outcome.type === "FailureTarget") return [{ type: "Warning", reason: outcome.reason, message: outcome.message }];
  const tooMany = job.spec?.completions !== undefined && succeeded > job.spec.completions;
  const message = "Too many succeeded pods running after completion count reached";
  return [
    ...(tooMany ? [{ type: "Warning" as const, reason: "TooManySucceededPods", message }] : []),
    { type: "Normal", reason: "Completed", message: "Job completed" },
  ];
}

/**
 * What a Job that has not ended needs. Its pods are made and removed first; then it is decided anew, the status stored, and
 * only then the finalizers of the pods that the status has taken in are removed. Deciding again goes on from wherever that stopped.
 */
export function decideJob(input: JobInput): JobDecision {
  const { job, now } = input;
  const view = viewOf(input);
  const outcome = outcomeOf(view);
  const isGoing = job.metadata.deletionTimestamp !== undefined;
  const end = outcome === undefined ? [] : view.active;
  const work = outcome !== undefined || isGoing ? { create: [], discard: [] } : manage(view);
  const { counted, release, isWhole } = trackPods(view, end.length === 0 ? outcome : undefined);
  const told: Told[] = [];

  let conditions: JobCondition[] = [...(job.status?.conditions ?? [])];
  let { startTime, completionTime } = job.status ?? {};
  if (startTime === undefined && !isSuspended(job)) startTime = timestamp(now);
  if (outcome !== undefined) conditions = withCondition(conditions, { ...outcome, status: "True" }, now);
  else if (!isGoing && isSuspended(job) && conditionOf(job, "Suspended") === undefined) {
    conditions = withCondition(conditions, SUSPENDED, now);
    told.push({ type: "Normal", reason: "Suspended", message: "Job suspended" });
    startTime = undefined;
  } else if (!isGoing && !isSuspended(job) && conditionOf(job, "Suspended") !== undefined) {
    conditions = withCondition(conditions, RESUMED, now);
    told.push({ type: "Normal", reason: "Resumed", message: "Job resumed" });
    // The time that a Job may take is the time that it is not suspended.
    startTime = timestamp(now);
  }
  // The word that it is over comes last: when the outcome is stored, every pod has ended, and every one is counted.
  const uncounted = counted.uncountedTerminatedPods;
  const isOver =
    outcome !== undefined &&
    conditionOf(job, outcome.type) !== undefined &&
    view.active.length === 0 &&
    view.terminating === 0 &&
    isWhole &&
    release.length === 0 &&
    uncounted?.succeeded === undefined &&
    uncounted?.failed === undefined;
  if (isOver) {
    conditions = withCondition(conditions, terminalOf(outcome), now);
    if (outcome.type === "SuccessCriteriaMet") completionTime = timestamp(now);
    told.push(...toldOf(job, outcome, counted.succeeded ?? 0));
  }
  const waits = [
    work.again,
    outcome === undefined ? deadlineIn({ ...job, status: { ...job.status, startTime } }, now) : undefined,
  ];
  const again = waits.filter((wait) => wait !== undefined);
  return {
    ...work,
    ...(again.length === 0 ? {} : { again: Math.min(...again) }),
    end,
    release,
    failures: view.failures,
    told,
    status: {
      ...job.status,
      ...counted,
      active: view.active.length === 0 ? undefined : view.active.length,
      ready: view.active.filter(isReady).length,
      terminating: view.terminating,
      startTime,
      completionTime,
      conditions: conditions.length === 0 ? undefined : conditions,
    },
  };
}
