import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { sameJson } from "../../api/meta/values.ts";
import { keyOf } from "../../api/object.ts";
import { deployments, replicaSets } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events.ts";
import type { OwnWrites } from "../../client/own-writes.ts";
import { controllerUid } from "../owned/reference.ts";
import { REVISION } from "./annotations.ts";
import { progressDeadlineOf } from "./bounds.ts";
import { condition, withCondition } from "./conditions.ts";
import { sizeOf } from "./sets.ts";
import type { SizeMemory } from "./sizes.ts";
import { templateText } from "./template.ts";

export interface RolloutTools {
  readonly client: Client;
  readonly sets: OwnWrites<ReplicaSet>;
  readonly objects: OwnWrites<Deployment>;
  readonly events: EventRecorder;
  readonly sizes: SizeMemory;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const place = ({ metadata }: ReplicaSet) => ({ namespace: metadata.namespace, name: metadata.name ?? "" });

const tellScaled = (events: EventRecorder, deployment: Deployment, set: ReplicaSet, from: number): void => {
  const to = sizeOf(set);
  if (from === to) return;
  const direction = from < to ? "up" : "down";
  const message = `Scaled ${direction} replica set ${set.metadata.name ?? ""} from ${from} to ${to}`;
  events.event(deployment, "Normal", "ScalingReplicaSet", message);
};

/**
 * Makes a ReplicaSet. "collision": its name is taken by another one than this Deployment's with this template. What was made
 * before, with the answer lost or not seen yet, counts as made now: the name depends on the template.
 */
export async function createSet(
  { client, sets, events }: RolloutTools,
  deployment: Deployment,
  set: ReplicaSet,
  signal: AbortSignal,
): Promise<"made" | "collision"> {
  try {
    const made = await client.create<ReplicaSet>(replicaSets, set, undefined, signal);
    sets.wrote(made);
    tellScaled(events, deployment, made, 0);
    return "made";
  } catch (error) {
    if (!isApiError(error, "AlreadyExists")) throw error;
    const there = await client.get<ReplicaSet>(replicaSets, place(set), signal);
    const isOurs =
      controllerUid(there) === deployment.metadata.uid &&
      templateText(there.spec?.template ?? {}) === templateText(deployment.spec?.template ?? {});
    if (!isOurs) return "collision";
    sets.wrote(there);
    return "made";
  }
}

/** The Deployment, saying that its ReplicaSet cannot be made and why; it is told as an event, too. */
export function withCreateError(
  { events }: RolloutTools,
  deployment: Deployment,
  set: ReplicaSet,
  error: unknown,
  now: number,
): Deployment {
  // The namespace is on its way out: everything in it ends, and nobody need be told.
  const ending =
    isApiError(error, "Forbidden") && error.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating");
  if (ending === true) return deployment;
  const name = JSON.stringify(set.metadata.name ?? "");
  const message = `Failed to create new replica set ${name}: ${messageOf(error)}`;
  events.event(deployment, "Warning", "ReplicaSetCreateError", message);
  if (progressDeadlineOf(deployment) === undefined) return deployment;
  const said = condition("Progressing", "False", "ReplicaSetCreateError", message, now);
  const conditions = withCondition(deployment.status?.conditions ?? [], said);
  return { ...deployment, status: { ...deployment.status, conditions: [...conditions] } };
}

/** Writes a ReplicaSet with its new size or annotations. A conflict means that it was decided from what is no longer so. */
export async function updateSet(
  { client, sets, events, sizes }: RolloutTools,
  deployment: Deployment,
  next: ReplicaSet,
  signal: AbortSignal,
): Promise<void> {
  const from = sets.get(keyOf(next));
  // Before it is written: without an answer it may be so, or not.
  if (from !== undefined && sizeOf(from) !== sizeOf(next)) sizes.resized(from);
  try {
    const written = await client.update<ReplicaSet>(replicaSets, next, undefined, signal);
    sets.wrote(written);
    tellScaled(events, deployment, written, from === undefined ? sizeOf(written) : sizeOf(from));
  } catch (error) {
    sets.forget(next);
    throw error;
  }
}

export async function removeSet({ client, sets }: RolloutTools, set: ReplicaSet, signal: AbortSignal): Promise<void> {
  const { uid = "", resourceVersion = "" } = set.metadata;
  try {
    // By this very version: it might have been returned to, and have pods again.
    await client.delete(replicaSets, place(set), { preconditions: { uid, resourceVersion } }, signal);
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
  }
  sets.deleted(set);
}

/** Writes the Deployment's status and revision when they are not what the server has. */
export async function writeStatus(
  { client, objects }: RolloutTools,
  held: Deployment,
  next: Deployment,
  signal: AbortSignal,
): Promise<void> {
  const revision = ({ metadata }: Deployment): string => metadata.annotations?.[REVISION] ?? "";
  if (revision(held) === revision(next) && sameJson(held.status ?? {}, next.status ?? {})) return;
  try {
    objects.wrote(await client.updateStatus<Deployment>(deployments, next, signal));
  } catch (error) {
    objects.forget(held);
    if (!isApiError(error, "NotFound")) throw error;
  }
}
