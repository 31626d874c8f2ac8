import type { Pod, Taint, Toleration } from "../../api/generated/types.ts";
import { accepts, NOT_READY, UNREACHABLE } from "../nodes/taints.ts";

/** Seconds that a pod stays on a node in trouble, when it does not say itself (`--default-not-ready-toleration-seconds`). */
const DEFAULT_SECONDS = 300;

/**
 * The pod's tolerations with those that upstream's admission (DefaultTolerationSeconds) writes into every pod that says nothing
 * about these two taints. Here they are not written but meant: pods stay as they were sent.
 */
function tolerationsOf(pod: Pod): Toleration[] {
  const held = pod.spec?.tolerations ?? [];
  const covers = (key: string): boolean =>
    held.some(
      (toleration) =>
        ((toleration.key ?? "") === "" || toleration.key === key) &&
        ((toleration.effect ?? "") === "" || toleration.effect === "NoExecute"),
    );
  const added = [NOT_READY, UNREACHABLE].filter((key) => !covers(key));
  return [
    ...held,
    ...added.map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: DEFAULT_SECONDS })),
  ];
}

/**
 * CTL-117: when a pod must leave a node with these taints, in milliseconds since the epoch: at once (0) when it does not tolerate one
 * that is NoExecute, else when the shortest of its tolerations is over; undefined when it may stay. It is counted from when the taint
 * came, or from `first`, where the taint does not say.
 */
export function leavesAt(pod: Pod, taints: readonly Taint[], first: number): number | undefined {
  const tolerations = tolerationsOf(pod);
  let earliest: number | undefined;
  for (const taint of taints.filter(({ effect }) => effect === "NoExecute")) {
    const used = tolerations.filter((toleration) => accepts(toleration, taint));
    if (used.length === 0) return 0;
    const seconds = used.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
    if (seconds.length === 0) continue;
    const since = Date.parse(taint.timeAdded ?? "");
    const at = (Number.isNaN(since) ? first : since) + Math.max(0, Math.min(...seconds)) * 1000;
    earliest = Math.min(earliest ?? at, at);
  }
  return earliest;
}
