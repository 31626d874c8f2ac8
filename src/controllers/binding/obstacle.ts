import type { Node, PersistentVolumeClaim, Pod, Taint } from "../../api/generated/types.ts";
import { parseQuantity } from "../../api/meta/quantity.ts";
import { claimNamesOf, SELECTED_NODE } from "../claims/decide.ts";
import { matchesNode } from "../nodes/matches.ts";
import { accepts, NOT_READY, UNSCHEDULABLE } from "../nodes/taints.ts";
import { portsClash } from "./host-ports.ts";
import { shareOf, type NodeLoad, type Share } from "./load.ts";

/** A pod that waits for a node, with what the judgement needs of it worked out once. */
export interface Candidate {
  readonly pod: Pod;
  readonly share: Share;
  /** Nodes that hold its volumes; a pod goes where they are. */
  readonly claimNodes: readonly string[];
  /** A claim that it names and that is not there, or is going. */
  readonly missingClaim: string | undefined;
}

export function candidateOf(pod: Pod, claim: (name: string) => PersistentVolumeClaim | undefined): Candidate {
  const claims = claimNamesOf(pod).map((name) => ({ name, claim: claim(name) }));
  return {
    pod,
    share: shareOf(pod),
    claimNodes: claims.flatMap(({ claim: found }) => found?.metadata.annotations?.[SELECTED_NODE] ?? []),
    missingClaim: claims.find(({ claim: found }) => found === undefined || found.metadata.deletionTimestamp)?.name,
  };
}

const tolerates = (pod: Pod, taint: Taint): boolean =>
  pod.spec?.tolerations?.some((toleration) => accepts(toleration, taint)) === true;

/** What `kubectl cordon` stands for. */
const CORDONED: Taint = { key: UNSCHEDULABLE, effect: "NoSchedule" };
/** A node that is not ready has it a moment later; DaemonSets tolerate it. */
const UNREADY: Taint = { key: NOT_READY, effect: "NoSchedule" };

/** The first taint for which the pod must not come to this node; that of a cordon is judged apart. */
const repellingTaint = (pod: Pod, node: Node): Taint | undefined =>
  node.spec?.taints?.find(
    (taint) =>
      (taint.effect === "NoSchedule" || taint.effect === "NoExecute") &&
      !(taint.key === UNSCHEDULABLE && node.spec?.unschedulable === true) &&
      !tolerates(pod, taint),
  );

const isNodeReady = (node: Node): boolean =>
  node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** A resource of which the node has less left than the pod requests; what a node does not name it has not. */
function lacking({ requests }: Share, node: Node, load: NodeLoad): string | undefined {
  const allocatable = node.status?.allocatable ?? {};
  for (const [name, amount] of requests) {
    // Nobody counts the disk here, so a request for it is not held against a node that does not name it.
    if (amount === 0n || (name === "ephemeral-storage" && allocatable[name] === undefined)) continue;
    const all = allocatable[name] === undefined ? 0n : parseQuantity(allocatable[name]).nano;
    if (load.requested(name) + amount > all) return name;
  }
  return undefined;
}

/** Why this node cannot have the pod; undefined when it can. The words follow kube-scheduler's, which people search for. */
export function obstacle({ pod, share, claimNodes }: Candidate, node: Node, load: NodeLoad): string | undefined {
  if (node.metadata.deletionTimestamp !== undefined) return "node(s) were being deleted";
  if (node.spec?.unschedulable === true && !tolerates(pod, CORDONED)) return "node(s) were unschedulable";
  if (!isNodeReady(node) && !tolerates(pod, UNREADY)) return "node(s) were not ready";
  if (!matchesNode(pod.spec ?? { containers: [] }, node)) return "node(s) didn't match Pod's node affinity/selector";
  if (claimNodes.some((name) => name !== node.metadata.name)) return "node(s) had volume node affinity conflict";
  const taint = repellingTaint(pod, node);
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`;
  for (const wanted of share.hostPorts) {
    for (const taken of load.hostPorts) {
      if (portsClash(wanted, taken)) return "node(s) didn't have free ports for the requested pod ports";
    }
  }
  const most = Number(node.status?.allocatable?.["pods"] ?? Number.POSITIVE_INFINITY);
  if (load.pods >= most) return "Too many pods";
  const resource = lacking(share, node, load);
  return resource === undefined ? undefined : `Insufficient ${resource}`;
}
