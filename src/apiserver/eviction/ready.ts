import type { Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import { podDisruptionBudgets } from "../../api/resources.ts";
import { ApiError } from "../../api/status.ts";
import { timestamp } from "../../observe/clock.ts";
import { NOTHING_BESIDE, type Beside } from "../admission/admission.ts";
import { itemOf, storedText, type Item } from "../cache/item.ts";
import type { Context } from "../context.ts";
import { prefixOf } from "../keys.ts";
import { trackUpdate } from "../managed/track-update.ts";
import type { Readied } from "../verbs/delete-object.ts";
import { charged, isAbout, needsNoBudget, withDisruptionTarget } from "./decide.ts";

/** Who owns what the server itself writes of a budget, by the name that clients know. */
const MANAGER = "kube-apiserver";

async function budgetsFor(context: Context, pod: Pod, isFresh: boolean): Promise<Item[]> {
  const { group, version, plural } = podDisruptionBudgets;
  const kind = context.kinds.find(group, version, plural);
  if (kind === undefined) return [];
  const prefix = prefixOf(kind, pod.metadata.namespace);
  const items = isFresh
    ? (await context.store.list(prefix)).entries.map(itemOf)
    : [...context.cache.of(kind).range(prefix)];
  return items.filter(({ object }) => isAbout(object as PodDisruptionBudget, pod));
}

/** @throws ApiError TooManyRequests, Forbidden, or one without a reason for a pod with several budgets */
async function chargeBudget(context: Context, pod: Pod, now: string, isRetry: boolean): Promise<Beside> {
  const [item, other] = await budgetsFor(context, pod, isRetry);
  if (item === undefined) return NOTHING_BESIDE;
  if (other !== undefined) {
    const why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    throw new ApiError("Unknown", why);
  }
  const conditions = [{ key: item.key, modRevision: item.revision }];
  const budget = item.object as PodDisruptionBudget;
  const next = charged(budget, pod, now);
  // What has cost nothing has cost nothing only as long as the budget is as it was.
  if (next === undefined) return { conditions, operations: [] };
  const kind = context.kinds.find(
    podDisruptionBudgets.group,
    podDisruptionBudgets.version,
    podDisruptionBudgets.plural,
  );
  const tracking = { manager: MANAGER, subresource: "status", now };
  const owned = kind === undefined ? next : trackUpdate(kind, budget, next, tracking);
  return { conditions, operations: [{ type: "put", key: item.key, value: storedText(owned) }] };
}

/**
 * Makes a pod ready to be evicted: asks its PodDisruptionBudget, and takes one disruption from it in the transaction by which the pod
 * goes. So two evictions never both take the last one, and none is taken for a pod that stays.
 */
export const readyToEvict =
  (context: Context) =>
  async ({ object }: Item, isRetry: boolean): Promise<Readied> => {
    const pod = object as Pod;
    const now = timestamp(context.clock.now());
    const beside = needsNoBudget(pod) ? NOTHING_BESIDE : await chargeBudget(context, pod, now, isRetry);
    return { object: withDisruptionTarget(pod, now), beside };
  };
