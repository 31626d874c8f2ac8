import type { Job, Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { jobs as jobResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { controllerOf } from "../owned/reference.ts";
import { isTracked } from "./finished.ts";
import { releasePod } from "./release.ts";

/** Sets pods free of the Jobs' finalizer that no Job will ever count, so that they can be deleted. The caches have synced. */
export function startOrphans(environment: ControllerEnvironment): Part {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "job-orphans" });
  const { pods, jobs } = caches;

  const jobOf = (pod: Pod): { readonly key: string; readonly uid: string } | undefined => {
    const reference = controllerOf(pod);
    if (reference?.kind !== "Job") return undefined;
    return { key: `${pod.metadata.namespace ?? ""}/${reference.name}`, uid: reference.uid };
  };
  const isOrphan = (pod: Pod): boolean => {
    if (!isTracked(pod)) return false;
    const job = jobOf(pod);
    return job === undefined || jobs.get(job.key)?.metadata.uid !== job.uid;
  };

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const pod = pods.get(key);
    if (pod === undefined || !isOrphan(pod)) return;
    const reference = controllerOf(pod);
    if (reference !== undefined && jobOf(pod) !== undefined) {
      try {
        // The cache of Jobs may be late; what it does not have may be there.
        const at = { namespace: pod.metadata.namespace, name: reference.name };
        if ((await client.get<Job>(jobResource, at, signal)).metadata.uid === reference.uid) return;
      } catch (error) {
        if (!isApiError(error, "NotFound")) throw error;
      }
    }
    await releasePod(client, pod, signal);
  };
  const queue = createWorkQueue({ concurrency: 4, clock, random, log, work });
  const consider = (pod: Pod): void => {
    if (isOrphan(pod)) queue.add(keyOf(pod));
  };
  for (const pod of pods.values()) consider(pod);
  const stops = [
    pods.onChange((change) => {
      if (change.type !== "removed") consider(change.object);
    }),
    jobs.onChange((change) => {
      if (change.type === "removed")
        for (const pod of pods.by("owner", change.previous.metadata.uid ?? "")) consider(pod);
    }),
  ];
  return {
    async stop() {
      for (const stop of stops) stop();
      await queue.stop();
    },
  };
}
