import type { DaemonSet, DaemonSetStatus, Node } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { daemonSets } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import type { Part } from "../../observe/part.ts";
import type { ControllerEnvironment } from "../environment.ts";
import { nextAvailability } from "../owned/available.ts";
import { startOwners, type Turn } from "../owned/owners.ts";
import { atOnce, slowStart } from "../owned/slow-start.ts";
import { superfluousRevisions } from "../revisions/decide.ts";
import { createRevisions } from "../revisions/keep.ts";
import { REVISION_LABEL } from "../revisions/revision.ts";
import { decideDaemonSet } from "./decide.ts";
import { createFailures } from "./failures.ts";
import { newPod } from "./pod.ts";

/** What of a node the decision looks at, as one word to compare: heartbeats concern nobody. */
const facts = ({ metadata, spec }: Node): string => JSON.stringify([metadata.uid, metadata.labels, spec?.taints]);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** CTL-126: keeps a pod of every DaemonSet on every node that it is meant for. */
export async function startDaemonSets(environment: ControllerEnvironment): Promise<Part> {
  const { client, caches, clock } = environment;
  await Promise.all([caches.nodes.synced(), caches.revisions.synced()]);
  const failures = createFailures(clock);
  const revisions = createRevisions({
    client,
    cache: caches.revisions,
    resource: daemonSets,
    hashLabel: REVISION_LABEL,
  });

  const work = async (turn: Turn<DaemonSetStatus, DaemonSet>): Promise<void> => {
    const { object: set, pods, events, signal, owned } = turn;
    const { selector, template, revisionHistoryLimit = 10, minReadySeconds } = set.spec ?? {};
    // Its history may be gone before its pods: nothing can be said of them any more.
    if (selector === undefined || template === undefined || set.metadata.deletionTimestamp !== undefined) return;
    const counted = set.status?.collisionCount;
    const { newest, all, collisionCount } = await revisions.keep(
      set,
      { template, selector, collisionCount: counted ?? 0 },
      signal,
    );
    const hashIn = (labels: Readonly<Record<string, string>> | undefined): string => labels?.[REVISION_LABEL] ?? "";
    const hash = hashIn(newest.metadata.labels);
    const placeOf = (node: string): string =>
      `${set.metadata.uid ?? ""}/${set.status?.observedGeneration ?? 0}/${node}`;
    const decide = () =>
      decideDaemonSet({
        set: turn.current(),
        pods: owned(),
        nodes: [...caches.nodes.values()],
        hash,
        wait: (node) => failures.wait(placeOf(node)),
        now: clock.now(),
      });
    const decision = decide();
    for (const { type, reason, message } of decision.told) events.event(set, type, reason, message);
    for (const node of decision.failed) failures.note(placeOf(node));
    const created = await slowStart(decision.create, async (node) => {
      try {
        const pod = await pods.create(set, newPod(set, node, hash), signal, node);
        events.event(set, "Normal", "SuccessfulCreate", `Created pod: ${pod.metadata.name ?? ""}`);
      } catch (error) {
        if (!signal.aborted && !isNamespaceGoing(error)) {
          events.event(set, "Warning", "FailedCreate", `Error creating: ${messageOf(error)}`);
        }
        throw error;
      }
    });
    const removed = await atOnce(decision.remove, async (pod) => {
      await pods.delete(pod, signal);
      events.event(set, "Normal", "SuccessfulDelete", `Deleted pod: ${pod.metadata.name ?? ""}`);
    });
    signal.throwIfAborted();
    const after = decide();
    await turn.store({ ...after.status, collisionCount: collisionCount === 0 ? counted : collisionCount });
    const live = new Set(owned().map(({ metadata }) => hashIn(metadata.labels)));
    const old = all.filter(({ metadata }) => metadata.uid !== newest.metadata.uid);
    const isLive = ({ metadata }: (typeof old)[number]): boolean => live.has(hashIn(metadata.labels));
    for (const revision of superfluousRevisions(old, isLive, revisionHistoryLimit)) {
      await revisions.remove(revision, signal);
    }
    const error = created.error ?? removed.error;
    if (error !== undefined && !isNamespaceGoing(error)) throw error;
    if (error === undefined && decision.create.length + decision.remove.length > 0) turn.again(0);
    if (after.again !== undefined) turn.again(after.again);
    const next = nextAvailability(owned(), minReadySeconds, clock.now());
    if (next !== undefined) turn.again(next);
  };
  const owners = await startOwners<DaemonSetStatus, DaemonSet>(environment, {
    resource: daemonSets,
    cache: caches.daemonSets,
    component: "daemonset-controller",
    selectorOf: (set) => set.spec?.selector,
    work,
  });
  const stop = caches.nodes.onChange((change) => {
    if (change.type === "changed" && facts(change.previous) === facts(change.object)) return;
    for (const set of caches.daemonSets.values()) owners.add(keyOf(set));
  });
  return {
    async stop() {
      stop();
      await owners.stop();
    },
  };
}

/** The namespace is on its way out, and every creation in it will be refused. */
const isNamespaceGoing = (error: unknown): boolean =>
  isApiError(error) && error.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") === true;
