import type { DaemonSet, Pod } from "../../api/generated/types.ts";
import { isAvailable } from "../owned/available.ts";
import { isTerminating } from "../pods/ready.ts";
import { limitsOf, type DaemonInput, type Limits, type Place } from "./plan.ts";
import { isUpdated } from "./pod.ts";

export interface Rollout {
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
}

const NOTHING: Rollout = { create: [], remove: [] };

/** The old and the new pod of a place; undefined when it has several of either, which is for others to put in order. */
function pairOf(set: DaemonSet, { pods }: Place, hash: string): { fresh?: Pod; old?: Pod } | undefined {
  const staying = pods.filter((pod) => !isTerminating(pod));
  const fresh = staying.filter((pod) => isUpdated(set, pod, hash));
  const old = staying.filter((pod) => !isUpdated(set, pod, hash));
  if (fresh.length > 1 || old.length > 1) return undefined;
  return { ...(fresh[0] === undefined ? {} : { fresh: fresh[0] }), ...(old[0] === undefined ? {} : { old: old[0] }) };
}

/** The next stretch of a rolling update; asked for only when no node needs anything else. */
export function rollOut(input: DaemonInput, places: readonly Place[]): Rollout {
  const { set } = input;
  if (set.spec?.updateStrategy?.type !== "RollingUpdate") return NOTHING;
  const wanted = places.filter(({ fit }) => fit === "run").length;
  const limits = limitsOf(set, wanted);
  const concerned = places.filter(({ fit, pods }) => fit === "run" || pods.length > 0);
  return limits.surge === 0 ? replace(input, concerned, limits) : surge(input, concerned, limits, wanted);
}

/** Old pods go first, and new ones come in their place; what is not available anyway may always go. */
function replace({ set, hash, now }: DaemonInput, places: readonly Place[], { unavailable: most }: Limits): Rollout {
  let unavailable = 0;
  const broken: Pod[] = [];
  const candidates: Pod[] = [];
  for (const place of places) {
    const pair = pairOf(set, place, hash);
    const only = pair?.fresh ?? pair?.old;
    if (pair === undefined || only === undefined || (pair.fresh !== undefined && pair.old !== undefined)) {
      unavailable += 1;
      continue;
    }
    const isUp = isAvailable(only, set.spec?.minReadySeconds, now);
    if (!isUp) unavailable += 1;
    if (only !== pair.old) continue;
    (isUp ? candidates : broken).push(only);
  }
  return { create: [], remove: [...broken, ...candidates.slice(0, Math.max(0, most - unavailable))] };
}

/** New pods come first, beside the old ones, which go when the new are available. */
function surge(
  { set, hash, now }: DaemonInput,
  places: readonly Place[],
  { surge: most }: Limits,
  wanted: number,
): Rollout {
  const isUp = (pod: Pod | undefined): boolean => pod !== undefined && isAvailable(pod, set.spec?.minReadySeconds, now);
  const remove: Pod[] = [];
  const elsewhere: Pod[] = [];
  const broken: string[] = [];
  const candidates: string[] = [];
  let surging = 0;
  let available = 0;
  for (const place of places) {
    const pair = pairOf(set, place, hash);
    if (pair === undefined) {
      surging += 1;
      continue;
    }
    const { fresh, old } = pair;
    if (isUp(old ?? fresh)) available += 1;
    if (old === undefined) continue;
    if (fresh !== undefined) {
      if (isUp(fresh)) remove.push(old);
      else surging += 1;
    } else if (place.fit !== "run") (isUp(old) ? elsewhere : remove).push(old);
    else (isUp(old) ? candidates : broken).push(place.node);
  }
  // Where the set is no longer wanted, a pod that serves goes only when enough others do.
  remove.push(...elsewhere.slice(0, Math.max(0, available - wanted)));
  return { create: [...broken, ...candidates.slice(0, Math.max(0, most - surging))], remove };
}
