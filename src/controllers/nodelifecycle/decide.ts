import type { Node, NodeCondition, Taint } from "../../api/generated/types.ts";
import { timestamp } from "../../observe/clock.ts";
import { NOT_READY, UNREACHABLE, UNSCHEDULABLE } from "../nodes/taints.ts";
import { conditionOf, NEVER_UPDATED } from "./health.ts";

/** What a node that is silent can no longer be believed about. */
const OWN_CONDITIONS = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/** CTL-117: the conditions of a silent node that are to be written: all that it said is unknown now. */
export function silentConditions(node: Node, now: number): NodeCondition[] {
  const lastTransitionTime = timestamp(now);
  return OWN_CONDITIONS.flatMap((type): NodeCondition[] => {
    const held = conditionOf(node, type);
    if (held?.status === "Unknown") return [];
    const said =
      held === undefined
        ? {
            reason: NEVER_UPDATED,
            message: "Kubelet never posted node status.",
            lastHeartbeatTime: node.metadata.creationTimestamp,
          }
        : {
            reason: "NodeStatusUnknown",
            message: "Kubelet stopped posting node status.",
            lastHeartbeatTime: held.lastHeartbeatTime,
          };
    return [{ type, status: "Unknown", ...said, lastTransitionTime }];
  });
}

/** Which taint a condition in this state stands for. */
const TAINTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: NOT_READY, Unknown: UNREACHABLE },
  MemoryPressure: { True: "node.kubernetes.io/memory-pressure" },
  DiskPressure: { True: "node.kubernetes.io/disk-pressure" },
  PIDPressure: { True: "node.kubernetes.io/pid-pressure" },
  NetworkUnavailable: { True: "node.kubernetes.io/network-unavailable" },
};
/** Taints that are ours alone to give and take, by effect. */
const OURS: Readonly<Record<string, readonly string[]>> = {
  NoSchedule: [...Object.values(TAINTS).flatMap((taints) => Object.values(taints)), UNSCHEDULABLE],
  NoExecute: [NOT_READY, UNREACHABLE],
};

/** What becomes of pods on nodes that are not ready; see `evictionsOf`. */
export type Evictions = "begin" | "hold" | "revoke";

/** CTL-117: the taints that the node is to have; undefined when it has just those. */
export function taintsOf(node: Node, evictions: Evictions, now: number): Taint[] | undefined {
  const held = node.spec?.taints ?? [];
  const keys = (node.status?.conditions ?? []).flatMap(({ type, status }) => TAINTS[type]?.[status] ?? []);
  const noSchedule = [...keys, ...(node.spec?.unschedulable === true ? [UNSCHEDULABLE] : [])];
  const isMarked = held.some(({ key, effect }) => effect === "NoExecute" && OURS["NoExecute"]?.includes(key));
  const mayMark = evictions === "begin" || (evictions === "hold" && isMarked);
  const noExecute = mayMark ? keys.filter((key) => OURS["NoExecute"]?.includes(key)) : [];
  const wanted = [
    ...noSchedule.map((key) => ({ key, effect: "NoSchedule" })),
    ...noExecute.map((key) => ({ key, effect: "NoExecute" })),
  ];
  const isWanted = (taint: Taint): boolean =>
    wanted.some(({ key, effect }) => key === taint.key && effect === taint.effect);
  const kept = held.filter((taint) => OURS[taint.effect]?.includes(taint.key) !== true || isWanted(taint));
  const added = wanted
    .filter(({ key, effect }) => !kept.some((taint) => taint.key === key && taint.effect === effect))
    .map((taint) => ({ ...taint, timeAdded: timestamp(now) }));
  return added.length === 0 && kept.length === held.length ? undefined : [...kept, ...added];
}

const isReady = (node: Node): boolean => conditionOf(node, "Ready")?.status === "True";

const zoneOf = ({ metadata: { labels = {} } }: Node): string =>
  `${labels["topology.kubernetes.io/region"] ?? ""}/${labels["topology.kubernetes.io/zone"] ?? ""}`;

/** Share of a zone's nodes, and number of them, at which it is the zone that is ill and not its nodes. */
const ILL_SHARE = 0.55;
const ILL_LEAST = 3;
/** A zone of more nodes than this goes on evicting though it is ill. */
const LARGE = 50;

/**
 * What becomes of pods on a node that is not ready. When no node at all is ready, it is more likely we who are cut off (or have
 * slept) than all of them: nothing is evicted. A small zone that is mostly down evicts no more than it has begun to.
 */
export function evictionsOf(nodes: readonly Node[]): (node: Node) => Evictions {
  if (!nodes.some(isReady)) return () => "revoke";
  const zones = new Map<string, { all: number; down: number }>();
  for (const node of nodes) {
    const zone = zones.get(zoneOf(node)) ?? { all: 0, down: 0 };
    zone.all += 1;
    if (!isReady(node)) zone.down += 1;
    zones.set(zoneOf(node), zone);
  }
  return (node) => {
    const { all = 0, down = 0 } = zones.get(zoneOf(node)) ?? {};
    const isIll = down < all && down >= ILL_LEAST && down / all >= ILL_SHARE && all <= LARGE;
    return isIll ? "hold" : "begin";
  };
}
