import type { Pod } from "../../../api/generated/types.ts";
import { isMirrorPod } from "./mirror-pod.ts";
import { pod as podKind } from "../../../api/pod/pod.ts";
import type { Item } from "../../cache/item.ts";
import type { WatchCache } from "../../cache/watch-cache.ts";
import { referencesOf, type References } from "./references.ts";

/** Which nodes have pods that name an object. Kept current by the watch cache, pod by pod. */
export class Referenced {
  /** `secrets/NAMESPACE/NAME` → node → how many of its pods name it. */
  readonly #nodes = new Map<string, Map<string, number>>();

  constructor(cache: WatchCache) {
    const resource = cache.of(podKind);
    resource.listen({
      changes: (changes) => {
        for (const { previous, next } of changes) {
          if (next !== undefined) this.#count(next, 1);
          if (previous !== undefined) this.#count(previous, -1);
        }
      },
      lost: () => {
        this.#nodes.clear();
        for (const item of resource.range(resource.prefix)) this.#count(item, 1);
      },
    });
  }

  /** Whether a pod on the node names the object. */
  has(node: string, plural: keyof References, namespace: string, name: string): boolean {
    return this.#nodes.get(`${plural}/${namespace}/${name}`)?.has(node) === true;
  }

  #count({ object }: Item, by: 1 | -1): void {
    const pod = object as Pod;
    const node = pod.spec?.nodeName;
    // What a mirror pod names, its node has not been given by anybody.
    if (!node || isMirrorPod(pod)) return;
    for (const [plural, names] of Object.entries(referencesOf(pod)) as [keyof References, Set<string>][]) {
      for (const name of names) {
        const key = `${plural}/${pod.metadata.namespace ?? ""}/${name}`;
        const nodes = this.#nodes.get(key) ?? new Map<string, number>();
        const count = (nodes.get(node) ?? 0) + by;
        if (count > 0) nodes.set(node, count);
        else nodes.delete(node);
        if (nodes.size > 0) this.#nodes.set(key, nodes);
        else this.#nodes.delete(key);
      }
    }
  }
}
