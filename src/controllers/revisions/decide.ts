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

/** Revisions above `limit` (`revisionHistoryLimit`) that nothing is made of any more, the oldest first. */
export function superfluousRevisions(
  existing: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
  limit: number,
): ControllerRevision[] {
  const history = sortRevisions(existing).filter((revision) => !isLive(revision));
  return limit < 0 ? [] : history.slice(0, Math.max(0, history.length - limit));
}
