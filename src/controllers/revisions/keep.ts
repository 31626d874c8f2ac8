import type { ControllerRevision, LabelSelector, PodTemplateSpec } from "../../api/generated/types.ts";
import type { KubeObject, Resource } from "../../api/object.ts";
import { controllerRevisions } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Cache } from "../../client/cached.ts";
import type { Client } from "../../client/client.ts";
import { createOwnWrites } from "../../client/own-writes.ts";
import { adoptAndRelease, orphansOf } from "../owned/adopt.ts";
import { decideClaims } from "../owned/claim.ts";
import { ownerWord } from "../owned/index-words.ts";
import { controllerUid, referenceTo } from "../owned/reference.ts";
import { matcherOf } from "../owned/selector.ts";
import { decideRevision } from "./decide.ts";
import { isEqualRevision, newRevision } from "./revision.ts";

export interface RevisionsOptions {
  readonly client: Client;
  /** With the index `owner` (see `ownerWords`). */
  readonly cache: Cache<ControllerRevision>;
  /** The resource of the owners. */
  readonly resource: Resource;
  /** The label of a revision that holds its hash. */
  readonly hashLabel: string;
}

export interface Kept {
  /** The one of the present template. */
  readonly newest: ControllerRevision;
  /** All of the owner's, `newest` among them. */
  readonly all: readonly ControllerRevision[];
  readonly collisionCount: number;
}

/** The history of owners' templates: what `kubectl rollout history` shows and `kubectl rollout undo` goes back to. */
export interface Revisions {
  /** Has the owner's present template be the newest revision. Orphaned revisions that the selector selects are adopted. */
  keep(
    owner: KubeObject,
    of: { readonly template: PodTemplateSpec; readonly selector: LabelSelector; readonly collisionCount: number },
    signal: AbortSignal,
  ): Promise<Kept>;
  remove(revision: ControllerRevision, signal: AbortSignal): Promise<void>;
}

const placeOf = ({ metadata }: KubeObject) => ({ namespace: metadata.namespace, name: metadata.name ?? "" });

export function createRevisions({ client, cache, resource, hashLabel }: RevisionsOptions): Revisions {
  const revisions = createOwnWrites<ControllerRevision>(cache, "owner", ownerWord);

  /** Makes the revision; where its name is another's, the count in its name goes up until it is nobody's. */
  const create = async (
    wanted: (collisionCount: number) => ControllerRevision,
    collisionCount: number,
    signal: AbortSignal,
  ): Promise<{ newest: ControllerRevision; collisionCount: number }> => {
    for (let count = collisionCount; ; count += 1) {
      const revision = wanted(count);
      try {
        const made = await client.create(controllerRevisions, revision, undefined, signal);
        revisions.wrote(made);
        return { newest: made, collisionCount: count };
      } catch (error) {
        if (!isApiError(error, "AlreadyExists")) throw error;
        const there = await client.get<ControllerRevision>(controllerRevisions, placeOf(revision), signal);
        // Ours, made before we last stopped, or before the cache showed it.
        const isOurs = controllerUid(there) === controllerUid(revision) && isEqualRevision(there, revision);
        if (isOurs) return { newest: there, collisionCount: count };
      }
    }
  };

  return {
    async keep(owner, { template, selector, collisionCount }, signal) {
      const { uid = "", namespace } = owner.metadata;
      const candidates = [...revisions.by(uid), ...orphansOf(revisions, namespace ?? "", selector)];
      const { adopt } = decideClaims(owner, matcherOf(selector), candidates);
      const adoption = { client, resource, owned: controllerRevisions, writes: revisions };
      await adoptAndRelease(adoption, owner, { owned: [], adopt, release: [] }, signal);
      const all = revisions.by(uid).filter(({ metadata }) => matcherOf(selector)(metadata.labels));
      const annotations = owner.metadata.annotations;
      const wanted = (count: number): ControllerRevision =>
        newRevision({
          owner: referenceTo(owner, resource),
          namespace,
          annotations,
          template,
          hashLabel,
          collisionCount: count,
        });
      const next = decideRevision(all, wanted(collisionCount));
      if (next.action === "none") return { newest: next.revision, all, collisionCount };
      if (next.action === "renumber") {
        const written = await client.update(controllerRevisions, next.revision, undefined, signal);
        revisions.wrote(written);
        const others = all.filter(({ metadata }) => metadata.uid !== written.metadata.uid);
        return { newest: written, all: [...others, written], collisionCount };
      }
      const made = await create(
        (count) => ({ ...wanted(count), revision: next.revision.revision }),
        collisionCount,
        signal,
      );
      return { ...made, all: [...all, made.newest] };
    },
    async remove(revision, signal) {
      const { uid } = revision.metadata;
      try {
        const preconditions = uid === undefined ? {} : { preconditions: { uid } };
        await client.delete(controllerRevisions, placeOf(revision), preconditions, signal);
      } catch (error) {
        if (!isApiError(error, "NotFound")) throw error;
      }
      revisions.deleted(revision);
    },
  };
}
