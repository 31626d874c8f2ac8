import type { EndpointSlice } from "../../api/generated/types.ts";
import { isApiError } from "../../api/status.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createOwnWrites } from "../../client/own-writes.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import { serviceKeyOf } from "../caches.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { selectorOf } from "../pods/addresses.ts";
import { selectedBy } from "../pods/selections.ts";
import { listenForTouched } from "../pods/touched.ts";
import { createRests } from "../pods/rests.ts";
import { createTriggerTimes } from "../pods/trigger-times.ts";
import { applyChanges } from "./act.ts";
import { decideSlices } from "./decide.ts";
import { isOurs } from "./metadata.ts";

/** Keeps the EndpointSlices of every Service with a selector in line with its pods. */
export async function startEndpointSlices(environment: ControllerEnvironment): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "endpointslices" });
  const { pods, services, nodes, slices: cached } = caches;
  await Promise.all([pods.synced(), services.synced(), nodes.synced(), cached.synced()]);
  const slices = createOwnWrites<EndpointSlice>(cached, "service", (slice) => serviceKeyOf(slice) ?? "");
  const triggers = createTriggerTimes();
  const rests = createRests(clock);
  const events = createEventRecorder({ client, component: "endpoint-slice-controller", clock, log });

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const service = services.get(key);
    const trigger = triggers.take(key);
    // A deleted Service's slices go with their owner.
    if (service === undefined) return;
    const selector = selectorOf(service);
    if (selector === undefined) return;
    const selected = [...selectedBy(service.metadata.namespace ?? "", selector, (word) => pods.by("label", word))];
    const changes = decideSlices({
      service,
      pods: selected,
      node: (name) => nodes.get(name),
      existing: slices.by(key),
      triggerTime: trigger?.text,
    });
    try {
      // From its beginning on: what comes while it is under way waits too.
      rests.begin(key, selected.length);
      await applyChanges(client, slices, service, changes, signal);
      rests.begin(key, selected.length);
    } catch (error) {
      if (trigger !== undefined) triggers.note(key, trigger.milliseconds);
      if (!signal.aborted && !isApiError(error, "Conflict", "NotFound")) {
        const why = error instanceof Error ? error.message : String(error);
        events.event(
          service,
          "Warning",
          "FailedToUpdateEndpointSlices",
          `The endpoint slices of ${key} could not be written: ${why}`,
        );
      }
      throw error;
    }
  };
  const queue = createWorkQueue({ concurrency: 16, clock, random, log, work });
  for (const key of [...services.values()].map(
    ({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name ?? ""}`,
  )) {
    queue.add(key);
  }
  const stops = [
    listenForTouched({ pods, services, nodes, clock }, (key, changedAt) => {
      triggers.note(key, changedAt);
      const rest = rests.left(key);
      if (rest === 0) queue.add(key);
      else queue.addAfter(key, rest);
    }),
    // Somebody else changed or deleted a slice of ours, or gave one to another Service.
    slices.onForeignChange((change) => {
      const states =
        change.type === "changed"
          ? [change.previous, change.object]
          : [change.type === "added" ? change.object : change.previous];
      for (const slice of states) {
        const key = isOurs(slice) ? serviceKeyOf(slice) : undefined;
        if (key !== undefined) queue.add(key);
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
