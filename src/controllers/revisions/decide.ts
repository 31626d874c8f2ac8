import type { ControllerRevision } from "../../api/generated/types.ts";
import { isEqualRevision, sortRevisions } from "./revision.ts";

/** What makes `wanted` the newest revision of those there are. */
export type NextRevision =
  | { readonly action: "none"; readonly revision: ControllerRevision }
  /** An older one is equal (`kubectl rollout undo`): it gets the next number. */
  | { readonly action: "renumber"; readonly revision: ControllerRevision }
  | { readonly action: "create"; readonly revision: ControllerRevision };

/** `wanted` is made of the present template; its number is given here. */
export function decideRevision(existing: readonly ControllerRevision[], wanted: ControllerRevision): NextRevision {
  const sorted = sortRevisions(existing);
  const newest = sorted.at(-1);
  const next = (newest?.revision ?? 0) + 1;
  const equal = sorted.findLast((revision) => isEqualRevision(revision, wanted));
  if (equal === undefined) return { action: "create", revision: { ...wanted, revision: next } };
  return newest !== undefined && isEqualRevision(newest, equal)
    ? { action: "none", revision: newest }
    : { action: "renumber", revision: { ...equal, revision: next } };
}

/**
 * Of `counted` those above `limit` (`revisionHistoryLimit`), the oldest first; one that pods are still made of never goes.
 */
export function superfluousRevisions(
  counted: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
  limit: number,
): ControllerRevision[] {
  const excess = Math.max(0, counted.length - limit);
  return sortRevisions(counted)
    .filter((revision) => !isLive(revision))
    .slice(0, excess);
}
