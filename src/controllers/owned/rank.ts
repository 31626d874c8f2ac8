import type { Pod } from "../../api/generated/types.ts";
import { isReady } from "../pods/ready.ts";
import { isActive, readySince } from "./available.ts";

/** Annotation: a pod of lower cost goes earlier (KEP 2255). */
const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

interface Rank {
  readonly pod: Pod;
  /** Compared in order; the smaller goes first. */
  readonly before: readonly number[];
  readonly readySince: number | undefined;
  readonly restarts: readonly number[];
  readonly createdAt: number | undefined;
}

/** A whole number of 32 bits, as Kubernetes reads the annotation; what is none counts as 0. */
function costOf(pod: Pod): number {
  const said = pod.metadata.annotations?.[DELETION_COST] ?? "";
  // `+10` and `008` are no numbers here, by KEP 2255.
  if (!/^(?:0|[1-9]\d*|-\d+)$/.test(said)) return 0;
  const cost = Number(said);
  return cost >= -(2 ** 31) && cost < 2 ** 31 ? cost : 0;
}

/** The most restarts of any container, and of any sidecar. */
function restartsOf(pod: Pod): [number, number] {
  const most = (counts: readonly number[]): number => counts.reduce((left, right) => Math.max(left, right), 0);
  const sidecars = new Set(
    (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name),
  );
  return [
    most((pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount)),
    most(
      (pod.status?.initContainerStatuses ?? [])
        .filter(({ name }) => sidecars.has(name))
        .map(({ restartCount }) => restartCount),
    ),
  ];
}

const createdAt = (pod: Pod): number | undefined => {
  const at = Date.parse(pod.metadata.creationTimestamp ?? "");
  return Number.isNaN(at) ? undefined : at;
};

/**
 * Younger before older, in powers of two of the age: those of about one age are left to chance, by uid (KEP 2185). What has
 * no time counts as youngest.
 */
function byAge(left: Rank, right: Rank, a: number | undefined, b: number | undefined, now: number): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  // Ages count in nanoseconds upstream, which is what decides where the powers of two lie.
  const power = (at: number): number => (now > at ? Math.floor(Math.log2((now - at) * 1e6)) : -1);
  const difference = power(a) - power(b);
  return difference !== 0 ? difference : (left.pod.metadata.uid ?? "") < (right.pod.metadata.uid ?? "") ? -1 : 1;
}

/**
 * The pods, those that go first when there are too many in front: without a node, pending, not ready, of lower deletion cost,
 * with more of `related` on their node, ready for a shorter time, more often restarted, younger.
 */
export function rankForDeletion(pods: readonly Pod[], related: Iterable<Pod>, now: number): Pod[] {
  const onNode = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec?.nodeName ?? "";
    if (isActive(pod)) onNode.set(node, (onNode.get(node) ?? 0) + 1);
  }
  const ranks = pods.map((pod): Rank => {
    const node = pod.spec?.nodeName ?? "";
    const before = [
      node === "" ? 0 : 1,
      PHASES[pod.status?.phase ?? ""] ?? 0,
      isReady(pod) ? 1 : 0,
      costOf(pod),
      -(onNode.get(node) ?? 0),
    ];
    return { pod, before, readySince: readySince(pod), restarts: restartsOf(pod), createdAt: createdAt(pod) };
  });
  const compare = (left: Rank, right: Rank): number => {
    for (const [at, value] of left.before.entries()) {
      if (value !== right.before[at]) return value - right.before[at]!;
    }
    const ready = isReady(left.pod) ? byAge(left, right, left.readySince, right.readySince, now) : 0;
    if (ready !== 0) return ready;
    for (const [at, count] of left.restarts.entries()) {
      if (count !== right.restarts[at]) return right.restarts[at]! - count;
    }
    return byAge(left, right, left.createdAt, right.createdAt, now);
  };
  return ranks.sort(compare).map(({ pod }) => pod);
}
