import type { Endpoints } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { endpoints as resource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createOwnWrites } from "../../client/own-writes.ts";
import type { Part } from "../../observe/part.ts";
import type { EndpointEnvironment } from "../environment.ts";
import { isNamespaceGoing } from "../namespaces/going.ts";
import { selectorOf } from "../pods/addresses.ts";
import type { ServiceWork } from "../pods/per-service.ts";
import { workPerService } from "../pods/per-service.ts";
import { selectedBy } from "../pods/selections.ts";
import type { EndpointsChange } from "./decide.ts";
import { decideEndpoints } from "./decide.ts";
import { isForLeaders } from "./leader.ts";

/**
 * Milliseconds of rest that looking at so many pods is worth: all of them are looked at whenever one changes, and a thousand
 * addresses are written. Where there are more than an Endpoints object holds, nobody can rely on it, and slices go first: one
 * pod's change is to cost no more among ten thousand than among a hundred.
 */
const restFor = (pods: number): number => pods * (pods > 1000 ? 0.5 : 0.1);

/** Keeps the legacy Endpoints object of every Service with a selector in line with its pods. */
export async function startEndpoints(environment: EndpointEnvironment): Promise<Part> {
  const { client, caches, clock } = environment;
  const log = environment.log.child({ controller: "endpoints" });
  const { pods, services, nodes, endpoints: cached } = caches;
  await Promise.all([pods.synced(), services.synced(), nodes.synced(), cached.synced()]);
  const written = createOwnWrites<Endpoints>(cached, "key", keyOf);
  const events = createEventRecorder({ client, component: "endpoint-controller", clock, log });

  /** CTL-065, CTL-066. */
  const removeOrphan = async (key: string, signal: AbortSignal): Promise<void> => {
    const orphan = written.get(key);
    if (orphan === undefined || isForLeaders(orphan)) return;
    const { namespace, name = "", uid } = orphan.metadata;
    try {
      await client.delete(resource, { namespace, name }, uid === undefined ? {} : { preconditions: { uid } }, signal);
    } catch (error) {
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
    written.deleted(orphan);
  };

  const write = async (
    change: EndpointsChange,
    existing: Endpoints | undefined,
    signal: AbortSignal,
  ): Promise<void> => {
    if (change.action === "none") return;
    const { action, endpoints } = change;
    try {
      const answered = await (action === "create"
        ? client.create(resource, endpoints, undefined, signal)
        : client.update(resource, endpoints, undefined, signal));
      written.wrote(answered);
    } catch (error) {
      if (action === "create" && isNamespaceGoing(error)) return;
      if (existing !== undefined) written.forget(existing);
      if (!signal.aborted && !isApiError(error, "Conflict", "NotFound", "AlreadyExists")) {
        // CTL-069.
        const reason = action === "create" ? "FailedToCreateEndpoint" : "FailedToUpdateEndpoint";
        const why = error instanceof Error ? error.message : String(error);
        events.event(endpoints, "Warning", reason, `Endpoints ${keyOf(endpoints)} could not be ${action}d: ${why}`);
      }
      throw error;
    }
  };

  const work = async ({ key, triggerTime }: ServiceWork, signal: AbortSignal): Promise<number> => {
    const service = services.get(key);
    if (service === undefined) {
      await removeOrphan(key, signal);
      return 0;
    }
    const selector = selectorOf(service);
    if (selector === undefined || service.metadata.deletionTimestamp !== undefined) return 0;
    const existing = written.get(key);
    const selected = selectedBy(service.metadata.namespace ?? "", selector, (word) => pods.by("label", word));
    const change = decideEndpoints({ service, pods: selected, existing, triggerTime });
    await written.writing(key, () => write(change, existing, signal));
    return restFor(selected.length);
  };
  const perService = workPerService({
    environment,
    log,
    concurrency: environment.endpoints.concurrentEndpointSyncs,
    batchPeriod: environment.endpoints.endpointUpdatesBatchPeriod,
    longestRest: 5000,
    work,
  });
  for (const orphan of cached.values()) if (services.get(keyOf(orphan)) === undefined) perService.again(keyOf(orphan));
  const stopListening = written.onForeignChange((change) => {
    const key = keyOf(change.type === "removed" ? change.previous : change.object);
    // Somebody may make Endpoints before their Service; only what we hold for a Service is ours to put right.
    if (services.get(key) !== undefined) perService.again(key);
  });
  return {
    async stop() {
      stopListening();
      events.stop();
      await perService.stop();
    },
  };
}
