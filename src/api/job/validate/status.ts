import { duplicate, invalid, required, type Fault } from "../../fault.ts";
import type { Job } from "../../generated/types.ts";
import { validateObjectMeta } from "../../meta/objectMeta.ts";
import { sameJson } from "../../meta/values.ts";
import { WORKLOAD_META } from "../../template/rules.ts";
import { validateCounts } from "../../template/status.ts";
import { countIndexes, sharedIndex } from "./indexes.ts";

const isTrue = ({ status }: Job, type: string): boolean =>
  status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
const isFinished = (job: Job): boolean => isTrue(job, "Complete") || isTrue(job, "Failed");

const ofConditions = (why: string): Fault => ({
  reason: "FieldValueInvalid",
  field: "status.conditions",
  message: `Invalid value: ${why}`,
});

/** Pods that have ended and are not yet counted, each told once. */
function validateUncounted({ status }: Job): Fault[] {
  const seen = new Set<string>();
  return (["succeeded", "failed"] as const).flatMap((part) =>
    (status?.uncountedTerminatedPods?.[part] ?? []).flatMap((uid, index) => {
      const field = `status.uncountedTerminatedPods.${part}[${index}]`;
      if (uid === "") return [invalid(field, uid, "must not be empty")];
      if (seen.has(uid)) return [duplicate(field, uid)];
      seen.add(uid);
      return [];
    }),
  );
}

/** What cannot be true at once, where it has just become so. */
function validateEnd(next: Job, previous: Job): Fault[] {
  const changed = (type: string): boolean => isTrue(next, type) !== isTrue(previous, type);
  const { status = {}, spec } = next;
  const was = previous.status ?? {};
  const isOther = (field: keyof typeof status): boolean => !sameJson(status[field], was[field]);
  const [isComplete, isFailed] = [isTrue(next, "Complete"), isTrue(next, "Failed")];
  const isEnded = isFinished(next);
  const isEndOther = isEnded !== isFinished(previous);
  const faults: Fault[] = [];
  const judge = (isJudged: boolean, isWrong: boolean, fault: () => Fault): void => {
    if (isJudged && isWrong) faults.push(fault());
  };
  judge(changed("Complete") || changed("Failed"), isComplete && isFailed, () =>
    ofConditions("cannot set Complete=True and Failed=true conditions"),
  );
  judge(changed("Complete") || changed("FailureTarget"), isComplete && isTrue(next, "FailureTarget"), () =>
    ofConditions("cannot set Complete=True and FailureTarget=true conditions"),
  );
  const isDone = changed("Complete") || isOther("completionTime");
  judge(isDone, status.completionTime !== undefined && !isComplete, () =>
    invalid(
      "status.completionTime",
      status.completionTime,
      "cannot set completionTime when there is no Complete=True condition",
    ),
  );
  judge(isDone, status.completionTime === undefined && isComplete, () =>
    required("status.completionTime", "completionTime is required for Complete jobs"),
  );
  const { startTime, completionTime } = status;
  judge(
    isOther("startTime") || isOther("completionTime"),
    startTime !== undefined && completionTime !== undefined && Date.parse(completionTime) < Date.parse(startTime),
    () => invalid("status.completionTime", completionTime, "must be equal to or after `startTime`"),
  );
  judge(changed("Failed") || isOther("failedIndexes"), isFailed && !isTrue(next, "FailureTarget"), () =>
    ofConditions("cannot set Failed=True condition without the FailureTarget=true condition"),
  );
  judge(changed("Complete") || changed("SuccessCriteriaMet"), isComplete && !isTrue(next, "SuccessCriteriaMet"), () =>
    ofConditions("cannot set Complete=True condition without the SuccessCriteriaMet=true condition"),
  );
  judge(isEndOther || isOther("active"), isEnded && (status.active ?? 0) > 0, () =>
    invalid("status.active", status.active, "active>0 is invalid for finished job"),
  );
  const isNothing = spec?.suspend === true && spec.completions === 0;
  judge((isEndOther || isOther("startTime")) && !isNothing, isEnded && startTime === undefined, () =>
    required("status.startTime", "startTime is required for finished job"),
  );
  const { failed, succeeded } = status.uncountedTerminatedPods ?? {};
  // So upstream shows what it has read.
  const uncounted = { Succeeded: succeeded ?? null, Failed: failed ?? null };
  judge(
    isEndOther || isOther("uncountedTerminatedPods"),
    isEnded && [...(failed ?? []), ...(succeeded ?? [])].length > 0,
    () => invalid("status.uncountedTerminatedPods", uncounted, "must be empty for finished job"),
  );
  judge(isEndOther || isOther("terminating"), isEnded && (status.terminating ?? 0) > 0, () =>
    invalid("status.terminating", status.terminating, "terminating>0 is invalid for finished job"),
  );
  judge(isOther("ready") || isOther("active"), (status.ready ?? 0) > (status.active ?? 0), () =>
    invalid("status.ready", status.ready, "cannot set more ready pods than active"),
  );
  return faults;
}

