import type { EndpointSlice } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { isApiError } from "../../api/status.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createOwnWrites } from "../../client/own-writes.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import { serviceKeyOf } from "../caches.ts";
import { applyChanges } from "../endpointslices/act.ts";
import type { EndpointEnvironment } from "../environment.ts";
import type { MirrorDecision } from "./decide.ts";
import { decideMirror } from "./decide.ts";
import { isMirrored } from "./metadata.ts";
import { mirrorMetrics } from "./metrics.ts";
import { warnOfSkipped } from "./skipped.ts";

/** Milliseconds by which putting right what others changed is put off: who fights with us does so slowly. */
const AGAIN = 50;

/** Makes EndpointSlices of the Endpoints that people write for Services without a selector, and keeps them alike. */
export async function startMirroring(environment: EndpointEnvironment): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "mirroring" });
  const { services, endpoints, slices: cached } = caches;
  await Promise.all([services.synced(), endpoints.synced(), cached.synced()]);
  const slices = createOwnWrites<EndpointSlice>(cached, "service", (slice) => serviceKeyOf(slice) ?? "");
  const events = createEventRecorder({ client, component: "endpoint-slice-mirroring-controller", clock, log });
  const most = environment.endpoints.mirroringMaxEndpointsPerSubset;
  const metrics = mirrorMetrics(environment.metrics, () => cached.values(), most);

  const sync = async (key: string, signal: AbortSignal): Promise<MirrorDecision> => {
    const mirrored = endpoints.get(key);
    const decision = decideMirror({ endpoints: mirrored, service: services.get(key), existing: slices.by(key), most });
    for (const { reason, message } of warnOfSkipped(decision, most)) {
      if (mirrored !== undefined) events.event(mirrored, "Warning", reason, message);
    }
    const namespace = key.slice(0, key.indexOf("/"));
    try {
      const writer = { client, slices, namespace, counts: metrics };
      await slices.writing(key, () => applyChanges(writer, decision.changes, signal));
    } catch (error) {
      if (!signal.aborted && mirrored !== undefined && !isApiError(error, "Conflict", "NotFound")) {
        const why = error instanceof Error ? error.message : String(error);
        const message = `The endpoint slices that mirror ${key} could not be written: ${why}`;
        events.event(mirrored, "Warning", "FailedToUpdateEndpointSlices", message);
      }
      throw error;
    }
    return decision;
  };
  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const began = clock.now();
    let decision: MirrorDecision | undefined;
    try {
      decision = await sync(key, signal);
    } finally {
      metrics.synced(Math.max(0, clock.now() - began) / 1000, decision);
    }
  };
  const {
    mirroringConcurrentServiceEndpointSyncs: concurrency,
    mirroringEndpointSliceUpdatesBatchPeriod: batchPeriod,
  } = environment.endpoints;
  const queue = createWorkQueue({ concurrency, clock, random, log, work });
  for (const object of endpoints.values()) queue.add(keyOf(object));
  // Slices whose Endpoints went while nobody looked.
  for (const slice of cached.values()) if (isMirrored(slice)) queue.add(serviceKeyOf(slice)!);
  const stops = [
    endpoints.onChange((change) => queue.add(keyOf(change.type === "removed" ? change.previous : change.object))),
    services.onChange((change) => {
      const key = keyOf(change.type === "removed" ? change.previous : change.object);
      if (endpoints.get(key) !== undefined) queue.add(key);
    }),
    slices.onForeignChange((change) => {
      const states =
        change.type === "changed"
          ? [change.previous, change.object]
          : [change.type === "added" ? change.object : change.previous];
      for (const slice of states) {
        const key = isMirrored(slice) ? serviceKeyOf(slice) : undefined;
        if (key !== undefined) queue.addAfter(key, Math.max(AGAIN, batchPeriod));
      }
    }),
  ];
  return {
    async stop() {
      for (const stop of stops) stop();
      events.stop();
      await queue.stop();
    },
  };
}
