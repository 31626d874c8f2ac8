import type { OwnerReference } from "../../api/generated/types.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import { apiVersionOf } from "../../api/object.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import type { OwnerState } from "./decide.ts";
import { decideGarbage, FOREGROUND, isOfConcern, ORPHAN } from "./decide.ts";
import type { Held } from "./graph.ts";
import { createGraph } from "./graph.ts";

/** Milliseconds after which an owner that the server has, but our watch has not shown, is looked for again. */
const LOOK_AGAIN = 1000;

const placeOf = ({ metadata }: KubeObject) => ({ namespace: metadata.namespace, name: metadata.name ?? "" });

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
  }
}

const deleteHeld = (client: Client, { resource, object }: Held, signal: AbortSignal): Promise<void> => {
  const { uid } = object.metadata;
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  const options = { propagationPolicy: "Background" as const, ...preconditions };
  return unlessGone(client.delete(resource, placeOf(object), options, signal));
};

/** Writes metadata; the version makes the server refuse it when the object is no longer what the decision was made from. */
const patchHeld = (
  client: Client,
  { resource, object }: Held,
  metadata: object,
  signal: AbortSignal,
): Promise<void> => {
  const { resourceVersion } = object.metadata;
  const patch = { metadata: { resourceVersion, ...metadata } };
  return unlessGone(client.patch(resource, placeOf(object), "merge", patch, undefined, signal));
};

const withoutFinalizer = (client: Client, held: Held, finalizer: string, signal: AbortSignal): Promise<void> => {
  const finalizers = (held.object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
  return patchHeld(client, held, { finalizers }, signal);
};

/** Deletes what lost all its owners, in every resource of `served` but Events. */
export async function startGarbage(environment: ControllerEnvironment, served: readonly Resource[]): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "garbage" });
  const resources = served.filter(({ plural }) => plural !== "events");
  const held = resources.map((resource) => ({ resource, cache: caches.of(resource) }));
  await Promise.all(held.map(({ cache }) => cache.synced()));
  const graph = createGraph();
  const resourceOf = ({ apiVersion, kind }: OwnerReference): Resource | undefined =>
    resources.find((resource) => resource.kind === kind && apiVersionOf(resource) === apiVersion);
  const isPresent = (uid: string): boolean => graph.get(uid) !== undefined;

  /** Whether the server has the owner. A kind that it does not serve may live elsewhere: then nothing is deleted. */
  const isThere = async (owner: OwnerReference, dependent: KubeObject, signal: AbortSignal): Promise<boolean> => {
    const resource = resourceOf(owner);
    if (resource === undefined) return true;
    try {
      const at = resource.namespaced
        ? { namespace: dependent.metadata.namespace, name: owner.name }
        : { name: owner.name };
      if (resource.namespaced && at.namespace === undefined) return false;
      return (await client.get(resource, at, signal)).metadata.uid === owner.uid;
    } catch (error) {
      if (isApiError(error, "NotFound")) return false;
      throw error;
    }
  };

  const work = async (uid: string, signal: AbortSignal): Promise<void> => {
    const item = graph.get(uid);
    if (item === undefined) return;
    const answers = new Map<string, OwnerState>();
    const stateOf = (owner: OwnerReference): OwnerState =>
      isPresent(owner.uid) ? "present" : graph.isGone(owner.uid) ? "absent" : (answers.get(owner.uid) ?? "unknown");
    const dependents = graph.dependentsOf(uid).flatMap((dependent) => graph.get(dependent) ?? []);
    let verdict = decideGarbage(item.object, dependents, stateOf);
    if (verdict.action === "ask") {
      for (const owner of verdict.owners) {
        const there = await isThere(owner, item.object, signal);
        answers.set(owner.uid, there ? "present" : "absent");
        if (there && resourceOf(owner) !== undefined) queue.addAfter(uid, LOOK_AGAIN);
      }
      verdict = decideGarbage(item.object, dependents, stateOf);
    }
    switch (verdict.action) {
      case "none":
      case "ask":
        return;
      case "delete":
        return deleteHeld(client, item, signal);
      case "keepOwners":
        return patchHeld(client, item, { ownerReferences: verdict.owners }, signal);
      case "orphanDependents":
        for (const dependent of verdict.dependents) {
          const owners = dependent.object.metadata.ownerReferences ?? [];
          const ownerReferences = owners.filter((owner) => owner.uid !== uid);
          await patchHeld(client, dependent, { ownerReferences }, signal);
        }
        return withoutFinalizer(client, item, ORPHAN, signal);
      case "deleteDependents":
        for (const dependent of verdict.dependents) {
          if (dependent.object.metadata.deletionTimestamp === undefined) await deleteHeld(client, dependent, signal);
        }
        if (verdict.blocking === 0) await withoutFinalizer(client, item, FOREGROUND, signal);
    }
  };
  const queue = createWorkQueue({ concurrency: 16, clock, random, log, work });

  for (const { resource, cache } of held) for (const object of cache.values()) graph.set({ resource, object });
  for (const { cache } of held) {
    for (const object of cache.values()) if (isOfConcern(object, isPresent)) queue.add(object.metadata.uid ?? "");
  }
  const stops = held.map(({ resource, cache }) =>
    cache.onChange((change) => {
      if (change.type !== "removed") {
        graph.set({ resource, object: change.object });
        if (isOfConcern(change.object, isPresent)) queue.add(change.object.metadata.uid ?? "");
        return;
      }
      const { uid = "", ownerReferences = [] } = change.previous.metadata;
      const dependents = graph.dependentsOf(uid);
      graph.delete(uid);
      for (const dependent of dependents) queue.add(dependent);
      // An owner may be waiting for just this one.
      for (const owner of ownerReferences) {
        const waiting = graph.get(owner.uid);
        if (waiting?.object.metadata.deletionTimestamp !== undefined) queue.add(owner.uid);
      }
    }),
  );
  return {
    async stop() {
      for (const stop of stops) stop();
      await queue.stop();
    },
  };
}
