import type { Pod } from "../../api/generated/types.ts";
import { clusterSearches, podResolver } from "../../api/pod/resolver.ts";
import type { Cache } from "../../client/cached.ts";
import type { IndexFunction } from "../../client/indexed.ts";
import type { Clients, PodClient } from "./clients.ts";
import { addressesOf } from "./pod-address.ts";

export const DNS_LOG_ANNOTATION = "fairlead.dev/dns-log";
/** The index of a pods' cache that {@link podClients} reads. */
export const BY_ADDRESS = "address";
const LOGGED = "logged";

const isLogged = ({ metadata }: Pod): boolean => metadata.annotations?.[DNS_LOG_ANNOTATION] === "true";

/** What a pods' cache is indexed by, for {@link podClients}. */
export const POD_INDEXES: Readonly<Record<string, IndexFunction<Pod>>> = {
  [BY_ADDRESS]: addressesOf,
  [LOGGED]: (pod) => (isLogged(pod) ? ["true"] : []),
};

export interface PodClientsOptions {
  /** Indexed by {@link BY_ADDRESS} with the addresses that are a pod's now. */
  readonly pods: Cache<Pod>;
  /** As the nodes write it into pods' search lists. */
  readonly clusterDomain: string;
  /** The search list of the nodes' own resolvers, which pods' lists end in; undefined: it is not known. */
  readonly hostSearches: readonly string[] | undefined;
  /** False while the cache may be behind, as when the API server is away: then nobody is known for certain. */
  readonly fresh?: () => boolean;
}

/** The search list behind the cluster's three domains; undefined when it is another one, or not known. */
function searchesOf(pod: Pod, { clusterDomain, hostSearches }: PodClientsOptions): readonly string[] | undefined {
  if (hostSearches === undefined) return undefined;
  const { searches } = podResolver(pod, {
    host: { nameservers: [], searches: hostSearches, options: [] },
    // It asks us, so it has an address of ours; which one makes no difference to the search list.
    clusterDNS: ["0.0.0.0"],
    clusterDomain,
    nodeAddresses: [],
  }).applied;
  const cluster = clusterSearches(pod.metadata.namespace ?? "", clusterDomain);
  const begins = cluster.length > 0 && cluster.every((domain, at) => searches[at] === domain);
  return begins ? searches.slice(cluster.length) : undefined;
}

/** Who asks, by the pods of a cache: those in the pod network, each by all its addresses. */
export function podClients(options: PodClientsOptions): Clients {
  const { pods, fresh = () => true } = options;
  // Objects of a cache never change, so what one of them says is worked out once.
  const known = new WeakMap<Pod, PodClient>();
  const clientOf = (pod: Pod): PodClient => {
    const client: PodClient = known.get(pod) ?? {
      namespace: pod.metadata.namespace ?? "",
      name: pod.metadata.name ?? "",
      searches: searchesOf(pod, options),
      logged: isLogged(pod),
    };
    known.set(pod, client);
    return client;
  };
  return {
    get isAnyLogged() {
      return pods.by(LOGGED, "true").length > 0;
    },
    of(address) {
      if (!fresh()) return undefined;
      let found: Pod | undefined;
      for (const pod of pods.by(BY_ADDRESS, address)) {
        // All pods on a node's network have its addresses, and so has every other program there.
        if (pod.spec?.hostNetwork === true) return undefined;
        if (found !== undefined) return undefined;
        found = pod;
      }
      return found === undefined ? undefined : clientOf(found);
    },
  };
}
