import type { Endpoints } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { endpoints as resource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createOwnWrites } from "../../client/own-writes.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { selectorOf } from "../pods/addresses.ts";
import { selectedBy } from "../pods/selections.ts";
import { listenForTouched } from "../pods/touched.ts";
import { createRests } from "../pods/rests.ts";
import { createTriggerTimes } from "../pods/trigger-times.ts";
import { decideEndpoints } from "./decide.ts";

/** CTL-066: Endpoints that old clients elect leaders with belong to no Service. */
const LEADER = "control-plane.alpha.kubernetes.io/leader";

/** Keeps the legacy Endpoints object of every Service with a selector in line with its pods. */
export async function startEndpoints(environment: ControllerEnvironment): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "endpoints" });
  const { pods, services, nodes, endpoints: cached } = caches;
  await Promise.all([pods.synced(), services.synced(), nodes.synced(), cached.synced()]);
  const written = createOwnWrites<Endpoints>(cached, "key", keyOf);
  const triggers = createTriggerTimes();
  const rests = createRests(clock);

  /** CTL-065, CTL-066. */
  const removeOrphan = async (key: string, signal: AbortSignal): Promise<void> => {
    const orphan = written.get(key);
    if (orphan === undefined || orphan.metadata.annotations?.[LEADER] !== undefined) return;
    const { namespace, name = "", uid } = orphan.metadata;
    try {
      await client.delete(resource, { namespace, name }, uid === undefined ? {} : { preconditions: { uid } }, signal);
    } catch (error) {
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
    written.deleted(orphan);
  };

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const service = services.get(key);
    const trigger = triggers.take(key);
    if (service === undefined) return removeOrphan(key, signal);
    const selector = selectorOf(service);
    if (selector === undefined || service.metadata.deletionTimestamp !== undefined) return;
    const existing = written.get(key);
    const selected = [...selectedBy(service.metadata.namespace ?? "", selector, (word) => pods.by("label", word))];
    const change = decideEndpoints({
      service,
      pods: selected,
      existing,
      triggerTime: trigger?.text,
    });
    if (change.action === "none") return;
    // From its beginning on: what comes while it is under way waits too.
    rests.begin(key, selected.length);
    try {
      written.wrote(
        await (change.action === "create"
          ? client.create(resource, change.endpoints, undefined, signal)
          : client.update(resource, change.endpoints, undefined, signal)),
      );
      rests.begin(key, selected.length);
    } catch (error) {
      if (isApiError(error, "Forbidden") && change.action === "create") return;
      if (existing !== undefined) written.forget(existing);
      if (trigger !== undefined) triggers.note(key, trigger.milliseconds);
      throw error;
    }
  };
  const queue = createWorkQueue({ concurrency: 8, clock, random, log, work });
  for (const service of services.values()) queue.add(keyOf(service));
  for (const orphan of cached.values()) if (services.get(keyOf(orphan)) === undefined) queue.add(keyOf(orphan));
  const stops = [
    listenForTouched({ pods, services, nodes, clock }, (key, changedAt) => {
      triggers.note(key, changedAt);
      const rest = rests.left(key);
      if (rest === 0) queue.add(key);
      else queue.addAfter(key, rest);
    }),
    written.onForeignChange((change) => {
      const key = keyOf(change.type === "removed" ? change.previous : change.object);
      // Somebody may make Endpoints before their Service; only what we hold for a Service is ours to put right.
      if (services.get(key) !== undefined) queue.add(key);
    }),
  ];
  return {
    async stop() {
      for (const stop of stops) stop();
      await queue.stop();
    },
  };
}
