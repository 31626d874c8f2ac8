import type {
  Container,
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
} from "../../api/generated/types.ts";

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

export interface StatusInputs {
  readonly pod: Pod;
  readonly containers: ReadonlyMap<string, ContainerView>;
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
  readonly startTime: string;
  readonly sandboxReady: boolean;
  readonly ending: boolean;
  /** Conditions last told, whose transition times stay while their status does. */
  readonly previous: readonly PodCondition[];
  /** RFC 3339. */
  readonly now: string;
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

const succeeded = (view: ContainerView): boolean => view.state.terminated?.exitCode === 0;

function statusOf(container: Container, view: ContainerView): ContainerStatus {
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

function phaseOf(pod: Pod, init: readonly ContainerView[], main: readonly ContainerView[], ending: boolean): string {
  const policy = pod.spec?.restartPolicy ?? "Always";
  const allEnded = main.length > 0 && main.every((view) => view.state.terminated !== undefined);
  const initFailed = init.some((view) => view.state.terminated !== undefined && !succeeded(view));
  if (initFailed && (policy === "Never" || ending)) return "Failed";
  if (!init.every(succeeded)) return "Pending";
  if (allEnded && (ending || policy !== "Always")) {
    if (main.every(succeeded)) return "Succeeded";
    if (ending || policy === "Never") return "Failed";
    return "Running";
  }
  return main.some((view) => view.state.running ?? view.state.terminated ?? view.last) ? "Running" : "Pending";
}

/** The status of a pod as this node sees it (CTL-101, CTL-107, CTL-119, CTL-120). */
export function podStatus(inputs: StatusInputs): PodStatus {
  const { pod, containers } = inputs;
  const specs = pod.spec?.containers ?? [];
  const initSpecs = pod.spec?.initContainers ?? [];
  const init = initSpecs.map((container) => containers.get(container.name) ?? WAITING);
  const initialized = init.every(succeeded);
  const main = specs.map((container) => containers.get(container.name) ?? (initialized ? WAITING : INITIALIZING));
  const phase = phaseOf(pod, init, main, inputs.ending);
  const completed = phase === "Succeeded";

  const names = (list: readonly Container[]): string => `[${list.map(({ name }) => name).join(" ")}]`;
  const unready = specs.filter((_, index) => !main[index]!.ready);
  const containersReady = unready.length === 0 && !completed && phase !== "Failed";
  const gatesClosed = (pod.spec?.readinessGates ?? []).filter(
    ({ conditionType }) => pod.status?.conditions?.find(({ type }) => type === conditionType)?.status !== "True",
  );
  const notReady = completed
    ? { reason: "PodCompleted" }
    : phase === "Failed"
      ? { reason: "PodFailed" }
      : { reason: "ContainersNotReady", message: `containers with unready status: ${names(unready)}` };

  const condition = (
    type: string,
    holds: boolean,
    why: { reason: string; message?: string } | undefined,
  ): PodCondition => {
    const status = holds ? "True" : "False";
    const before = inputs.previous.find((each) => each.type === type);
    return {
      type,
      status,
      lastProbeTime: undefined,
      lastTransitionTime: before?.status === status ? (before.lastTransitionTime ?? inputs.now) : inputs.now,
      ...(holds || why === undefined ? {} : why),
    };
  };
  const incomplete = initSpecs.filter((_, index) => !succeeded(init[index]!));
  const ready = containersReady && gatesClosed.length === 0;
  return {
    phase,
    startTime: inputs.startTime,
    conditions: [
      condition("PodReadyToStartContainers", inputs.sandboxReady, undefined),
      condition("Initialized", initialized, {
        reason: "ContainersNotInitialized",
        message: `containers with incomplete status: ${names(incomplete)}`,
      }),
      condition(
        "Ready",
        ready,
        containersReady
          ? {
              reason: "ReadinessGatesNotReady",
              message: `the status of pod readiness gate "${gatesClosed[0]?.conditionType}" is not "True"`,
            }
          : notReady,
      ),
      condition("ContainersReady", containersReady, notReady),
      condition("PodScheduled", true, undefined),
    ],
    ...(inputs.hostIPs[0] === undefined ? {} : { hostIP: inputs.hostIPs[0] }),
    hostIPs: inputs.hostIPs.map((ip) => ({ ip })),
    ...(inputs.podIPs[0] === undefined ? {} : { podIP: inputs.podIPs[0], podIPs: inputs.podIPs.map((ip) => ({ ip })) }),
    ...(initSpecs.length === 0
      ? {}
      : { initContainerStatuses: initSpecs.map((container, index) => statusOf(container, init[index]!)) }),
    containerStatuses: specs.map((container, index) => statusOf(container, main[index]!)),
    qosClass: pod.status?.qosClass ?? "BestEffort",
  };
}
