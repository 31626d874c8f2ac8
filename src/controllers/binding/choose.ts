import type { Node, Pod } from "../../api/generated/types.ts";
import { matchesNode } from "../nodes/matches.ts";
import { isFinished, isTerminating } from "../pods/ready.ts";

/** The scheduler that pods mean when they name none (`spec.schedulerName`). */
export const SCHEDULER = "default-scheduler";

/** Whether the pod waits for us to give it a node. */
export const awaitsNode = (pod: Pod): boolean =>
  (pod.spec?.nodeName ?? "") === "" &&
  (pod.spec?.schedulerName ?? SCHEDULER) === SCHEDULER &&
  (pod.spec?.schedulingGates ?? []).length === 0 &&
  !isFinished(pod) &&
  !isTerminating(pod);

export type Choice = { readonly node: string } | { readonly refused: string };

const isNodeReady = (node: Node): boolean =>
  node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

interface Taint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: string;
}

/** The pod accepts the taint: same key (or any), same value (or any), same effect (or any). */
const tolerates = (pod: Pod, taint: Taint): boolean =>
  pod.spec?.tolerations?.some(
    ({ key, operator, value, effect }) =>
      (effect === undefined || effect === "" || effect === taint.effect) &&
      (key === undefined || key === "" ? operator === "Exists" : key === taint.key) &&
      (operator === "Exists" || (value ?? "") === (taint.value ?? "")),
  ) === true;

const CORDONED: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** Why this node cannot have the pod; undefined when it can. The words follow kube-scheduler's, which people search for. */
function obstacle(pod: Pod, node: Node, podsThere: number): string | undefined {
  if (node.metadata.deletionTimestamp !== undefined) return "node(s) were being deleted";
  if (node.spec?.unschedulable === true && !tolerates(pod, CORDONED)) return "node(s) were unschedulable";
  if (!isNodeReady(node)) return "node(s) were not ready";
  if (!matchesNode(pod.spec ?? { containers: [] }, node)) {
    return "node(s) didn't match Pod's node affinity/selector";
  }
  const taint = (node.spec?.taints ?? []).find(
    ({ key, value, effect }) =>
      (effect === "NoSchedule" || effect === "NoExecute") &&
      !(key === CORDONED.key && node.spec?.unschedulable === true) &&
      !tolerates(pod, { key, value, effect }),
  );
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`;
  const most = Number(node.status?.allocatable?.["pods"] ?? Number.POSITIVE_INFINITY);
  return podsThere >= most ? "Too many pods" : undefined;
}

/** The node with the fewest pods of those that can have this one (by name, when several have as few), or why there is none. */
export function chooseNode(pod: Pod, nodes: Iterable<Node>, podsOn: (node: string) => number): Choice {
  let best: { name: string; count: number } | undefined;
  let total = 0;
  const obstacles = new Map<string, number>();
  for (const node of nodes) {
    total += 1;
    const name = node.metadata.name ?? "";
    const count = podsOn(name);
    const why = obstacle(pod, node, count);
    if (why !== undefined) obstacles.set(why, (obstacles.get(why) ?? 0) + 1);
    else if (best === undefined || count < best.count || (count === best.count && name < best.name)) {
      best = { name, count };
    }
  }
  if (best !== undefined) return { node: best.name };
  if (total === 0) return { refused: "no nodes available to schedule pods" };
  const said = [...obstacles].map(([why, count]) => `${count} ${why}`).sort();
  return { refused: `0/${total} nodes are available: ${said.join(", ")}.` };
}