function validateIndexes(next: Job, previous: Job): Fault[] {
  const { status = {}, spec } = next;
  const faults: Fault[] = [];
  for (const field of ["completedIndexes", "failedIndexes"] as const) {
    const text = status[field];
    if (text === undefined || text === previous.status?.[field]) continue;
    const isUsed =
      field === "completedIndexes" ? spec?.completionMode === "Indexed" : spec?.backoffLimitPerIndex !== undefined;
    const counted = countIndexes(text, spec?.completions ?? Number.POSITIVE_INFINITY);
    if (spec?.completions !== undefined && "why" in counted) {
      faults.push(invalid(`status.${field}`, text, `error parsing ${field}: ${counted.why}`));
    }
    if (isUsed || (field === "completedIndexes" && text === "")) continue;
    const why =
      field === "completedIndexes"
        ? "cannot set non-empty completedIndexes when non-indexed completion mode"
        : "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
    faults.push(invalid(`status.${field}`, text, why));
  }
  const { completedIndexes, failedIndexes } = status;
  const isOther =
    completedIndexes !== previous.status?.completedIndexes || failedIndexes !== previous.status?.failedIndexes;
  if (!isOther || spec?.completions === undefined || failedIndexes === undefined) return faults;
  const index = sharedIndex(completedIndexes ?? "", failedIndexes, spec.completions);
  if (index !== undefined) {
    const why = `failedIndexes and completedIndexes overlap at index: ${index}`;
    faults.push(invalid("status.failedIndexes", failedIndexes, why));
  }
  return faults;
}

/** What has happened has happened. */
function validateHistory(next: Job, previous: Job): Fault[] {
  const { status = {}, spec } = next;
  const was = previous.status ?? {};
  const faults = ["Failed", "Complete", "FailureTarget"]
    .filter((type) => isTrue(previous, type) && !isTrue(next, type))
    .map((type) => ofConditions(`cannot disable the terminal ${type}=True condition`));
  const shrinks = (field: "failed" | "succeeded"): boolean => (status[field] ?? 0) < (was[field] ?? 0);
  if (shrinks("failed"))
    faults.push(invalid("status.failed", status.failed ?? 0, "cannot decrease the failed counter"));
  const mayShrink = spec?.completionMode === "Indexed" && spec.completions === spec.parallelism;
  if (!mayShrink && shrinks("succeeded")) {
    faults.push(invalid("status.succeeded", status.succeeded ?? 0, "cannot decrease the succeeded counter"));
  }
  const { completionTime, startTime } = status;
  if (completionTime !== undefined && was.completionTime !== undefined && completionTime !== was.completionTime) {
    faults.push(invalid("status.completionTime", completionTime, "field is immutable"));
  }
  const isResumed =
    isTrue(previous, "Suspended") &&
    status.conditions?.some(({ type, status: is }) => type === "Suspended" && is === "False") === true;
  if (was.startTime !== undefined && startTime !== was.startTime && spec?.suspend !== true && !isResumed) {
    faults.push(invalid("status.startTime", startTime ?? null, "field is immutable for unsuspended job once set"));
  }
  if (isTrue(previous, "SuccessCriteriaMet") && !isTrue(next, "SuccessCriteriaMet")) {
    faults.push(ofConditions("cannot disable the SuccessCriteriaMet=True condition"));
  }
  return faults;
}

/** Whoever runs a Job tells its end once and well: others wait for that. */
export function validateStatus(next: Job, previous: Job): Fault[] {
  const isMet = isTrue(next, "SuccessCriteriaMet");
  const both = ["Failed", "FailureTarget"].filter((type) => isMet && isTrue(next, type));
  return [
    ...validateObjectMeta(next.metadata, previous.metadata, WORKLOAD_META),
    ...validateCounts(next.status, ["active", "succeeded", "failed", "ready", "terminating"]),
    ...validateUncounted(next),
    ...validateEnd(next, previous),
    ...validateIndexes(next, previous),
    ...both.map((type) => ofConditions(`cannot set SuccessCriteriaMet=True and ${type}=true conditions`)),
    ...validateHistory(next, previous),
  ];
}
