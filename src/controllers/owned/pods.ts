import type { LabelSelector, Pod } from "../../api/generated/types.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import { keyOf } from "../../api/object.ts";
import { pods as podResource } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Cache } from "../../client/cached.ts";
import type { Client } from "../../client/client.ts";
import { createOwnWrites } from "../../client/own-writes.ts";
import type { Clock } from "../../observe/clock.ts";
import { timestamp } from "../../observe/clock.ts";
import { adoptAndRelease, orphansOf } from "./adopt.ts";
import type { Claims } from "./claim.ts";
import { createPodNames } from "./names.ts";
import { ownerWord } from "./index-words.ts";
import { controllerUid } from "./reference.ts";

export interface OwnedPodsOptions {
  readonly client: Client;
  /** With the index `owner`; see `ownerWords`. */
  readonly pods: Cache<Pod>;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** The resource of the owners. */
  readonly resource: Resource;
}

/** The pods of owners of one kind, as decisions are made from them. */
export interface OwnedPods {
  /**
   * The pods that the owner of this uid manages, with our own writes laid over the cache: what we made is there at once, and
   * what we deleted has a deletionTimestamp at once.
   */
  of(uid: string): Pod[];
  /** Pods of the namespace that nobody manages, those among them that the selector's pairs select. */
  orphans(namespace: string, selector: LabelSelector): Pod[];
  /**
   * Makes a pod and answers it. A pod that only has a `generateName` is named here, and under the very same name again when no
   * answer came (for the same `purpose`, e.g. a node): so none is made twice. What is there under its name already and is
   * managed by the owner is answered as if made now.
   * @throws ApiError AlreadyExists when somebody else has the name
   */
  create(owner: KubeObject, pod: Pod, signal: AbortSignal, purpose?: string): Promise<Pod>;
  /** Asks for the pod's end. One that is gone, or another under its name, is no failure. */
  delete(pod: Pod, signal: AbortSignal): Promise<void>;
  /** Adopts and releases what was decided. @throws when one of them failed, after all have been tried */
  claim(owner: KubeObject, claims: Claims<Pod>, signal: AbortSignal): Promise<void>;
  /** The server has answered with this pod. */
  wrote(pod: Pod): void;
  /** The owner is gone: nothing about it need be remembered. */
  forget(uid: string): void;
  readonly stop: () => void;
}

/** How often another name is tried when a generated one is somebody's: as kube-apiserver does. */
const NAMES_TRIED = 8;
/** Milliseconds for which a stop waits for answers about new pods. */
const PATIENCE = 1000;

export function createOwnedPods({ client, pods, clock, random, resource }: OwnedPodsOptions): OwnedPods {
  const writes = createOwnWrites<Pod>(pods, "owner", (pod) => ownerWord(pod));
  const names = createPodNames(random);
  /** By uid, when we asked for the end of pods that the cache does not show as ending yet. */
  const ending = new Map<string, string>();
  const stop = pods.onChange((change) => {
    const pod = change.type === "removed" ? change.previous : change.object;
    if (change.type === "removed" || pod.metadata.deletionTimestamp !== undefined)
      ending.delete(pod.metadata.uid ?? "");
  });

  const shown = (pod: Pod): Pod => {
    const deletionTimestamp = ending.get(pod.metadata.uid ?? "");
    if (deletionTimestamp === undefined || pod.metadata.deletionTimestamp !== undefined) return pod;
    return { ...pod, metadata: { ...pod.metadata, deletionTimestamp } };
  };

  /** Aborts a moment after the given one: what is being made when we are stopped is let be made, and known by the next start. */
  const late = new WeakMap<AbortSignal, AbortSignal>();
  const lateOf = (signal: AbortSignal): AbortSignal => {
    let made = late.get(signal);
    if (made === undefined) {
      const controller = new AbortController();
      signal.addEventListener("abort", () => clock.after(PATIENCE, () => controller.abort(signal.reason)));
      late.set(signal, (made = controller.signal));
    }
    return made;
  };

  const post = async (owner: KubeObject, pod: Pod, signal: AbortSignal): Promise<Pod> => {
    signal.throwIfAborted();
    try {
      return await client.create<Pod>(podResource, pod, undefined, lateOf(signal));
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
      const at = { namespace: pod.metadata.namespace, name: pod.metadata.name ?? "" };
      const there = await client.get<Pod>(podResource, at, signal);
      if (controllerUid(there) !== owner.metadata.uid) throw error;
      return there;
    }
  };

  return {
    of: (uid) => writes.by(uid).map(shown),
    orphans: (namespace, selector) => orphansOf(writes, namespace, selector),
    async create(owner, pod, signal, purpose = "") {
      const { uid = "" } = owner.metadata;
      const { generateName, name } = pod.metadata;
      for (let tried = 1; ; tried += 1) {
        const chosen = name ?? names.take(uid, generateName ?? "", purpose);
        try {
          const made = await post(owner, { ...pod, metadata: { ...pod.metadata, name: chosen } }, signal);
          names.settle(uid, chosen);
          writes.wrote(made);
          return made;
        } catch (error) {
          // Only a refusal is an answer; after anything else the pod may be there, or come yet.
          if (isApiError(error) && error.code < 500) names.settle(uid, chosen);
          else names.putBack(uid, chosen, purpose);
          if (name !== undefined || tried >= NAMES_TRIED || !isApiError(error, "AlreadyExists")) throw error;
        }
      }
    },
    async delete(pod, signal) {
      const { namespace, name = "", uid = "" } = pod.metadata;
      try {
        await client.delete(podResource, { namespace, name }, { preconditions: { uid } }, signal);
      } catch (error) {
        if (!isApiError(error, "NotFound", "Conflict")) throw error;
      }
      const cached = pods.get(keyOf(pod));
      const late =
        cached?.metadata.uid === uid
          ? cached.metadata.deletionTimestamp === undefined
          : writes.get(keyOf(pod)) !== undefined;
      if (late) ending.set(uid, timestamp(clock.now()));
    },
    claim: (owner, claims, signal) =>
      adoptAndRelease({ client, resource, owned: podResource, writes }, owner, claims, signal),
    wrote: (pod) => writes.wrote(pod),
    forget: (uid) => names.forget(uid),
    stop,
  };
}
