import type {
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
} from "../../api/generated/types.ts";
import { nodeConditions, type ConditionInputs } from "./conditions.ts";
import { containersOf } from "./kinds.ts";
import { hasRun, phaseOf, type Phase, type SeenContainer } from "./phase.ts";

/** What is so with one container now. */
export interface ContainerView {
  readonly state: ContainerState;
  readonly last: ContainerStateTerminated | undefined;
  readonly restartCount: number;
  readonly ready: boolean;
  /** Its startup probe has succeeded, or it has none and runs. */
  readonly started: boolean;
  readonly containerID: string | undefined;
}

/** Why a pod has failed, when that is not for its containers to say. */
export interface Verdict {
  readonly reason: string;
  readonly message: string;
}

export interface StatusInputs extends Pick<ConditionInputs, "pod" | "sandboxReady" | "sandboxTrouble" | "now"> {
  readonly containers: ReadonlyMap<string, ContainerView>;
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
  readonly startTime: string;
  /** Nothing is started any more; `over`: and nothing runs any more. */
  readonly ending: "no" | "yes" | "over";
  readonly verdict: Verdict | undefined;
  readonly previous: readonly PodCondition[];
}

const WAITING: ContainerView = {
  state: { waiting: { reason: "ContainerCreating" } },
  last: undefined,
  restartCount: 0,
  ready: false,
  started: false,
  containerID: undefined,
};
const INITIALIZING: ContainerView = { ...WAITING, state: { waiting: { reason: "PodInitializing" } } };

/** What is said of a container of which nobody knows how it ended. */
const LOST: ContainerState = {
  terminated: {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated",
  },
};

function statusOf({ container, view }: SeenContainer): ContainerStatus {
  return {
    name: container.name,
    image: container.image ?? "",
    imageID: "",
    ready: view.ready,
    started: view.started,
    restartCount: view.restartCount,
    state: view.state,
    lastState: view.last === undefined ? {} : { terminated: view.last },
    ...(view.containerID === undefined ? {} : { containerID: view.containerID }),
  };
}

/** The containers as they are seen; those not begun wait, the main ones for the pod to be initialized where it has others. */
function seen({ pod, containers, ending }: StatusInputs): SeenContainer[] {
  const known = containersOf(pod);
  const hasBefore = known.some(
    ({ kind, container }) => kind !== "main" && containers.get(container.name) === undefined,
  );
  const areAllBegun = known.every(({ kind, container }) => {
    const view = containers.get(container.name);
    if (kind === "main" || view === undefined) return kind === "main";
    return kind === "sidecar" ? view.started : view.state.terminated?.exitCode === 0;
  });
  const unbegun = (kind: string): ContainerView =>
    kind === "main" && (hasBefore || !areAllBegun) ? INITIALIZING : WAITING;
  const all = known.map((each) => ({ ...each, view: containers.get(each.container.name) ?? unbegun(each.kind) }));
  if (ending !== "over") return all;
  // What has run and is not known to have ended is lost; what never ran stays as it is.
  return all.map((each) =>
    hasRun(each.view) && each.view.state.terminated === undefined
      ? { ...each, view: { ...each.view, state: LOST, ready: false, started: false } }
      : each,
  );
}

/** Terminal phases are for good, whoever wrote them (an eviction, CTL-116). */
const finalPhase = ({ status }: Pod): Phase | undefined =>
  status?.phase === "Succeeded" || status?.phase === "Failed" ? status.phase : undefined;

/** The status of a pod as this node sees it (CTL-101, CTL-107, CTL-119, CTL-120). */
export function podStatus(inputs: StatusInputs): PodStatus {
  const { pod, verdict, ending } = inputs;
  const containers = seen(inputs);
  const byContainers = phaseOf(pod, containers, ending !== "no");
  // Whatever was never started when a pod has ended leaves it failed.
  const ended = ending === "over" && byContainers !== "Succeeded" ? "Failed" : byContainers;
  const phase = finalPhase(pod) ?? (verdict === undefined ? ended : "Failed");
  const isTerminal = phase === "Succeeded" || phase === "Failed";
  // Until nothing runs any more a pod is not said to be over; its conditions say it before.
  const isHeld =
    finalPhase(pod) === undefined && isTerminal && containers.some(({ view }) => view.state.running !== undefined);
  const isInitFailed = byContainers === "Failed";
  const shown = isHeld ? (isInitFailed ? "Pending" : byContainers) : phase;
  const { generation } = pod.metadata;
  const init = containers.filter(({ kind }) => kind !== "main");
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase: shown,
    ...(verdict === undefined || isHeld ? {} : verdict),
    startTime: inputs.startTime,
    conditions: nodeConditions({ ...inputs, containers, phase }),
    ...(inputs.hostIPs[0] === undefined ? {} : { hostIP: inputs.hostIPs[0] }),
    hostIPs: inputs.hostIPs.map((ip) => ({ ip })),
    ...(inputs.podIPs[0] === undefined ? {} : { podIP: inputs.podIPs[0], podIPs: inputs.podIPs.map((ip) => ({ ip })) }),
    ...(init.length === 0 ? {} : { initContainerStatuses: init.map(statusOf) }),
    containerStatuses: containers.filter(({ kind }) => kind === "main").map(statusOf),
    qosClass: pod.status?.qosClass ?? "BestEffort",
  };
}
