import type { ContainerStatus, Job, Pod, PodFailurePolicyRule } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";

/** What a failed pod means (KEP-3329): the action of the first rule that fits it, and for `FailJob` the words why. */
export interface FailureVerdict {
  readonly action: "Count" | "Ignore" | "FailIndex" | "FailJob";
  readonly why?: string;
}

type ExitCodes = NonNullable<PodFailurePolicyRule["onExitCodes"]>;

function fits(status: ContainerStatus, { containerName, operator, values }: ExitCodes): boolean {
  const exitCode = status.state?.terminated?.exitCode ?? 0;
  if (exitCode === 0 || (containerName !== undefined && containerName !== status.name)) return false;
  return operator === "In" ? values.includes(exitCode) : operator === "NotIn" && !values.includes(exitCode);
}

/** What of the pod the rule fits, in words; undefined when it does not. */
function fitting(rule: PodFailurePolicyRule, pod: Pod, at: number): string | undefined {
  const { onExitCodes, onPodConditions = [] } = rule;
  if (onExitCodes !== undefined) {
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
    const found = [...containerStatuses, ...initContainerStatuses].find((status) => fits(status, onExitCodes));
    if (found === undefined) return undefined;
    const exitCode = found.state?.terminated?.exitCode;
    return `Container ${found.name} for pod ${keyOf(pod)} failed with exit code ${exitCode} matching ${rule.action} rule at index ${at}`;
  }
  const condition = pod.status?.conditions?.find(({ type, status }) =>
    onPodConditions.some((pattern) => pattern.type === type && (pattern.status ?? "True") === status),
  );
  if (condition === undefined) return undefined;
  return `Pod ${keyOf(pod)} has condition ${condition.type} matching ${rule.action} rule at index ${at}`;
}

export function judgeFailure(job: Job, pod: Pod): FailureVerdict {
  for (const [at, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const why = fitting(rule, pod, at);
    if (why === undefined) continue;
    if (rule.action === "FailJob") return { action: "FailJob", why };
    if (rule.action === "Ignore" || rule.action === "FailIndex") return { action: rule.action };
    return { action: "Count" };
  }
  return { action: "Count" };
}
