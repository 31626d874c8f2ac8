import { clusterRoles } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { gatheredRules } from "./decide.ts";

/** Gives each ClusterRole with an `aggregationRule` the rules of the roles that it gathers. */
export async function startAggregation(environment: ControllerEnvironment): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "aggregation" });
  const { clusterRoles: roles } = caches;
  await roles.synced();

  const work = async (name: string, signal: AbortSignal): Promise<void> => {
    const role = roles.get(name);
    const rules = role && gatheredRules(role, roles.values());
    if (role === undefined || rules === undefined) return;
    const { resourceVersion } = role.metadata;
    // Only on top of what was seen: rules decided from an older state must not stay.
    const patch = { metadata: { resourceVersion }, rules };
    try {
      await client.patch(clusterRoles, { name }, "merge", patch, {}, signal);
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  };
  const queue = createWorkQueue({ concurrency: 4, clock, random, log, work });
  // Any role may be meant by any selector, and there are few.
  const lookAtAll = (): void => {
    for (const { metadata, aggregationRule } of roles.values()) {
      if (aggregationRule !== undefined) queue.add(metadata.name ?? "");
    }
  };
  lookAtAll();
  const stop = roles.onChange(lookAtAll);
  return {
    async stop() {
      stop();
      await queue.stop();
    },
  };
}
