import type { Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { podAmounts } from "../../api/resourceQuota/usage/compute.ts";
import type { Cache } from "../../client/cached.ts";
import { isFinished } from "../pods/ready.ts";
import { hostPortsOf, type HostPort } from "./host-ports.ts";

/** What the pods of a node take of it, those counted that were just bound and that the cache does not show there yet. */
export interface NodeLoad {
  readonly pods: number;
  /** Requested of a resource, in billionths. */
  requested(resource: string): bigint;
  readonly hostPorts: Iterable<HostPort>;
}

export interface NodeLoads {
  on(node: string): NodeLoad;
  /** The pod is about to be bound to the node. */
  assume(pod: Pod, node: string): void;
  /** It was not, after all. */
  takeBack(pod: Pod): void;
  stop(): void;
}

/** What one pod takes. Resource → billionths. */
export interface Share {
  readonly requests: ReadonlyMap<string, bigint>;
  readonly hostPorts: readonly HostPort[];
}

export const shareOf = (pod: Pod): Share => ({
  requests: new Map([...podAmounts(pod, "requests")].map(([name, { nano }]) => [name, nano])),
  hostPorts: hostPortsOf(pod),
});

class Load implements NodeLoad {
  #pods = 0;
  readonly #requested = new Map<string, bigint>();
  readonly hostPorts: HostPort[] = [];

  get pods(): number {
    return this.#pods;
  }
  requested(resource: string): bigint {
    return this.#requested.get(resource) ?? 0n;
  }
  add({ requests, hostPorts }: Share): void {
    this.#pods += 1;
    for (const [name, amount] of requests) this.#requested.set(name, this.requested(name) + amount);
    this.hostPorts.push(...hostPorts);
  }
  remove({ requests, hostPorts }: Share): void {
    this.#pods -= 1;
    for (const [name, amount] of requests) this.#requested.set(name, this.requested(name) - amount);
    for (const port of hostPorts) {
      const at = this.hostPorts.findIndex((one) => JSON.stringify(one) === JSON.stringify(port));
      if (at >= 0) this.hostPorts.splice(at, 1);
    }
  }
}

const NOTHING: NodeLoad = new Load();

export function countLoads(pods: Cache<Pod>): NodeLoads {
  const loads = new Map<string, Load>();
  const assumed = new Map<string, { node: string; share: Share }>();
  const loadOf = (node: string): Load => {
    let load = loads.get(node);
    if (load === undefined) loads.set(node, (load = new Load()));
    return load;
  };
  const nodeOf = (pod: Pod): string | undefined => (isFinished(pod) ? undefined : pod.spec?.nodeName || undefined);
  const takeBack = (key: string): void => {
    const guess = assumed.get(key);
    if (guess !== undefined) loadOf(guess.node).remove(guess.share);
    assumed.delete(key);
  };
  const enter = (pod: Pod): void => {
    const node = nodeOf(pod);
    if (node !== undefined) loadOf(node).add(shareOf(pod));
  };
  const leave = (pod: Pod): void => {
    const node = nodeOf(pod);
    if (node !== undefined) loadOf(node).remove(shareOf(pod));
  };
  for (const pod of pods.values()) enter(pod);
  const stop = pods.onChange((told) => {
    // Most changes are of a status, and move nothing.
    const stays =
      told.type === "changed" &&
      nodeOf(told.previous) === nodeOf(told.object) &&
      told.previous.metadata.generation === told.object.metadata.generation;
    if (!stays && told.type !== "added") leave(told.previous);
    if (!stays && told.type !== "removed") enter(told.object);
    if (told.type === "removed") takeBack(keyOf(told.previous));
    else if (told.object.spec?.nodeName) takeBack(keyOf(told.object));
  });
  return {
    on: (node) => loads.get(node) ?? NOTHING,
    assume(pod, node) {
      takeBack(keyOf(pod));
      const share = shareOf(pod);
      assumed.set(keyOf(pod), { node, share });
      loadOf(node).add(share);
    },
    takeBack: (pod) => takeBack(keyOf(pod)),
    stop,
  };
}
