import type { Deployment, Pod, ReplicaSet } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { deployments, replicaSets } from "../../api/resources.ts";
import { createEventRecorder } from "../../client/events.ts";
import { createOwnWrites } from "../../client/own-writes.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { adoptAndRelease, orphansOf } from "../owned/adopt.ts";
import { isActive } from "../owned/available.ts";
import { decideClaims } from "../owned/claim.ts";
import { waitingOutConflicts } from "../owned/conflicts.ts";
import { ownerWord, wordsOfSelectors } from "../owned/index-words.ts";
import { controllerUid, ownerKeyOf } from "../owned/reference.ts";
import { matcherOf } from "../owned/selector.ts";
import { isFinished } from "../pods/ready.ts";
import type { RolloutTools } from "./act.ts";
import { createSet, removeSet, updateSet, withCreateError, writeStatus } from "./act.ts";
import { isRolling } from "./bounds.ts";
import { decideRollout } from "./decide.ts";
import { rememberSizes } from "./sizes.ts";

/** Steps in one go; a rollout that needs more goes on at once, but other Deployments have their turn. */
const STEPS = 16;

/** CTL-124: keeps the ReplicaSets of every Deployment on their way to its template and size. */
export async function startDeployments(environment: ControllerEnvironment): Promise<Part> {
  const { client, caches, clock, random } = environment;
  const log = environment.log.child({ controller: "deployments" });
  const { pods, replicaSets: cachedSets, deployments: cached } = caches;
  await Promise.all([pods.synced(), cachedSets.synced(), cached.synced()]);
  const sets = createOwnWrites<ReplicaSet>(cachedSets, "owner", ownerWord);
  const objects = createOwnWrites<Deployment>(cached, "selector", () => "");
  const events = createEventRecorder({ client, component: "deployment-controller", clock, log });
  const podsOf = ({ metadata }: ReplicaSet): readonly Pod[] => pods.by("owner", metadata.uid ?? "");
  const sizes = rememberSizes((set) => podsOf(set).filter(isActive).length);
  const tools: RolloutTools = { client, sets, objects, events, sizes };
  const hasPods = (set: ReplicaSet): boolean => podsOf(set).some((pod) => !isFinished(pod));
  const { rangeOf } = sizes;

  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const held = objects.get(key);
    // What a deleted Deployment leaves, the garbage collector takes or sets free.
    if (held === undefined) return;
    const { uid = "", namespace = "" } = held.metadata;
    const selector = held.spec?.selector ?? {};
    const matches = matcherOf(selector);
    const claims = decideClaims(held, matches, [...sets.by(uid), ...orphansOf(sets, namespace, selector)]);
    await adoptAndRelease({ client, resource: deployments, owned: replicaSets, writes: sets }, held, claims, signal);

    let deployment = held;
    try {
      for (let steps = 0; ; steps += 1) {
        const { owned } = decideClaims(held, matches, sets.by(uid));
        const step = decideRollout({ deployment, sets: owned, hasPods, rangeOf, now: clock.now() });
        deployment = step.deployment;
        for (const set of step.update) await updateSet(tools, deployment, set, signal);
        for (const set of step.remove) await removeSet(tools, set, signal);
        if (step.create !== undefined) deployment = await create(step.create, deployment, held, signal);
        if (step.again !== undefined) queue.addAfter(key, step.again);
        if (step.create === undefined && step.update.length === 0) break;
        if (steps < STEPS) continue;
        queue.add(key);
        break;
      }
    } catch (error) {
      // What was done is told all the same; the rest is tried again.
      if (!signal.aborted) await writeStatus(tools, held, deployment, signal).catch(() => {});
      throw error;
    }
    await writeStatus(tools, held, deployment, signal);
  };

  /** Makes a ReplicaSet; answers the Deployment as it is to be after that. */
  const create = async (
    set: ReplicaSet,
    deployment: Deployment,
    held: Deployment,
    signal: AbortSignal,
  ): Promise<Deployment> => {
    const before = { ...deployment, status: held.status };
    try {
      if ((await createSet(tools, deployment, set, signal)) === "made") return deployment;
    } catch (error) {
      await writeStatus(tools, held, withCreateError(tools, before, set, error, clock.now()), signal);
      throw error;
    }
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    log.debug({ name: set.metadata.name, collisionCount }, "the name of a new ReplicaSet is taken; trying another");
    return { ...before, status: { ...before.status, collisionCount } };
  };
  const queue = createWorkQueue({
    concurrency: 16,
    clock,
    random,
    log,
    work: waitingOutConflicts(work, (key, milliseconds) => queue.addAfter(key, milliseconds)),
  });

  const addOwnersOf = (set: ReplicaSet): void => {
    const key = ownerKeyOf(set, deployments);
    if (key !== undefined) queue.add(key);
    if (controllerUid(set) !== undefined) return;
    for (const object of wordsOfSelectors(set).flatMap((word) => cached.by("selector", word))) {
      if (matcherOf(object.spec?.selector)(set.metadata.labels)) queue.add(keyOf(object));
    }
  };
  /** `Recreate` waits for the end of old pods. */
  const podEnded = (pod: Pod): void => {
    const set = cachedSets.get(ownerKeyOf(pod, replicaSets) ?? "");
    const object = set === undefined ? undefined : cached.get(ownerKeyOf(set, deployments) ?? "");
    if (object !== undefined && !isRolling(object)) queue.add(keyOf(object));
  };
  for (const object of cached.values()) queue.add(keyOf(object));
  const stops = [
    objects.onForeignChange((change) => {
      if (change.type !== "removed") queue.add(keyOf(change.object));
    }),
    sets.onForeignChange((change) => {
      if (change.type !== "added") addOwnersOf(change.previous);
      if (change.type === "removed") sizes.forget(change.previous.metadata.uid ?? "");
      else addOwnersOf(change.object);
    }),
    pods.onChange((change) => {
      if (change.type === "removed") podEnded(change.previous);
      else if (change.type === "changed" && isFinished(change.object) && !isFinished(change.previous)) {
        podEnded(change.object);
      }
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
