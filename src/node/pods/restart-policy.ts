import type { Container, ContainerRestartRule, Pod } from "../../api/generated/types.ts";
import type { ContainerKind } from "./kinds.ts";

/** A rule without exit codes, or with an operator that we do not know, never matches. */
function matches({ exitCodes }: ContainerRestartRule, exitCode: number): boolean {
  const isNamed = exitCodes?.values?.includes(exitCode) ?? false;
  if (exitCodes?.operator === "In") return isNamed;
  return exitCodes?.operator === "NotIn" && !isNamed;
}

/**
 * Whether a container that ended is started again. The first rule that matches counts, then the container's own policy, then
 * the pod's (KEP-5307, on since 1.35). An init container that succeeded is done, whatever they say.
 */
export function restarts(pod: Pod, container: Container, kind: ContainerKind, exitCode: number): boolean {
  if (kind === "init" && exitCode === 0) return false;
  const own = container.restartPolicy;
  // Only beside a policy of the container's own do its rules count.
  if (own !== undefined && (container.restartPolicyRules ?? []).some((rule) => matches(rule, exitCode))) return true;
  const policy = own ?? pod.spec?.restartPolicy ?? "Always";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}
