import type { Pod, PodCondition } from "../../api/generated/types.ts";
import { hasRun, type Phase, type SeenContainer } from "./phase.ts";

/** Why a condition does not hold. */
interface Why {
  readonly reason: string;
  readonly message?: string;
}

export interface ConditionInputs {
  readonly pod: Pod;
  readonly containers: readonly SeenContainer[];
  readonly phase: Phase;
  readonly sandboxReady: boolean;
  /** Why there is no network for the pod, as far as it is known. */
  readonly sandboxTrouble: Why | undefined;
  /** Conditions last told, whose transition times stay while their status does. */
  readonly previous: readonly PodCondition[];
  /** RFC 3339. */
  readonly now: string;
}

const named = (list: readonly SeenContainer[]): string => `[${list.map(({ container }) => container.name).join(" ")}]`;

/** A sidecar is through with the pod's start when it has started, an init container when it has succeeded. */
const isThrough = ({ kind, view }: SeenContainer): boolean =>
  kind === "sidecar" ? view.started : view.state.terminated?.exitCode === 0;

/** Why the containers are not ready; undefined when they are. */
function unreadiness({ containers, phase }: ConditionInputs): Why | undefined {
  if (phase === "Succeeded") return { reason: "PodCompleted" };
  if (phase === "Failed") return { reason: "PodFailed" };
  const unready = containers.filter(({ kind, view }) => kind !== "init" && !view.ready);
  if (unready.length === 0) return undefined;
  return { reason: "ContainersNotReady", message: `containers with unready status: ${named(unready)}` };
}

/** Which readiness gates are closed: conditions that others write (CTL-107). */
function closedGates({ pod }: ConditionInputs): Why | undefined {
  const faults = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (condition === undefined) {
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    }
    if (condition.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  return faults.length === 0 ? undefined : { reason: "ReadinessGatesNotReady", message: faults.join(", ") };
}

/** Why the pod is not initialized. Once a main container has run it stays so, while sidecars start again. */
function uninitialized({ containers, phase }: ConditionInputs): Why | undefined {
  if (phase === "Succeeded" || containers.some(({ kind, view }) => kind === "main" && hasRun(view))) return undefined;
  const incomplete = containers.filter((each) => each.kind !== "main" && !isThrough(each));
  if (incomplete.length === 0) return undefined;
  return { reason: "ContainersNotInitialized", message: `containers with incomplete status: ${named(incomplete)}` };
}

/** The conditions that a node holds (CTL-101); what others wrote beside them is theirs. */
export function nodeConditions(inputs: ConditionInputs): PodCondition[] {
  const unready = unreadiness(inputs);
  const { generation } = inputs.pod.metadata;
  const condition = (type: string, why: Why | undefined, good?: Why): PodCondition => {
    const status = why === undefined ? "True" : "False";
    const before = inputs.previous.find((each) => each.type === type);
    return {
      type,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      status,
      lastTransitionTime: before?.status === status ? (before.lastTransitionTime ?? inputs.now) : inputs.now,
      ...(why ?? good),
    };
  };
  const noSandbox = inputs.sandboxReady ? undefined : (inputs.sandboxTrouble ?? {});
  const completed = inputs.phase === "Succeeded" ? { reason: "PodCompleted" } : undefined;
  return [
    condition("PodReadyToStartContainers", noSandbox as Why | undefined),
    condition("Initialized", uninitialized(inputs), completed),
    condition("Ready", unready ?? closedGates(inputs)),
    condition("ContainersReady", unready),
    condition("PodScheduled", undefined),
  ];
}
