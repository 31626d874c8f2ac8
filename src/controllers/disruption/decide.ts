import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/generated/types.ts";
import { timestamp } from "../../observe/clock.ts";
import { isReady, isTerminating } from "../pods/ready.ts";
import { shareOf } from "../pods/share.ts";

/** Milliseconds in which an evicted pod must be seen to end; else the eviction is taken to have come to nothing. */
const TIMEOUT = 2 * 60_000;

/** How many pods the owners of the budget's pods ask for in all, or why that cannot be said. */
export type Scale = { readonly count: number } | { readonly unknown: string };

export interface BudgetInput {
  readonly budget: PodDisruptionBudget;
  /** The pods that it selects. */
  readonly pods: readonly Pod[];
  /** Asked for where the budget is relative to it. */
  readonly scale: () => Scale;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface BudgetDecision {
  readonly status: PodDisruptionBudgetStatus;
  /** Evicted pods of which nothing was seen in time. */
  readonly notDeleted: readonly Pod[];
  /** Milliseconds until an evicted pod's time is over. */
  readonly again?: number;
}

type Wanted = { readonly expected: number; readonly healthy: number } | { readonly unknown: string };

/** How many pods there should be, and how many of them must stay healthy. */
function wantedOf({ budget, pods, scale }: BudgetInput): Wanted {
  const { minAvailable, maxUnavailable } = budget.spec ?? {};
  if (maxUnavailable === undefined && typeof minAvailable !== "string") {
    return { expected: minAvailable === undefined ? 0 : pods.length, healthy: minAvailable ?? 0 };
  }
  const known = scale();
  if ("unknown" in known) return known;
  const healthy =
    maxUnavailable === undefined
      ? shareOf(minAvailable, known.count, "up")
      : Math.max(0, known.count - shareOf(maxUnavailable, known.count, "up"));
  return { expected: known.count, healthy };
}

interface Said {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

function conditionsOf({ budget, now }: BudgetInput, said: Said, observedGeneration: number | undefined) {
  const held = budget.status?.conditions ?? [];
  const before = held.find(({ type }) => type === "DisruptionAllowed");
  const lastTransitionTime = before?.status === said.status ? before.lastTransitionTime : timestamp(now);
  const next = { type: "DisruptionAllowed", ...said, observedGeneration, lastTransitionTime };
  return before === undefined ? [...held, next] : held.map((one) => (one === before ? next : one));
}

/** What a PodDisruptionBudget allows now (`policy/v1`); nothing, where it cannot be said how many pods there should be. */
export function decideBudget(input: BudgetInput): BudgetDecision {
  const { budget, pods, now } = input;
  const disruptedPods: Record<string, string> = {};
  const notDeleted: Pod[] = [];
  let again: number | undefined;
  for (const pod of pods.filter((one) => !isTerminating(one))) {
    const at = budget.status?.disruptedPods?.[pod.metadata.name ?? ""];
    if (at === undefined) continue;
    const left = Date.parse(at) + TIMEOUT - now;
    if (left < 0) notDeleted.push(pod);
    else {
      disruptedPods[pod.metadata.name ?? ""] = at;
      again = Math.min(again ?? left, left);
    }
  }
  const retry = again === undefined ? {} : { again: again + 1 };
  const wanted = wantedOf(input);
  if ("unknown" in wanted) {
    const said = { status: "False", reason: "SyncFailed", message: wanted.unknown } as const;
    const before = budget.status;
    const conditions = conditionsOf(input, said, before?.observedGeneration);
    return { status: { ...before, disruptionsAllowed: 0, conditions }, notDeleted, ...retry };
  }
  const currentHealthy = pods.filter(
    (pod) => !isTerminating(pod) && disruptedPods[pod.metadata.name ?? ""] === undefined && isReady(pod),
  ).length;
  // With no pods expected nothing is allowed: their first ones come before we have counted them.
  const disruptionsAllowed = wanted.expected <= 0 ? 0 : Math.max(0, currentHealthy - wanted.healthy);
  const said =
    disruptionsAllowed > 0
      ? ({ status: "True", reason: "SufficientPods", message: "" } as const)
      : ({ status: "False", reason: "InsufficientPods", message: "" } as const);
  const status: PodDisruptionBudgetStatus = {
    currentHealthy,
    desiredHealthy: wanted.healthy,
    expectedPods: wanted.expected,
    disruptionsAllowed,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    observedGeneration: budget.metadata.generation,
    conditions: conditionsOf(input, said, budget.metadata.generation),
  };
  return { status, notDeleted, ...retry };
}
