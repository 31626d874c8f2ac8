import type { Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import type { Cache } from "../../client/cached.ts";
import { isFinished } from "../pods/ready.ts";

/** How many pods each node has, those counted that were just bound and that the cache does not show there yet. */
export interface PodCounts {
  on(node: string): number;
  /** The pod is about to be bound to the node. */
  assume(pod: Pod, node: string): void;
  /** It was not, after all. */
  takeBack(pod: Pod): void;
  stop(): void;
}

export function countPods(pods: Cache<Pod>): PodCounts {
  const counts = new Map<string, number>();
  const assumed = new Map<string, string>();
  const change = (node: string | undefined, by: number): void => {
    if (node !== undefined) counts.set(node, (counts.get(node) ?? 0) + by);
  };
  const nodeOf = (pod: Pod): string | undefined => (isFinished(pod) ? undefined : pod.spec?.nodeName || undefined);
  const takeBack = (key: string): void => {
    change(assumed.get(key), -1);
    assumed.delete(key);
  };
  for (const pod of pods.values()) change(nodeOf(pod), 1);
  const stop = pods.onChange((told) => {
    if (told.type !== "added") change(nodeOf(told.previous), -1);
    if (told.type !== "removed") change(nodeOf(told.object), 1);
    if (told.type === "removed") takeBack(keyOf(told.previous));
    else if (told.object.spec?.nodeName) takeBack(keyOf(told.object));
  });
  return {
    on: (node) => counts.get(node) ?? 0,
    assume(pod, node) {
      takeBack(keyOf(pod));
      assumed.set(keyOf(pod), node);
      change(node, 1);
    },
    takeBack: (pod) => takeBack(keyOf(pod)),
    stop,
  };
}
