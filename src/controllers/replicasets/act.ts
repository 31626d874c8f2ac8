import type { Pod } from "../../api/generated/types.ts";
import type { Resource } from "../../api/object.ts";
import { isApiError } from "../../api/status.ts";
import type { EventRecorder } from "../../client/events.ts";
import type { OwnedPods } from "../owned/pods.ts";
import { atOnce, slowStart } from "../owned/slow-start.ts";
import { podFromTemplate } from "../owned/template.ts";
import type { ReplicaChanges } from "./decide.ts";
import type { Replicated } from "./replicated.ts";
import { wantedOf } from "./replicated.ts";
import type { StatusFacts } from "./status.ts";

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The namespace is on its way out, and every creation in it will be refused: nothing to be told, nothing to be tried again. */
const isEnding = (error: unknown): boolean =>
  isApiError(error, "Forbidden") &&
  error.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") === true;

/** What went wrong: for the status, and to be thrown so that it is tried again. */
export interface Failure {
  readonly condition: StatusFacts["failure"];
  readonly error: unknown;
}

/** Makes and deletes pods as decided, and tells it on the object. Answers what went wrong, undefined when nothing did. */
export async function applyReplicas(
  pods: OwnedPods,
  events: EventRecorder,
  resource: Resource,
  owner: Replicated,
  changes: ReplicaChanges,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const wanted = podFromTemplate(wantedOf(owner).template, owner, resource);
  const create = async (): Promise<void> => {
    try {
      const pod = await pods.create(owner, wanted, signal);
      events.event(owner, "Normal", "SuccessfulCreate", `Created pod: ${pod.metadata.name ?? ""}`);
    } catch (error) {
      if (!isEnding(error) && !signal.aborted) {
        events.event(owner, "Warning", "FailedCreate", `Error creating: ${messageOf(error)}`);
      }
      throw error;
    }
  };
  const remove = async (pod: Pod): Promise<void> => {
    try {
      await pods.delete(pod, signal);
      events.event(owner, "Normal", "SuccessfulDelete", `Deleted pod: ${pod.metadata.name ?? ""}`);
    } catch (error) {
      if (!signal.aborted) events.event(owner, "Warning", "FailedDelete", `Error deleting: ${messageOf(error)}`);
      throw error;
    }
  };
  const created = await slowStart(Array.from({ length: changes.create }), create);
  if (created.error !== undefined) {
    if (isEnding(created.error)) return undefined;
    return { condition: { reason: "FailedCreate", message: messageOf(created.error) }, error: created.error };
  }
  const removed = await atOnce(changes.remove, remove);
  if (removed.error === undefined) return undefined;
  const message = `unable to delete pods: ${messageOf(removed.error)}`;
  return { condition: { reason: "FailedDelete", message }, error: removed.error };
}
