import type { Node, Pod } from "../../api/generated/types.ts";
import { isFinished, isTerminating } from "../pods/ready.ts";

/** How many pods that have ended are kept (`--terminated-pod-gc-threshold`). */
export const KEPT = 12_500;

const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

export type Waste =
  /** Nobody will ever end it: it ends without having been given to a node, or its node was declared lost. */
  | { readonly reason: "unscheduled" | "out-of-service" }
  /** CTL-117: its node is gone; to be looked for once more after a while. */
  | { readonly reason: "orphaned"; readonly node: string };

/** Why the pod is waste by itself; undefined when it is not. */
export function wasteOf(pod: Pod, node: Node | undefined): Waste | undefined {
  const name = pod.spec?.nodeName ?? "";
  if (name === "") return isTerminating(pod) ? { reason: "unscheduled" } : undefined;
  if (node === undefined) return { reason: "orphaned", node: name };
  const isReady = node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
  const isLost = node.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE) === true;
  return isTerminating(pod) && !isReady && isLost ? { reason: "out-of-service" } : undefined;
}

const rankOf = ({ metadata, status }: Pod): string => {
  const isEvicted = status?.phase === "Failed" && status.reason === "Evicted";
  return `${isEvicted ? 0 : 1}/${metadata.creationTimestamp ?? ""}/${metadata.name ?? ""}`;
};

/** Of the pods that have ended those beyond the limit: evicted ones first, then the oldest. */
export function surplusOf(pods: Iterable<Pod>, kept: number): Pod[] {
  const ended = [...pods].filter(isFinished);
  const surplus = ended.length - kept;
  if (surplus <= 0) return [];
  const ranked = ended.map((pod) => ({ pod, rank: rankOf(pod) }));
  return ranked
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, surplus)
    .map(({ pod }) => pod);
}
