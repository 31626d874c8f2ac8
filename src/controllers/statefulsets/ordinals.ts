import type { Pod, StatefulSet } from "../../api/generated/types.ts";

interface Ordinal {
  readonly parent: string;
  readonly ordinal: number;
}

/** CTL-125: `web-3` of a pod's name: the set's name and the ordinal. Undefined for every other name. */
export function ordinalOf(pod: Pod): Ordinal | undefined {
  const found = /^(.*)-(\d+)$/s.exec(pod.metadata.name ?? "");
  const ordinal = Number(found?.[2] ?? Number.NaN);
  // Upstream's ordinals have 32 bits.
  return found === null || ordinal > 0x7fffffff ? undefined : { parent: found[1] ?? "", ordinal };
}

/** Whether the pod's name is one that this set gives. */
export const isMember = (set: StatefulSet, pod: Pod): boolean => ordinalOf(pod)?.parent === set.metadata.name;

/** KEP-3335: the ordinals of a set are `first` to `first + count - 1`. */
export const rangeOf = (set: StatefulSet): { readonly first: number; readonly count: number } => ({
  first: set.spec?.ordinals?.start ?? 0,
  count: set.spec?.replicas ?? 1,
});

export function isInRange(set: StatefulSet, ordinal: number): boolean {
  const { first, count } = rangeOf(set);
  return ordinal >= first && ordinal < first + count;
}

export const podNameOf = (set: StatefulSet, ordinal: number): string => `${set.metadata.name ?? ""}-${ordinal}`;
