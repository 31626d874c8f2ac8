import type { DaemonSetStatus } from "../../api/generated/types.ts";
import { isAvailable } from "../owned/available.ts";
import { isReady } from "../pods/ready.ts";
import { placesOf, planPlaces, type DaemonInput, type Place, type Plan } from "./plan.ts";
import { isUpdated } from "./pod.ts";
import { rollOut } from "./rollout.ts";

/** Pods made or removed in one go, as upstream. */
const MOST = 250;

export interface DaemonDecision extends Plan {
  /** What the pods say as they are, before anything above is done. */
  readonly status: DaemonSetStatus;
}

/** CTL-126: what a DaemonSet's nodes need next, and its status. A rollout goes on when every node has what it needs. */
export function decideDaemonSet(input: DaemonInput): DaemonDecision {
  const places = placesOf(input);
  const plan = planPlaces(input, places);
  const isQuiet = plan.create.length + plan.remove.length === 0;
  const { create, remove } = isQuiet ? rollOut(input, places) : plan;
  return { ...plan, create: create.slice(0, MOST), remove: remove.slice(0, MOST), status: statusOf(input, places) };
}

function statusOf({ set, hash, now }: DaemonInput, places: readonly Place[]): DaemonSetStatus {
  const wanted = places.filter(({ fit }) => fit === "run");
  const first = wanted.flatMap(({ pods }) => pods.slice(0, 1));
  const ready = first.filter(isReady);
  const available = ready.filter((pod) => isAvailable(pod, set.spec?.minReadySeconds, now)).length;
  const unlessZero = (count: number): number | undefined => (count === 0 ? undefined : count);
  return {
    ...set.status,
    observedGeneration: set.metadata.generation,
    desiredNumberScheduled: wanted.length,
    currentNumberScheduled: first.length,
    numberMisscheduled: places.filter(({ fit, pods }) => fit !== undefined && fit !== "run" && pods.length > 0).length,
    numberReady: ready.length,
    updatedNumberScheduled: unlessZero(first.filter((pod) => isUpdated(set, pod, hash)).length),
    numberAvailable: unlessZero(available),
    numberUnavailable: unlessZero(wanted.length - available),
  };
}
