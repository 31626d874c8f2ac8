import type { KubeObject } from "../../api/object.ts";
import { configMaps, secrets } from "../../api/resources.ts";
import { createCache } from "../../client/cache.ts";
import type { Cache } from "../../client/cached.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";

/** A ConfigMap or Secret by its name. */
export interface ObjectAt {
  readonly kind: "configMap" | "secret";
  readonly namespace: string;
  readonly name: string;
}

/** Tells when ConfigMaps and Secrets change. */
export interface ObjectWatches {
  /** Calls back when the object may have changed, also once where nobody followed it before: who reads it after this call misses nothing. The returned function ends it. */
  follow(object: ObjectAt, changed: () => void): () => void;
  stop(): void;
}

const RESOURCES = { configMap: configMaps, secret: secrets };
/** How long an object stays watched that nobody follows, in milliseconds: the next pod of a Deployment often follows it too. */
const LINGER = 30_000;

/**
 * One watch for each object that a running pod is filled from, however many pods that are: a node may read only what its
 * own pods name. Costs nothing while nothing changes.
 */
export function objectWatches(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}): ObjectWatches {
  interface Watched {
    readonly cache: Cache<KubeObject>;
    readonly followers: Set<() => void>;
    endLinger: () => void;
  }
  const watched = new Map<string, Watched>();

  const begin = ({ kind, namespace, name }: ObjectAt): Watched => {
    const cache = createCache<KubeObject>({
      ...options,
      resource: RESOURCES[kind],
      namespace,
      fieldSelector: `metadata.name=${name}`,
    });
    const followers = new Set<() => void>();
    let isListed = false;
    void cache.synced().then(() => (isListed = true));
    cache.onChange((change) => {
      // What the first list finds is told below, once.
      if (!isListed) return;
      const { metadata } = change.type === "removed" ? change.previous : change.object;
      if (metadata.name === name && metadata.namespace === namespace) for (const changed of followers) changed();
    });
    return { cache, followers, endLinger: () => {} };
  };

  return {
    follow(object, changed) {
      const key = `${object.kind}/${object.namespace}/${object.name}`;
      const one = watched.get(key) ?? begin(object);
      watched.set(key, one);
      one.endLinger();
      // A function of its own, so that who follows twice is told twice and ends each alone.
      const follower = (): void => changed();
      one.followers.add(follower);
      if (!one.cache.hasSynced) {
        void one.cache.synced().then(() => {
          if (one.followers.has(follower)) follower();
        });
      }
      return () => {
        if (!one.followers.delete(follower) || one.followers.size > 0) return;
        one.endLinger = options.clock.after(LINGER, () => {
          one.cache.stop();
          watched.delete(key);
        });
      };
    },
    stop() {
      for (const { cache, endLinger } of watched.values()) {
        endLinger();
        cache.stop();
      }
      watched.clear();
    },
  };
}
