import type { EndpointSlice, Namespace, Pod, Service } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import { endpointSlices, namespaces, pods, services } from "../../api/resources.ts";
import { ageOf } from "../../client/age.ts";
import { createCache } from "../../client/cache.ts";
import type { Cache, CacheChange } from "../../client/cached.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { POD_INDEXES } from "../clients/pod-clients.ts";
import { pruneNamespace, prunePod, pruneService, pruneSlice } from "./prune.ts";

export interface Watching {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** What is read of the cluster beside Services and namespaces. */
export interface ViewOptions {
  /** Only Services, slices and pods with these labels; a label selector in text form. */
  readonly labels?: string;
  readonly slices: boolean;
  /** Of endpoints, the names of their pods. */
  readonly podNames: boolean;
  /** Of endpoints, their topology zones. */
  readonly zones: boolean;
  readonly pods: boolean;
}

/** What DNS sees of the cluster: lists and watches, pruned to what it reads. */
export interface View {
  readonly services: Cache<Service>;
  readonly slices?: Cache<EndpointSlice>;
  readonly namespaces: Cache<Namespace>;
  readonly pods?: Cache<Pod>;
  /** Resolves when everything has been listed once. */
  synced(): Promise<void>;
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

/** Pods by the addresses that are theirs now; those of one node where it is named. */
export const watchPods = (
  watching: Watching,
  selected: { readonly labelSelector?: string; readonly nodeName?: string | undefined },
): Cache<Pod> =>
  createCache<Pod>({
    ...watching,
    resource: pods,
    ...(selected.labelSelector === undefined ? {} : { labelSelector: selected.labelSelector }),
    ...(selected.nodeName === undefined ? {} : { fieldSelector: `spec.nodeName=${selected.nodeName}` }),
    prune: prunePod,
    indexes: POD_INDEXES,
  });

/** Starts listing and watching at once. */
export function createView(watching: Watching, options: ViewOptions): View {
  const selected = options.labels === undefined ? {} : { labelSelector: options.labels };
  const caches = {
    services: createCache<Service>({ ...watching, ...selected, resource: services, prune: pruneService }),
    namespaces: createCache<Namespace>({ ...watching, resource: namespaces, prune: pruneNamespace }),
    ...(options.slices
      ? {
          slices: createCache<EndpointSlice>({
            ...watching,
            ...selected,
            resource: endpointSlices,
            prune: (slice) => pruneSlice(slice, options),
            indexes: { service: (slice) => [serviceOf(slice)] },
          }),
        }
      : {}),
    ...(options.pods ? { pods: watchPods(watching, selected) } : {}),
  };
  return {
    ...caches,
    async synced() {
      await Promise.all(Object.values(caches).map((cache) => cache.synced()));
    },
    age: () => ageOf(Object.values(caches), watching.clock.now()),
    stop() {
      for (const cache of Object.values(caches)) cache.stop();
    },
  };
}
