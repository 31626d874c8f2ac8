import type { Container, Pod } from "../../../api/generated/types.ts";
import type { ProbeResult } from "../../probes/result.ts";
import type { ProbeKind, Refusal } from "../runtime.ts";
import type { AnsweredPort } from "./protocol.ts";

/** `"false"` makes the pod unready, `"true"` or nothing leaves it ready. */
const READY = "fairlead.dev/ready";
/** After how many seconds the pod's containers end, with exit code 0. */
const RUN_SECONDS = "fairlead.dev/run-seconds";
/** How long a container of a Job runs unless told. */
const JOB_SECONDS = 1;

/** What a simulated container does from its start on. */
export interface ContainerPlan {
  readonly ports: readonly AnsweredPort[];
  /** Seconds after which it ends by itself; undefined when it does not. */
  readonly runsFor: number | undefined;
  readonly exitCode: number;
  /** What it says at its start, line by line. */
  readonly says: readonly string[];
}

const annotation = (pod: Pod, name: string): string | undefined => pod.metadata.annotations?.[name];

/** Init containers with a restart policy of their own go on beside the others (sidecars). */
const isInit = (pod: Pod, container: Container): boolean =>
  pod.spec?.initContainers?.some(({ name, restartPolicy }) => name === container.name && restartPolicy !== "Always") ===
  true;

const isOfJob = (pod: Pod): boolean =>
  pod.metadata.ownerReferences?.some(({ kind, controller }) => kind === "Job" && controller === true) === true;

/** Why a pod cannot be simulated; judged by its object alone. */
export function simulatedRefusal(pod: Pod): Refusal | undefined {
  if (pod.spec?.hostNetwork === true) {
    return {
      reason: "CreateContainerConfigError",
      message: "spec.hostNetwork: simulated pods answer at addresses of their own; remove it",
    };
  }
  const seconds = annotation(pod, RUN_SECONDS);
  if (seconds !== undefined && !/^\d{1,6}(\.\d{1,3})?$/.test(seconds)) {
    return {
      reason: "CreateContainerConfigError",
      message: `metadata.annotations[${RUN_SECONDS}]: ${JSON.stringify(seconds)} is not a number of seconds, such as "2.5"`,
    };
  }
  return undefined;
}

/** What a container is to do. `takenBy` names the container of the same pod that has the port already. */
export function planContainer(
  pod: Pod,
  container: Container,
  takenBy: (port: AnsweredPort) => string | undefined,
): ContainerPlan {
  if (isInit(pod, container)) {
    return { ports: [], runsFor: 0, exitCode: 0, says: ["simulated: init containers are done at once"] };
  }
  const says: string[] = [];
  const ports = new Map<string, AnsweredPort>();
  for (const { containerPort: port, protocol = "TCP" } of container.ports ?? []) {
    if (protocol === "TCP" || protocol === "UDP") ports.set(`${port}/${protocol}`, { protocol, port });
    else says.push(`simulated: port ${port}/${protocol} is not answered: only TCP and UDP are`);
  }
  for (const port of ports.values()) {
    const other = takenBy(port);
    if (other === undefined) continue;
    // A program would find the address in use and end.
    const fault = `simulated: port ${port.port}/${port.protocol} is in use already, by container ${other} of this pod`;
    return { ports: [], runsFor: 0, exitCode: 1, says: [fault] };
  }
  const given = annotation(pod, RUN_SECONDS);
  const endsByItself = given !== undefined || (isOfJob(pod) && (pod.spec?.restartPolicy ?? "Always") !== "Always");
  const runsFor = endsByItself ? Number(given ?? JOB_SECONDS) : undefined;
  const names = [...ports.keys()];
  says.unshift(
    `simulated: no program runs; ${names.length === 0 ? "no port is declared, so none answers" : `ports that answer: ${names.join(", ")}`}${runsFor === undefined ? "" : `; ends after ${runsFor} s`}`,
  );
  return { ports: [...ports.values()], runsFor, exitCode: 0, says };
}

/** There is no program to ask, so every probe passes; the pod's readiness follows its annotation. */
export function judgeProbe(pod: Pod, kind: ProbeKind): ProbeResult {
  if (kind === "readiness" && annotation(pod, READY) === "false") {
    return { ok: false, message: `the annotation ${READY} is "false"` };
  }
  return { ok: true, message: "" };
}
