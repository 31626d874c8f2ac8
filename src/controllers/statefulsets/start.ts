import type { PersistentVolumeClaim, StatefulSet, StatefulSetStatus } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { statefulSets } from "../../api/resources.ts";
import { createOwnWrites } from "../../client/own-writes.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { nextAvailability } from "../owned/available.ts";
import { startOwners, type Turn } from "../owned/owners.ts";
import { superfluousRevisions } from "../revisions/decide.ts";
import { createRevisions } from "../revisions/keep.ts";
import { HASH_LABEL, templateOf } from "../revisions/revision.ts";
import { applySteps } from "./act.ts";
import { decideSet } from "./decide.ts";
import { isMember } from "./ordinals.ts";
import { revisionOf } from "./pod.ts";

/** CTL-125: keeps the pods of every StatefulSet, one for each ordinal, each with its name and its claims. */
export async function startStatefulSets(environment: ControllerEnvironment): Promise<Part> {
  const { client, caches, clock } = environment;
  await Promise.all([caches.claims.synced(), caches.revisions.synced()]);
  const claims = createOwnWrites<PersistentVolumeClaim>(caches.claims, "", keyOf);
  const revisions = createRevisions({
    client,
    cache: caches.revisions,
    resource: statefulSets,
    hashLabel: HASH_LABEL,
  });

  const work = async (turn: Turn<StatefulSetStatus, StatefulSet>): Promise<void> => {
    const { object: set, pods, events, signal, owned } = turn;
    const { selector, template, revisionHistoryLimit = 10, minReadySeconds } = set.spec ?? {};
    if (selector === undefined || template === undefined) return;
    const counted = set.status?.collisionCount ?? 0;
    const { newest, all, collisionCount } = await revisions.keep(
      set,
      { template, selector, collisionCount: counted },
      signal,
    );
    const present = all.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? newest;
    const nameOf = ({ metadata }: { metadata: { name?: string | undefined } }): string => metadata.name ?? "";
    const decide = () =>
      decideSet({
        set: turn.current(),
        pods: owned(),
        claim: (name) => claims.get(`${set.metadata.namespace ?? ""}/${name}`),
        current: { name: nameOf(present), template: templateOf(present) ?? template },
        update: { name: nameOf(newest), template },
        collisionCount,
        now: clock.now(),
      });
    const decision = decide();
    let failure: { readonly error: unknown } | undefined;
    try {
      await applySteps({ client, pods, claims, events }, set, decision, signal);
    } catch (error) {
      failure = { error };
    }
    signal.throwIfAborted();
    const after = decide();
    await turn.store(after.status);
    const live = new Set([nameOf(newest), nameOf(present), ...owned().map(revisionOf)]);
    const history = all.filter((revision) => !live.has(nameOf(revision)));
    for (const revision of superfluousRevisions(history, () => false, revisionHistoryLimit)) {
      await revisions.remove(revision, signal);
    }
    if (failure !== undefined) throw failure.error;
    if (decision.steps.length > 0) turn.again(0);
    const next = nextAvailability(owned(), minReadySeconds, clock.now());
    if (next !== undefined) turn.again(next);
  };
  const owners = await startOwners<StatefulSetStatus, StatefulSet>(environment, {
    resource: statefulSets,
    cache: caches.statefulSets,
    component: "statefulset-controller",
    selectorOf: (set) => set.spec?.selector,
    mayOwn: isMember,
    work,
  });
  // A claim that went lets its pod come; one that changed hands may have to change back.
  const stop = caches.claims.onChange((change) => {
    const claim = change.type === "removed" ? change.previous : change.object;
    const name = /^(.*)-\d+$/s.exec(claim.metadata.name ?? "")?.[1];
    if (name === undefined) return;
    for (const set of caches.statefulSets.values()) {
      if (set.metadata.namespace !== claim.metadata.namespace) continue;
      const isIts = set.spec?.volumeClaimTemplates?.some(
        ({ metadata }) => `${metadata.name ?? ""}-${set.metadata.name ?? ""}` === name,
      );
      if (isIts === true) owners.add(keyOf(set));
    }
  });
  return {
    async stop() {
      stop();
      await owners.stop();
    },
  };
}
