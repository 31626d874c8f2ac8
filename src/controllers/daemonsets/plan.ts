import type { DaemonSet, Node, Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { isAvailable } from "../owned/available.ts";
import { isFinished, isTerminating } from "../pods/ready.ts";
import { shareOf } from "../pods/share.ts";
import { fitOf, type Fit } from "./fits.ts";
import { nodeOf } from "./pod.ts";
import { REVISION_LABEL } from "../revisions/revision.ts";

export interface DaemonInput {
  readonly set: DaemonSet;
  /** The pods that the set owns. */
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  /** Of the present template's revision. */
  readonly hash: string;
  /** Milliseconds that a failed pod on this node still has to stay; see `createFailures`. */
  readonly wait: (node: string) => number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** One node and the set's pods on it, the oldest first. */
export interface Place {
  readonly node: string;
  /** Undefined for a node that there is not. */
  readonly fit: Fit | undefined;
  readonly pods: readonly Pod[];
}

const rankOf = (pod: Pod): string =>
  `${(pod.spec?.nodeName ?? "") === "" ? 1 : 0}/${pod.metadata.creationTimestamp ?? ""}/${pod.metadata.name ?? ""}`;

/** Places by node name: every node, and those that are only in the pods' minds. */
export function placesOf({ set, pods, nodes }: DaemonInput): Place[] {
  const fits = new Map(nodes.map((node) => [node.metadata.name ?? "", fitOf(set, node)]));
  const held = new Map<string, Pod[]>(Array.from(fits.keys(), (node) => [node, []]));
  for (const pod of pods) {
    const node = nodeOf(pod);
    // What has ended and is being deleted has nothing to do with us any more.
    if (node === undefined || (isFinished(pod) && isTerminating(pod))) continue;
    const there = held.get(node);
    if (there === undefined) held.set(node, [pod]);
    else there.push(pod);
  }
  return Array.from(held, ([node, there]) => ({
    node,
    fit: fits.get(node),
    pods: there.sort((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1)),
  })).sort((a, b) => (a.node < b.node ? -1 : 1));
}

export interface Limits {
  readonly surge: number;
  readonly unavailable: number;
}

/** How far a rolling update may go at once; one unavailable pod when the strategy says neither. */
export function limitsOf(set: DaemonSet, wanted: number): Limits {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  const isRolling = type === "RollingUpdate";
  const surge = isRolling ? shareOf(rollingUpdate?.maxSurge, wanted, "up") : 0;
  const unavailable = isRolling ? shareOf(rollingUpdate?.maxUnavailable, wanted, "up") : 0;
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export interface Told {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface Plan {
  /** Nodes that get a pod. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  /** Nodes whose failed pod is among those removed. */
  readonly failed: readonly string[];
  readonly told: readonly Told[];
  /** Milliseconds until a failed pod may be removed. */
  readonly again?: number;
}

/** What each node needs, whatever the template: a pod, or fewer. */
export function planPlaces(input: DaemonInput, places: readonly Place[]): Plan {
  const { set, hash, wait, now } = input;
  const canSurge = limitsOf(set, 1).surge > 0;
  const create: string[] = [];
  const remove: Pod[] = [];
  const failed: string[] = [];
  const told: Told[] = [];
  let again: number | undefined;
  for (const { node, fit, pods } of places) {
    const staying = pods.filter((pod) => !isTerminating(pod));
    if (fit === undefined) {
      // Nobody will ever bind it, and nobody else removes it.
      remove.push(...staying.filter((pod) => (pod.spec?.nodeName ?? "") === ""));
    } else if (fit === "leave") remove.push(...staying);
    else if (fit === "run" && pods.length === 0) create.push(node);
    else {
      for (const pod of staying.filter(isFinished)) {
        const isFailure = pod.status?.phase === "Failed";
        const rest = isFailure ? wait(node) : 0;
        if (rest > 0) again = Math.min(again ?? rest, rest);
        else {
          remove.push(pod);
          if (isFailure) failed.push(node);
          told.push(
            isFailure
              ? toldOf(
                  "Warning",
                  "FailedDaemonPod",
                  `Found failed daemon pod ${keyOf(pod)} on node ${node}, will try to kill it`,
                )
              : toldOf(
                  "Normal",
                  "SucceededDaemonPod",
                  `Found succeeded daemon pod ${keyOf(pod)} on node ${node}, will try to delete it`,
                ),
          );
        }
      }
      const running = staying.filter((pod) => !isFinished(pod));
      if (!canSurge) remove.push(...running.slice(1));
      else if (running.length === 0 && fit === "run") create.push(node);
      else remove.push(...surplus(running, { set, hash, now }));
    }
  }
  return { create, remove, failed, told, ...(again === undefined ? {} : { again }) };
}

const toldOf = (type: Told["type"], reason: string, message: string): Told => ({ type, reason, message });

/** Of a surging node's pods those that go: two stay, an old one that is ready and a new one that is not available yet. */
function surplus(running: readonly Pod[], { set, hash, now }: Pick<DaemonInput, "set" | "hash" | "now">): Pod[] {
  if (running.length < 2) return [];
  const isNew = (pod: Pod): boolean => pod.metadata.labels?.[REVISION_LABEL] === hash;
  const newest = running.find(isNew);
  const old = running.find((pod) => !isNew(pod));
  const others = running.filter((pod) => pod !== newest && pod !== old);
  if (newest === undefined || old === undefined) return others;
  const isReplaced = !isAvailable(old, 0, now) || isAvailable(newest, set.spec?.minReadySeconds, now);
  return isReplaced ? [...others, old] : others;
}
