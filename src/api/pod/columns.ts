import { humanDuration } from "../duration.ts";
import type { ContainerStatus, Pod } from "../generated/types.ts";
import type { Cell, Column } from "../kind.ts";
import { age, ageColumn, column, nameColumn, nameOf, wideColumn } from "../meta/columns.ts";
import { isPastInit, isSidecar, statusText } from "./statusText.ts";

/** SVC-316 */
export const columns: readonly Column[] = [
  nameColumn,
  column("Ready", "How many of its containers are ready, of how many."),
  column("Status", "Its phase, or what keeps it from running."),
  column("Restarts", "How often its containers were started again, and when last."),
  ageColumn,
  wideColumn("IP", "Its address."),
  wideColumn("Node", "The node it runs on."),
  wideColumn("Nominated Node", "The node where room is being made for it."),
  wideColumn("Readiness Gates", "How many of its own conditions are true, of how many."),
];

function readyText(pod: Pod): string {
  const sidecars = (pod.status?.initContainerStatuses ?? []).filter((status) => isSidecar(pod, status.name));
  const total =
    (pod.spec?.containers.length ?? 0) +
    (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === "Always").length;
  const containers = isPastInit(pod) ? (pod.status?.containerStatuses ?? []) : [];
  const ready =
    sidecars.filter((status) => status.started === true && status.ready).length +
    containers.filter((status) => status.ready && status.state?.running !== undefined).length;
  return `${ready}/${total}`;
}

/** SVC-341: until a pod is initialised its init containers count, afterwards only those that keep running. */
function restartsText(pod: Pod, nowMs: number): string {
  const init = pod.status?.initContainerStatuses ?? [];
  const counted: ContainerStatus[] = isPastInit(pod)
    ? [...init.filter((status) => isSidecar(pod, status.name)), ...(pod.status?.containerStatuses ?? [])]
    : init;
  const restarts = counted.reduce((sum, status) => sum + status.restartCount, 0);
  const ends = counted.map((status) => Date.parse(status.lastState?.terminated?.finishedAt ?? ""));
  const last = Math.max(...ends.filter((ms) => !Number.isNaN(ms)));
  return restarts > 0 && Number.isFinite(last) ? `${restarts} (${humanDuration(nowMs - last)} ago)` : String(restarts);
}

function gatesText(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const met = gates.filter(({ conditionType }) =>
    pod.status?.conditions?.some((condition) => condition.type === conditionType && condition.status === "True"),
  );
  return `${met.length}/${gates.length}`;
}

/** SVC-340 … SVC-342 */
export function row(pod: Pod, nowMs: number): Cell[] {
  return [
    nameOf(pod),
    readyText(pod),
    statusText(pod),
    restartsText(pod, nowMs),
    age(pod, nowMs),
    pod.status?.podIPs?.[0]?.ip || "<none>",
    pod.spec?.nodeName || "<none>",
    pod.status?.nominatedNodeName || "<none>",
    gatesText(pod),
  ];
}
