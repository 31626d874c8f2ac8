import type { PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { persistentVolumeClaims } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { ephemeralClaimsOf, isOwn } from "./ephemeral.ts";

/** Makes the claims of pods' `ephemeral` volumes. The caches have synced. */
export function startEphemeralClaims(environment: ControllerEnvironment): Part {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "ephemeral-volumes" });
  const { pods, claims } = caches;
  const events = createEventRecorder({ client, component: "ephemeral_volume", clock, log });

  const make = async (pod: Pod, claim: PersistentVolumeClaim, signal: AbortSignal): Promise<void> => {
    const at = { namespace: claim.metadata.namespace, name: claim.metadata.name ?? "" };
    try {
      if (claims.get(keyOf(claim)) === undefined) await client.create(persistentVolumeClaims, claim, undefined, signal);
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) {
        const why = error instanceof Error ? error.message : String(error);
        if (!signal.aborted) {
          events.event(pod, "Warning", "FailedBinding", `ephemeral volume: create PVC ${at.name}: ${why}`);
        }
        throw error;
      }
    }
    const there = await client.get<PersistentVolumeClaim>(persistentVolumeClaims, at, signal);
    if (isOwn(there, pod)) return;
    const why = `PVC ${keyOf(there)} was not created for pod ${keyOf(pod)} (pod is not owner); delete it, or give the pod or its volume another name`;
    events.event(pod, "Warning", "FailedBinding", `ephemeral volume: ${why}`);
    throw new Error(why);
  };

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const pod = pods.get(key);
    for (const claim of pod === undefined ? [] : ephemeralClaimsOf(pod)) {
      const held = claims.get(keyOf(claim));
      if (pod !== undefined && (held === undefined || !isOwn(held, pod))) await make(pod, claim, signal);
    }
  };
  const queue = createWorkQueue({ concurrency: 4, clock, random, log, work });
  const consider = (pod: Pod): void => {
    if (pod.spec?.volumes?.some(({ ephemeral }) => ephemeral !== undefined) === true) queue.add(keyOf(pod));
  };
  for (const pod of pods.values()) consider(pod);
  const stops = [
    pods.onChange((change) => {
      if (change.type === "added") consider(change.object);
    }),
    claims.onChange((change) => {
      if (change.type === "removed") for (const pod of pods.by("claim", keyOf(change.previous))) consider(pod);
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
