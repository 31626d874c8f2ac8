import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { isApiError } from "../../api/status.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createOwnWrites } from "../../client/own-writes.ts";
import type { Part } from "../../observe/part.ts";
import { serviceKeyOf } from "../caches.ts";
import type { EndpointEnvironment } from "../environment.ts";
import { selectorOf } from "../pods/addresses.ts";
import type { ServiceWork } from "../pods/per-service.ts";
import { workPerService } from "../pods/per-service.ts";
import { selectedBy } from "../pods/selections.ts";
import { applyChanges } from "./act.ts";
import { createAutoServices } from "./auto.ts";
import type { SliceDecision } from "./decide.ts";
import { decideSlices } from "./decide.ts";
import { isOurs } from "./metadata.ts";
import { sliceMetrics } from "./metrics.ts";
import { isWithin, narrow } from "./narrow.ts";

/** Milliseconds of rest that writing a slice is worth: about what it costs the server and its readers. */
const SLICE = 10;

/** Keeps the EndpointSlices of every Service with a selector in line with its pods. */
export async function startEndpointSlices(environment: EndpointEnvironment): Promise<Part> {
  const { client, caches, clock } = environment;
  const log = environment.log.child({ controller: "endpointslices" });
  const { pods, services, nodes, slices: cached } = caches;
  await Promise.all([pods.synced(), services.synced(), nodes.synced(), cached.synced()]);
  const slices = createOwnWrites<EndpointSlice>(cached, "service", (slice) => serviceKeyOf(slice) ?? "");
  const events = createEventRecorder({ client, component: "endpoint-slice-controller", clock, log });
  const most = environment.endpoints.maxEndpointsPerSlice;
  const metrics = sliceMetrics(environment.metrics, {
    slices: () => cached.values(),
    services: () => services.values(),
    most,
  });
  const node = (name: string) => nodes.get(name);
  const auto = createAutoServices(nodes, services, (key) => perService.again(key));

  /** Of the pods that something is new of alone, where that is enough; else of all. */
  const decide = (service: Service, { key, pods: touched, triggerTime }: ServiceWork): SliceDecision | undefined => {
    const existing = slices.by(key);
    const input = {
      service,
      node,
      most,
      triggerTime,
      shares: () => auto.shares(),
      told: auto.toldOf(service, existing),
    };
    const part = touched && narrow({ service, touched, existing, node, most, pod: (name) => pods.get(name) });
    if (part !== undefined) {
      if (part.existing.length === 0) return undefined;
      const decision = decideSlices({ ...input, ...part });
      if (isWithin(decision.changes)) return decision;
    }
    const selector = selectorOf(service) ?? {};
    const selected = selectedBy(service.metadata.namespace ?? "", selector, (word) => pods.by("label", word));
    return decideSlices({ ...input, pods: selected, existing });
  };

  const sync = async (work: ServiceWork, signal: AbortSignal): Promise<number> => {
    const service = services.get(work.key);
    // A deleted Service's slices go with their owner.
    if (service === undefined || selectorOf(service) === undefined) return 0;
    const decision = decide(service, work);
    if (decision === undefined) return 0;
    const { changes } = decision;
    const writer = { client, slices, namespace: service.metadata.namespace, counts: metrics };
    await slices.writing(work.key, () => applyChanges(writer, changes, signal));
    auto.tell(service, decision.told);
    for (const { type, reason, message } of decision.events) events.event(service, type, reason, message);
    const written = changes.stale.length + changes.create.length + changes.update.length + changes.delete.length;
    metrics.changed(service, { added: decision.added, removed: decision.removed, slices: written });
    return written * SLICE;
  };
  const work = async (given: ServiceWork, signal: AbortSignal): Promise<number> => {
    try {
      const rest = await sync(given, signal);
      metrics.synced("success");
      return rest;
    } catch (error) {
      const isStale = isApiError(error, "Conflict", "NotFound");
      if (!signal.aborted) metrics.synced(isStale ? "stale" : "error");
      const service = services.get(given.key);
      if (!signal.aborted && !isStale && service !== undefined) {
        const why = error instanceof Error ? error.message : String(error);
        const message = `The endpoint slices of ${given.key} could not be written: ${why}`;
        events.event(service, "Warning", "FailedToUpdateEndpointSlices", message);
      }
      throw error;
    }
  };
  const perService = workPerService({
    environment,
    log,
    concurrency: environment.endpoints.concurrentServiceEndpointSyncs,
    batchPeriod: environment.endpoints.endpointSliceUpdatesBatchPeriod,
    longestRest: 1000,
    work,
  });
  // Somebody else changed or deleted a slice of ours, or gave one to another Service.
  const stopListening = slices.onForeignChange((change) => {
    const states =
      change.type === "changed"
        ? [change.previous, change.object]
        : [change.type === "added" ? change.object : change.previous];
    const keys = states.map((slice) => (isOurs(slice) ? serviceKeyOf(slice) : undefined));
    for (const key of new Set(keys)) if (key !== undefined) perService.again(key);
  });
  return {
    async stop() {
      stopListening();
      auto.stop();
      events.stop();
      await perService.stop();
    },
  };
}
