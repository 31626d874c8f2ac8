import type { ResourceQuota } from "../../api/generated/types.ts";
import type { Quantity } from "../../api/meta/quantity.ts";
import { keyOf, type KubeObject, type Resource } from "../../api/object.ts";
import { resourceQuotas } from "../../api/resources.ts";
import { totalUsage } from "../../api/resourceQuota/usage/usage.ts";
import { isApiError } from "../../api/status.ts";
import { listAll } from "../../client/list-all.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { decideStatus, isCurrent, resourcesFor } from "./decide.ts";

/** Milliseconds after which a quota is counted anew although nothing asks for it, as upstream does. */
const RESYNC = 5 * 60 * 1000;

/** Counts what is used of quotas that are new or have changed, and of all of them every few minutes. */
export async function startQuota(environment: ControllerEnvironment, served: readonly Resource[]): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "quota" });
  const quotas = caches.of(resourceQuotas);
  await quotas.synced();

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const cached = quotas.get(key);
    if (cached === undefined) return;
    const { namespace = "", name = "" } = cached.metadata;
    try {
      // Read before what is counted: whoever writes in between moves the quota on, and this count is refused.
      const quota = await client.get<ResourceQuota>(resourceQuotas, { namespace, name }, signal);
      const counted = new Map<string, Quantity>();
      for (const resource of resourcesFor(quota, served)) {
        const { items } = await listAll<KubeObject>(client, resource, { namespace, limit: 500 }, signal);
        for (const [used, amount] of totalUsage(quota.spec ?? {}, resource, items)) counted.set(used, amount);
      }
      const status = decideStatus(quota, counted);
      if (status !== undefined) await client.updateStatus(resourceQuotas, { ...quota, status }, signal);
    } catch (error) {
      if (isApiError(error, "NotFound")) return;
      throw error;
    }
    queue.addAfter(key, RESYNC);
  };
  const queue = createWorkQueue({ concurrency: 4, clock, random, log, work });
  for (const quota of quotas.values()) queue.add(keyOf(quota));
  const stop = quotas.onChange((change) => {
    if (change.type !== "removed" && !isCurrent(change.object as ResourceQuota, served))
      queue.add(keyOf(change.object));
  });
  return {
    async stop() {
      stop();
      await queue.stop();
    },
  };
}
