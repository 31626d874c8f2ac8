import type { LabelSelector } from "../../api/generated/types.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import { keyOf } from "../../api/object.ts";
import { isApiError } from "../../api/status.ts";
import type { Client } from "../../client/client.ts";
import type { OwnWrites } from "../../client/own-writes.ts";
import { selectedBy } from "../pods/selections.ts";
import type { Claims } from "./claim.ts";
import { controllerUid, referenceTo } from "./reference.ts";

/** Objects of the namespace that nobody manages, those among them that the selector's pairs select. `writes` is over the index `owner`. */
export function orphansOf<T extends KubeObject>(
  writes: OwnWrites<T>,
  namespace: string,
  { matchLabels = {} }: LabelSelector,
): T[] {
  const find = (word: string): T[] => writes.by(word).filter((object) => controllerUid(object) === undefined);
  // Without pairs there is no word to look under but the namespace's own.
  return Object.keys(matchLabels).length === 0 ? find(`${namespace}/`) : selectedBy(namespace, matchLabels, find);
}

export interface Adoption<T extends KubeObject> {
  readonly client: Client;
  /** The resource of the owner, and of what it owns. */
  readonly resource: Resource;
  readonly owned: Resource;
  readonly writes: OwnWrites<T>;
}

/**
 * Adopts and releases what was decided.
 * @throws when the owner is no longer who it was, and when one write failed, after all have been tried
 */
export async function adoptAndRelease<T extends KubeObject>(
  { client, resource, owned, writes }: Adoption<T>,
  owner: KubeObject,
  { adopt, release }: Claims<T>,
  signal: AbortSignal,
): Promise<void> {
  if (adopt.length > 0) {
    // The server's word: a cache may be late, and what a deleted owner adopts would be deleted with it.
    const { namespace, name = "", uid } = owner.metadata;
    const { metadata } = await client.get(resource, { namespace, name }, signal);
    const isSame = metadata.uid === uid;
    if (!isSame || metadata.deletionTimestamp !== undefined) {
      const why = isSame ? "it is being deleted" : `its uid is ${metadata.uid ?? ""} now, not ${uid ?? ""}`;
      throw new Error(`${resource.kind} ${keyOf(owner)} cannot adopt ${owned.plural}: ${why}`);
    }
  }
  const patch = async ({ metadata }: T, ownerReference: object): Promise<void> => {
    const { namespace, name = "", uid } = metadata;
    const body = { metadata: { uid, ownerReferences: [ownerReference] } };
    writes.wrote(await client.patch<T>(owned, { namespace, name }, "strategic", body, undefined, signal));
  };
  const outcomes = await Promise.allSettled([
    ...adopt.map((object) => patch(object, referenceTo(owner, resource))),
    ...release.map((object) => patch(object, { $patch: "delete", uid: owner.metadata.uid })),
  ]);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected" && !isApiError(outcome.reason, "NotFound")) throw outcome.reason;
  }
}
