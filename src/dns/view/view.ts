import type { EndpointSlice, Namespace, Service } from "../../api/generated/types.ts";
import { keyOf, type KubeObject } from "../../api/object.ts";
import { endpointSlices, namespaces, services } from "../../api/resources.ts";
import { ageOf } from "../../client/age.ts";
import { createCache } from "../../client/cache.ts";
import type { Cache, CacheChange } from "../../client/cached.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { Contents } from "../names/contents.ts";

/** What DNS sees of the cluster: lists and watches, and who is told of their changes. */
export interface View {
  readonly services: Cache<Service>;
  readonly slices: Cache<EndpointSlice>;
  readonly namespaces: Cache<Namespace>;
  /** Resolves when everything has been listed once. */
  synced(): Promise<void>;
  /** Keeps these contents equal to the caches from now on, and says at once what changed, as words of `dependsOn`. */
  follow(contents: Contents, changed: (words: readonly string[]) => void): void;
  /** Seconds since all of this was last known to be current; undefined before it has been listed. */
  age(): number | undefined;
  stop(): void;
}

const SERVICE_NAME = "kubernetes.io/service-name";
export const serviceOf = (slice: EndpointSlice): string =>
  `${slice.metadata.namespace ?? ""}/${slice.metadata.labels?.[SERVICE_NAME] ?? ""}`;

/** The objects a change speaks of: a slice may have moved from one Service to another. */
export const objectsOf = <T extends KubeObject>(change: CacheChange<T>): T[] => [
  ...("previous" in change ? [change.previous] : []),
  ...("object" in change ? [change.object] : []),
];

/** Keeps `contents` equal to the caches, and says at once what changed. */
function follow(
  contents: Contents,
  caches: Pick<View, "services" | "slices" | "namespaces">,
  changed: (words: readonly string[]) => void,
): void {
  const take = (key: string): void =>
    changed(contents.setService(key, caches.services.get(key), caches.slices.by("service", key)));
  caches.services.onChange((change) => new Set(objectsOf(change).map(keyOf)).forEach(take));
  caches.slices.onChange((change) => new Set(objectsOf(change).map(serviceOf)).forEach(take));
  caches.namespaces.onChange((change) => {
    for (const name of new Set(objectsOf(change).map(keyOf))) {
      changed(contents.setNamespace(name, caches.namespaces.get(name) !== undefined));
    }
  });
}

/** Starts listing and watching at once. */
export function createView(watching: {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}): View {
  const caches = {
    services: createCache<Service>({ ...watching, resource: services }),
    slices: createCache<EndpointSlice>({
      ...watching,
      resource: endpointSlices,
      indexes: { service: (slice) => [serviceOf(slice)] },
    }),
    namespaces: createCache<Namespace>({ ...watching, resource: namespaces }),
  };
  return {
    ...caches,
    async synced() {
      await Promise.all(Object.values(caches).map((cache) => cache.synced()));
    },
    follow: (contents, changed) => follow(contents, caches, changed),
    age: () => ageOf(Object.values(caches), watching.clock.now()),
    stop() {
      for (const cache of Object.values(caches)) cache.stop();
    },
  };
}
