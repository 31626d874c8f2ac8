import type { PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { persistentVolumeClaims, pods as podResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { createEventRecorder } from "../../client/events.ts";
import { listAll } from "../../client/list-all.ts";
import { createOwnWrites } from "../../client/own-writes.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { isFinished } from "../pods/ready.ts";
import { byAge, claimNamesOf, claimWords, decideClaim, PROTECTION } from "./decide.ts";
import { startEphemeralClaims } from "./start-ephemeral.ts";

/**
 * Gives every claim a directory of the node that its first pod is on, whatever its storage class is called, and keeps it as long
 * as a pod uses it. There are no PersistentVolumes: the directory is the node's affair.
 */
export async function startClaims(environment: ControllerEnvironment): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "claims" });
  const { pods } = caches;
  await Promise.all([pods.synced(), caches.claims.synced()]);
  const claims = createOwnWrites<PersistentVolumeClaim>(caches.claims, "", keyOf);
  const events = createEventRecorder({ client, component: "persistentvolume-controller", clock, log });

  const free = async (claim: PersistentVolumeClaim, signal: AbortSignal): Promise<void> => {
    const { namespace = "", name = "" } = claim.metadata;
    // A pod that the cache does not show yet may have been started with it.
    const { items } = await listAll<Pod>(client, podResource, { namespace, limit: 500 }, signal);
    if (
      !decideClaim(
        claim,
        items.filter((pod) => claimNamesOf(pod).includes(name)),
      ).isFree
    )
      return;
    const finalizers = (claim.metadata.finalizers ?? []).filter((held) => held !== PROTECTION);
    await client.update(
      persistentVolumeClaims,
      { ...claim, metadata: { ...claim.metadata, finalizers } },
      undefined,
      signal,
    );
    claims.deleted(claim);
  };

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    let claim = claims.get(key);
    if (claim === undefined) return;
    const { object, status, isFree, refused } = decideClaim(claim, byAge(pods.by("claim", key)));
    try {
      if (isFree) return await free(claim, signal);
      if (object !== undefined) {
        claim = await client.update(persistentVolumeClaims, object, undefined, signal);
        claims.wrote(claim);
      }
      if (refused !== undefined)
        events.event(claim, "Warning", "ProvisioningFailed", `The claim stays Pending: ${refused}`);
      if (status === undefined) return;
      claims.wrote(await client.updateStatus(persistentVolumeClaims, { ...claim, status }, signal));
      const size = claim.spec?.resources?.requests?.["storage"] ?? "no size";
      const message = `The claim is a directory (${claim.spec?.volumeName ?? ""}) of the node that its first pod runs on; that it holds ${size} is not enforced`;
      events.event(claim, "Normal", "ProvisioningSucceeded", message);
    } catch (error) {
      claims.forget(claim);
      if (!isApiError(error, "NotFound")) throw error;
    }
  };
  const queue = createWorkQueue({ concurrency: 8, clock, random, log, work });
  /** What of a pod its claims look at. */
  const facts = (pod: Pod): string => JSON.stringify([pod.metadata.uid, pod.spec?.nodeName, isFinished(pod)]);
  for (const claim of caches.claims.values()) queue.add(keyOf(claim));
  const stops = [
    claims.onForeignChange((change) => {
      if (change.type !== "removed") queue.add(keyOf(change.object));
    }),
    pods.onChange((change) => {
      if (change.type === "changed" && facts(change.previous) === facts(change.object)) return;
      for (const key of claimWords(change.type === "removed" ? change.previous : change.object)) queue.add(key);
    }),
  ];
  const ephemeral = startEphemeralClaims(environment);
  return {
    async stop() {
      for (const stop of stops) stop();
      events.stop();
      await Promise.all([queue.stop(), ephemeral.stop()]);
    },
  };
}
