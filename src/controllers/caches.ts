import type {
  ConfigMap,
  ClusterRole,
  ControllerRevision,
  DaemonSet,
  Deployment,
  Endpoints,
  EndpointSlice,
  Job,
  Namespace,
  Node,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  Secret,
  Service,
  ServiceAccount,
  StatefulSet,
} from "../api/generated/types.ts";
import type { KubeObject, Resource } from "../api/object.ts";
import {
  configMaps,
  clusterRoles,
  controllerRevisions,
  daemonSets,
  deployments,
  endpoints,
  endpointSlices,
  jobs,
  namespaces,
  nodes,
  persistentVolumeClaims,
  podDisruptionBudgets,
  pods,
  replicaSets,
  replicationControllers,
  secrets,
  serviceAccounts,
  services,
  statefulSets,
} from "../api/resources.ts";
import type { CacheOptions } from "../client/cache.ts";
import { createCache } from "../client/cache.ts";
import type { Cache } from "../client/cached.ts";
import { claimWords } from "./claims/decide.ts";
import { SERVICE_NAME } from "./endpointslices/metadata.ts";
import { ownerWords, selectorWord } from "./owned/index-words.ts";
import { labelWords } from "./pods/selections.ts";
import { accountKeyOf } from "./tokensecrets/decide.ts";

export type CacheEnvironment = Pick<CacheOptions<KubeObject>, "client" | "clock" | "random" | "log">;

/** One watch a resource, shared by all controllers of this process. */
export interface Caches {
  /** Indexes: `label` (see `labelWords`), `node` (name), `owner` (see `ownerWords`), `claim` (see `claimWords`). */
  readonly pods: Cache<Pod>;
  readonly services: Cache<Service>;
  /** Index: `service` (see `serviceKeyOf`). */
  readonly slices: Cache<EndpointSlice>;
  /** Index: `key`. */
  readonly endpoints: Cache<Endpoints>;
  readonly nodes: Cache<Node>;
  readonly namespaces: Cache<Namespace>;
  readonly serviceAccounts: Cache<ServiceAccount>;
  readonly configMaps: Cache<ConfigMap>;
  /** Index: `account` (`namespace/name` of the ServiceAccount whose token it holds). */
  readonly secrets: Cache<Secret>;
  readonly clusterRoles: Cache<ClusterRole>;
  /** Index: `selector` (see `selectorWord`). */
  readonly statefulSets: Cache<StatefulSet>;
  /** The same. */
  readonly daemonSets: Cache<DaemonSet>;
  /** The same. */
  readonly jobs: Cache<Job>;
  /** Index: `owner` (see `ownerWords`). */
  readonly revisions: Cache<ControllerRevision>;
  readonly claims: Cache<PersistentVolumeClaim>;
  /** Index: `selector` (see `selectorWord`). */
  readonly budgets: Cache<PodDisruptionBudget>;
  /** Index: `selector` (see `selectorWord`). */
  readonly deployments: Cache<Deployment>;
  /** Indexes: `owner` (see `ownerWords`), `selector` (see `selectorWord`). */
  readonly replicaSets: Cache<ReplicaSet>;
  /** The same. */
  readonly replicationControllers: Cache<ReplicationController>;
  /** The cache of any resource; made when first asked for. */
  of(resource: Resource): Cache<KubeObject>;
  stop(): void;
}

/** `namespace/name` of the Service that a slice says it belongs to; undefined when it says none. */
export function serviceKeyOf(slice: EndpointSlice): string | undefined {
  const name = slice.metadata.labels?.[SERVICE_NAME];
  return name === undefined ? undefined : `${slice.metadata.namespace ?? ""}/${name}`;
}

/** The word of the index `selector` of a kind whose objects own others by a selector. */
const selectorWords = (
  object: Deployment | ReplicaSet | ReplicationController | StatefulSet | DaemonSet | Job | PodDisruptionBudget,
): string[] => {
  const selector =
    object.kind === "ReplicationController"
      ? { matchLabels: object.spec?.selector ?? {} }
      : (object.spec?.selector ?? {});
  return [selectorWord(object.metadata.namespace, selector)];
};

export function createCaches(environment: CacheEnvironment): Caches {
  const made = new Map<string, Cache<KubeObject>>();
  const make = <T extends KubeObject>(resource: Resource, indexes: CacheOptions<T>["indexes"] = {}): Cache<T> => {
    const cache = createCache<T>({ ...environment, resource, indexes });
    made.set(`${resource.group}/${resource.plural}`, cache);
    return cache;
  };
  return {
    pods: make<Pod>(pods, {
      label: labelWords,
      owner: ownerWords,
      claim: claimWords,
      node: (pod) => (pod.spec?.nodeName === undefined ? [] : [pod.spec.nodeName]),
    }),
    services: make<Service>(services),
    slices: make<EndpointSlice>(endpointSlices, {
      service: (slice) => {
        const key = serviceKeyOf(slice);
        return key === undefined ? [] : [key];
      },
    }),
    endpoints: make<Endpoints>(endpoints, {
      key: ({ metadata }) => [`${metadata.namespace ?? ""}/${metadata.name ?? ""}`],
    }),
    nodes: make<Node>(nodes),
    namespaces: make<Namespace>(namespaces),
    serviceAccounts: make<ServiceAccount>(serviceAccounts),
    configMaps: make<ConfigMap>(configMaps),
    secrets: make<Secret>(secrets, {
      account: (secret) => {
        const key = accountKeyOf(secret);
        return key === undefined ? [] : [key];
      },
    }),
    clusterRoles: make<ClusterRole>(clusterRoles),
    statefulSets: make<StatefulSet>(statefulSets, { selector: selectorWords }),
    daemonSets: make<DaemonSet>(daemonSets, { selector: selectorWords }),
    jobs: make<Job>(jobs, { selector: selectorWords }),
    revisions: make<ControllerRevision>(controllerRevisions, { owner: ownerWords }),
    claims: make<PersistentVolumeClaim>(persistentVolumeClaims),
    budgets: make<PodDisruptionBudget>(podDisruptionBudgets, { selector: selectorWords }),
    deployments: make<Deployment>(deployments, { selector: selectorWords }),
    replicaSets: make<ReplicaSet>(replicaSets, { owner: ownerWords, selector: selectorWords }),
    replicationControllers: make<ReplicationController>(replicationControllers, {
      owner: ownerWords,
      selector: selectorWords,
    }),
    of: (resource) => made.get(`${resource.group}/${resource.plural}`) ?? make<KubeObject>(resource),
    stop() {
      for (const cache of made.values()) cache.stop();
    },
  };
}
