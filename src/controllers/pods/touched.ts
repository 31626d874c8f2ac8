import type { Node, Pod, Service } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { Cache, CacheChange } from "../../client/cached.ts";
import type { Clock } from "../../observe/clock.ts";
import { labelsDiffer, podMatters } from "./matters.ts";
import type { Selections } from "./selections.ts";
import { createSelections } from "./selections.ts";

/**
 * Tells which Services' endpoints may have to change, when what happened to them happened (milliseconds), and for which
 * pods, by key; without pods, for any.
 */
export type TouchListener = (serviceKey: string, changedAt: number, pods: readonly string[] | undefined) => void;

export interface TouchSources {
  readonly pods: Cache<Pod>;
  readonly services: Cache<Service>;
  readonly nodes: Cache<Node>;
  readonly clock: Clock;
}

/**
 * Listens to Services, pods and nodes, and names the Services concerned: O(change), never O(all Services). The caches must
 * have synced; what they hold then is told to nobody.
 */
export function listenForTouched(sources: TouchSources, listener: TouchListener): () => void {
  const { pods, services, nodes, clock } = sources;
  const selections = createSelections();
  for (const service of services.values()) selections.set(service);

  const touchPods = (states: readonly Pod[], changedAt: number): void => {
    const touched = new Map<string, Set<string>>();
    for (const pod of states) {
      for (const key of selecting(selections, pod)) {
        let found = touched.get(key);
        if (found === undefined) touched.set(key, (found = new Set()));
        found.add(keyOf(pod));
      }
    }
    for (const [key, found] of touched) listener(key, changedAt, [...found]);
  };
  const stops = [
    services.onChange((change) => {
      if (change.type === "removed") selections.delete(keyOf(change.previous));
      else selections.set(change.object);
      listener(keyOf(change.type === "removed" ? change.previous : change.object), clock.now(), undefined);
    }),
    pods.onChange((change) => {
      if (change.type === "changed") {
        const { object, previous } = change;
        // CTL-007: a label given or taken concerns the Services of before and of after.
        if (labelsDiffer(previous, object)) touchPods([previous, object], clock.now());
        else if (podMatters(previous, object)) touchPods([object], readyChangeOf(change, clock.now()));
      } else touchPods([change.type === "added" ? change.object : change.previous], clock.now());
    }),
    nodes.onChange((change) => {
      // CTL-026, CTL-004: zones come and go with labels, and pods of unknown nodes are left out.
      if (change.type === "changed" && zoneOf(change.object) === zoneOf(change.previous)) return;
      const name = (change.type === "removed" ? change.previous : change.object).metadata.name ?? "";
      touchPods(pods.by("node", name), clock.now());
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

const selecting = (selections: Selections, pod: Pod): string[] =>
  selections.selecting(pod.metadata.namespace ?? "", pod.metadata.labels);

const zoneOf = (node: Node): string | undefined => node.metadata.labels?.["topology.kubernetes.io/zone"];

/**
 * CTL-043: when the pod's readiness changed. Conditions say it in whole seconds; when that is the present second, the moment at
 * which we heard of it is the better measure.
 */
function readyChangeOf(change: CacheChange<Pod>, now: number): number {
  if (change.type !== "changed") return now;
  const transition = (pod: Pod): string | undefined =>
    pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
  const said = transition(change.object);
  if (said === undefined || said === transition(change.previous)) return now;
  const at = Date.parse(said);
  return Number.isNaN(at) || Math.abs(now - at) < 2000 || at > now ? now : at;
}
