import type { Job } from "../../api/generated/types.ts";
import { countCommon, countOf, parseIndexes, type Indexes } from "./indexes.ts";

/** KEP-3998: the words by which the Job may be called a success with these indexes done; undefined when it may not. */
export function successOf(job: Job, succeeded: Indexes): string | undefined {
  if (succeeded.length === 0) return undefined;
  const at = (job.spec?.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && countOf(succeeded) >= succeededCount;
    const wanted = parseIndexes(succeededIndexes, job.spec?.completions ?? 0);
    if (wanted.length === 0) return false;
    return countCommon(wanted, succeeded) >= Math.min(countOf(wanted), succeededCount ?? Number.POSITIVE_INFINITY);
  });
  return at < 0 ? undefined : `Matched rules at index ${at}`;
}
