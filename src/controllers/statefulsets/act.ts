import type { PersistentVolumeClaim, StatefulSet } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { persistentVolumeClaims, pods as podResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events.ts";
import type { OwnWrites } from "../../client/own-writes.ts";
import type { OwnedPods } from "../owned/pods.ts";
import { slowStart } from "../owned/slow-start.ts";
import type { SetDecision, Step } from "./decide.ts";

export interface SetActions {
  readonly client: Client;
  readonly pods: OwnedPods;
  readonly claims: OwnWrites<PersistentVolumeClaim>;
  readonly events: EventRecorder;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What a step is called in events: the verb, and what it is done to. */
function wordsOf(step: Step): { readonly verb: string; readonly what: string } {
  switch (step.action) {
    case "createPod":
    case "updatePod":
    case "deletePod": {
      const verb = { createPod: "Create", updatePod: "Update", deletePod: "Delete" }[step.action];
      return { verb, what: `Pod ${step.pod.metadata.name ?? ""}` };
    }
    case "createClaim":
    case "awaitClaim":
      return { verb: "Create", what: `Claim ${step.claim.metadata.name ?? ""} Pod ${step.pod}` };
    case "updateClaim":
      return { verb: "Update", what: `Claim ${step.claim.metadata.name ?? ""}` };
  }
}

/** Takes the steps of each pod in order. @throws the first failure; the steps after it are decided anew next time */
export async function applySteps(
  actions: SetActions,
  set: StatefulSet,
  { steps }: SetDecision,
  signal: AbortSignal,
): Promise<void> {
  const { events } = actions;
  const take = async (step: Step): Promise<void> => {
    const { verb, what } = wordsOf(step);
    const where = `${what} in StatefulSet ${set.metadata.name ?? ""}`;
    try {
      await perform(actions, set, step, signal);
    } catch (error) {
      if (!signal.aborted && !isApiError(error, "Conflict")) {
        events.event(set, "Warning", `Failed${verb}`, `${verb} ${where} failed error: ${messageOf(error)}`);
      }
      throw error;
    }
    if (step.action !== "updateClaim") {
      events.event(
        set,
        "Normal",
        `Successful${verb}`,
        `${verb} ${where} ${"claim" in step ? "success" : "successful"}`,
      );
    } else if (step.isContested) {
      const why =
        "has a conflicting OwnerReference that acts as a managing controller, the retention policy is ignored for this claim";
      events.event(
        set,
        "Warning",
        "ConflictingController",
        `PersistentVolumeClaim ${step.claim.metadata.name ?? ""} ${why}`,
      );
    }
  };
  const { error } = await slowStart(steps, async (next) => {
    for (const step of next) await take(step);
  });
  if (error !== undefined) throw error;
}

async function perform(
  { client, pods, claims }: SetActions,
  set: StatefulSet,
  step: Step,
  signal: AbortSignal,
): Promise<void> {
  switch (step.action) {
    case "createPod":
      return void (await pods.create(set, step.pod, signal));
    case "deletePod":
      return pods.delete(step.pod, signal);
    case "updatePod":
      return pods.wrote(await client.update(podResource, step.pod, undefined, signal));
    case "awaitClaim":
      throw new Error(`pvc ${step.claim.metadata.name ?? ""} is being deleted`);
    case "createClaim":
      try {
        claims.wrote(await client.create(persistentVolumeClaims, step.claim, undefined, signal));
      } catch (error) {
        // Somebody's before us is taken as it is, as upstream does: that is how claims are moved between sets.
        if (!isApiError(error, "AlreadyExists")) throw error;
      }
      return;
    case "updateClaim":
      try {
        claims.wrote(await client.update(persistentVolumeClaims, step.claim, undefined, signal));
      } catch (error) {
        claims.forget(step.claim);
        if (!isApiError(error, "NotFound"))
          throw new Error(
            `could not update claim ${keyOf(step.claim)} for delete policy ownerRefs: ${messageOf(error)}`,
            { cause: error },
          );
      }
  }
}
