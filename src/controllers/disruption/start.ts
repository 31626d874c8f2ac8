import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/generated/types.ts";
import { sameJson } from "../../api/meta/values.ts";
import { keyOf } from "../../api/object.ts";
import { podDisruptionBudgets } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { CacheChange } from "../../client/cached.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { wordsOfSelectors } from "../owned/index-words.ts";
import { controllerOf } from "../owned/reference.ts";
import { matcherOf } from "../owned/selector.ts";
import { isReady, isTerminating } from "../pods/ready.ts";
import { selectedBy } from "../pods/selections.ts";
import { decideBudget } from "./decide.ts";
import { scaleOf } from "./scale.ts";
import { startStaleTargets } from "./stale-targets.ts";

const facts = (pod: Pod): string =>
  JSON.stringify([pod.metadata.uid, pod.metadata.labels, controllerOf(pod)?.uid, isReady(pod), isTerminating(pod)]);

/** Keeps count of what each PodDisruptionBudget allows: the API server's eviction goes by its status. */
export async function startDisruption(environment: ControllerEnvironment): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "disruption" });
  const { pods, budgets, deployments, replicaSets, replicationControllers, statefulSets } = caches;
  const owners = [deployments, replicaSets, replicationControllers, statefulSets] as const;
  await Promise.all([pods, budgets, ...owners].map((cache) => cache.synced()));
  const events = createEventRecorder({ client, component: "controllermanager", clock, log });

  const podsOf = ({ metadata, spec }: PodDisruptionBudget): Pod[] => {
    const { namespace = "" } = metadata;
    const matches = matcherOf(spec?.selector);
    const { matchLabels = {} } = spec?.selector ?? {};
    const candidates =
      Object.keys(matchLabels).length > 0
        ? selectedBy(namespace, matchLabels, (word) => pods.by("label", word))
        : [...pods.values()].filter((pod) => pod.metadata.namespace === namespace);
    return candidates.filter((pod) => matches(pod.metadata.labels));
  };

  /** What there is to tell when the count has changed. */
  const tell = (
    budget: PodDisruptionBudget,
    selected: readonly Pod[],
    status: PodDisruptionBudgetStatus,
    notDeleted: readonly Pod[],
  ): void => {
    if (selected.length === 0) events.event(budget, "Normal", "NoPods", "No matching pods found");
    const unmanaged = selected.filter((pod) => controllerOf(pod) === undefined);
    if (unmanaged.length > 0 && typeof budget.spec?.minAvailable !== "number") {
      const names = unmanaged.map(({ metadata }) => metadata.name ?? "").join(", ");
      const message = `Pods that nobody manages are among those selected (${names}), so how many there should be cannot be known; set minAvailable to a number to count them`;
      events.event(budget, "Warning", "UnmanagedPods", message);
    }
    for (const pod of notDeleted) {
      events.event(
        pod,
        "Warning",
        "NotDeleted",
        `Pod was expected by PDB ${keyOf(budget)} to be deleted but it wasn't`,
      );
    }
    const failure = status.conditions?.find(({ reason }) => reason === "SyncFailed")?.message;
    if (failure !== undefined) {
      const message = `Failed to calculate the number of expected pods: ${failure}`;
      events.event(budget, "Warning", "CalculateExpectedPodCountFailed", message);
    }
  };

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const budget = budgets.get(key);
    if (budget === undefined) return;
    const selected = podsOf(budget);
    const scale = () => scaleOf(caches, selected);
    const { status, notDeleted, again } = decideBudget({ budget, pods: selected, scale, now: clock.now() });
    if (!sameJson(budget.status ?? {}, status)) {
      tell(budget, selected, status, notDeleted);
      try {
        // Refused when an eviction has taken from it meanwhile: then it is counted anew.
        await client.updateStatus(podDisruptionBudgets, { ...budget, status }, signal);
      } catch (error) {
        if (!isApiError(error, "NotFound")) throw error;
      }
    }
    if (again !== undefined) queue.addAfter(key, again);
  };
  const queue = createWorkQueue({ concurrency: 4, clock, random, log, work });

  const touch = (pod: Pod): void => {
    for (const budget of wordsOfSelectors(pod).flatMap((word) => budgets.by("selector", word))) {
      if (matcherOf(budget.spec?.selector)(pod.metadata.labels)) queue.add(keyOf(budget));
    }
  };
  const touchPod = (change: CacheChange<Pod>): void => {
    if (change.type === "changed" && facts(change.previous) === facts(change.object)) return;
    if (change.type !== "added") touch(change.previous);
    if (change.type !== "removed") touch(change.object);
  };
  for (const budget of budgets.values()) queue.add(keyOf(budget));
  const stops = [
    pods.onChange(touchPod),
    budgets.onChange((change) => queue.add(keyOf(change.type === "removed" ? change.previous : change.object))),
    // What owners ask for is half of the count of relative budgets; there are few.
    ...owners.map((cache) =>
      cache.onChange((change) => {
        if (change.type === "changed" && change.previous.spec?.replicas === change.object.spec?.replicas) return;
        const { namespace } = (change.type === "removed" ? change.previous : change.object).metadata;
        for (const budget of budgets.values()) if (budget.metadata.namespace === namespace) queue.add(keyOf(budget));
      }),
    ),
  ];
  const targets = startStaleTargets(environment);
  return {
    async stop() {
      for (const stop of stops) stop();
      events.stop();
      await Promise.all([queue.stop(), targets.stop()]);
    },
  };
}
