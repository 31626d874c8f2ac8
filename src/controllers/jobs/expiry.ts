import type { Job } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { jobs as jobResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import { terminalOf } from "./finished.ts";

/** Milliseconds until a Job that is over is to go (`ttlSecondsAfterFinished`); undefined when it stays. */
export function expiresIn(job: Job, now: number): number | undefined {
  const ended = Date.parse(terminalOf(job)?.lastTransitionTime ?? "");
  const seconds = job.spec?.ttlSecondsAfterFinished;
  if (seconds === undefined || Number.isNaN(ended) || job.metadata.deletionTimestamp !== undefined) return undefined;
  return ended + seconds * 1000 - now;
}

/** Deletes the Job and its pods, when the server too says that its time is over. Answers the milliseconds that it still has. */
export async function expire(client: Client, job: Job, now: number, signal: AbortSignal): Promise<number | undefined> {
  const { namespace, name = "" } = job.metadata;
  try {
    // It may have been given more time since.
    const fresh = await client.get<Job>(jobResource, { namespace, name }, signal);
    const left = expiresIn(fresh, now);
    const { uid } = fresh.metadata;
    if (left === undefined || left > 0 || uid === undefined) return left;
    const options = { propagationPolicy: "Foreground", preconditions: { uid } } as const;
    await client.delete(jobResource, { namespace, name }, options, signal);
  } catch (error) {
    if (!isApiError(error, "NotFound"))
      throw new Error(`Job ${keyOf(job)} has expired and cannot be deleted`, { cause: error });
  }
  return undefined;
}
