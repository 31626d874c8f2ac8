import type { EndpointSlice, Namespace, Service } from "../api/generated/types.ts";
import { keyOf, type KubeObject } from "../api/object.ts";
import { endpointSlices, namespaces, services } from "../api/resources.ts";
import { createCache } from "../client/cache.ts";
import type { Cache, CacheChange } from "../client/cached.ts";
import type { Client } from "../client/client.ts";
import { createWorkQueue } from "../client/work-queue.ts";
import { canonicalIP } from "../net/ip.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Part } from "../observe/part.ts";
import { createForwarder } from "./forward/forwarder.ts";
import { parseUpstream } from "./forward/upstream.ts";
import { createContents, type Contents } from "./names/contents.ts";
import { DNS_NAMESPACE, DNS_SERVICE, ensureRegistered } from "./registration.ts";
import type { SocketAddress } from "./server/address.ts";
import { createResponder } from "./server/respond.ts";
import { listen } from "./server/listen.ts";

export interface DnsOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** At least 0, below 1; should be hard to guess, as query ids to upstreams are made of it. */
  readonly random: () => number;
  readonly log: Log;
  /** `cluster.local` */
  readonly zone: string;
  /** Each is taken for UDP and for TCP. Port 0 picks one free for both. */
  readonly listen: readonly SocketAddress[];
  /** Addresses of Service kube-dns; none: nothing is registered. */
  readonly clusterIPs: readonly string[];
  /** Resolvers for names outside the cluster: `IP`, `IPv4:PORT`, `[IPv6]:PORT`. None: such names are refused. */
  readonly upstreams: readonly string[];
  /** Seconds a client may keep a record; 5 unless told (DNS-065). */
  readonly ttl?: number;
  /** Whether `1-2-3-4.NAMESPACE.pod.ZONE` is answered; `insecure` unless told (DNS-084). */
  readonly pods?: "disabled" | "insecure";
  /** Where pods reach this server, if not where it listens. */
  readonly endpoints?: readonly SocketAddress[];
  /** The Node this server is on, for its endpoints. */
  readonly nodeName?: string;
}

export interface Dns extends Part {
  /** Resolves when every Service, slice and namespace has been listed once: from then on names of the zone are answered. */
  synced(): Promise<void>;
  /** Where it listens, with the ports it was given. */
  readonly listening: readonly SocketAddress[];
}

const SERVICE_NAME = "kubernetes.io/service-name";
const serviceOf = (slice: EndpointSlice): string =>
  `${slice.metadata.namespace ?? ""}/${slice.metadata.labels?.[SERVICE_NAME] ?? ""}`;

/** The objects a change speaks of: a slice may have moved from one Service to another. */
const objectsOf = <T extends KubeObject>(change: CacheChange<T>): T[] => [
  ...("previous" in change ? [change.previous] : []),
  ...("object" in change ? [change.object] : []),
];

/** Keeps `contents` equal to the caches, and says at once what changed. */
function follow(
  contents: Contents,
  caches: { services: Cache<Service>; slices: Cache<EndpointSlice>; namespaces: Cache<Namespace> },
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

/**
 * Starts cluster DNS. Resolves as soon as it listens; until `synced()` names of the zone get SERVFAIL (DNS-080).
 * Rejects when an address cannot be taken, with nothing left open.
 */
export async function startDns(options: DnsOptions): Promise<Dns> {
  const { client, clock, random, log } = options;
  const zone = options.zone.toLowerCase().replace(/\.$/, "");
  const upstreams = options.upstreams.map(parseUpstream);
  const clusterIPs = options.clusterIPs.map(canonicalIP);
  const own = new Set(options.listen.map(({ address, port }) => `${address} ${port}`));
  for (const ip of clusterIPs) own.add(`${ip} 53`);
  const others = upstreams.filter(({ address, port }) => {
    const isOwn = own.has(`${address} ${port}`);
    if (isOwn) log.warn({ address, port }, "an upstream resolver is this DNS server itself; it is left out");
    return !isOwn;
  });

  const contents = createContents(() => clock.now());
  let isReady = false;
  const nameServers = clusterIPs.length > 0 ? clusterIPs : options.listen.map(({ address }) => address);
  const responder = createResponder({
    zone: {
      name: zone,
      ttl: options.ttl ?? 5,
      pods: options.pods ?? "insecure",
      nameServers: nameServers.map(canonicalIP),
      reverseFallthrough: others.length > 0,
    },
    contents,
    isReady: () => isReady,
    forwarder: others.length === 0 ? undefined : createForwarder({ upstreams: others, clock, random }),
    log,
    random,
  });
  const sockets = await listen(responder, options.listen, clock, log);

  const watching = { client, clock, random, log };
  const caches = {
    services: createCache<Service>({ ...watching, resource: services }),
    slices: createCache<EndpointSlice>({
      ...watching,
      resource: endpointSlices,
      indexes: { service: (slice) => [serviceOf(slice)] },
    }),
    namespaces: createCache<Namespace>({ ...watching, resource: namespaces }),
  };
  follow(contents, caches, (words) => responder.drop(words));
  const synced = Promise.all(Object.values(caches).map((cache) => cache.synced())).then(() => {
    isReady = true;
    log.info({ services: caches.services.size }, "cluster DNS answers");
  });

  const { nodeName } = options;
  const endpoints = options.endpoints ?? sockets.listening;
  const registering = createWorkQueue({
    concurrency: 1,
    clock,
    random,
    log,
    // The namespace may not be there yet in the first moments: then it is tried again soon.
    bounds: { least: 25, most: 5000 },
    work: (_key, signal) => ensureRegistered({ client, clusterIPs, endpoints, nodeName }, signal),
  });
  if (clusterIPs.length > 0) {
    const ours = `${DNS_NAMESPACE}/${DNS_SERVICE}`;
    const check = (keys: readonly string[]): void => {
      if (keys.includes(ours)) registering.add(ours);
    };
    caches.services.onChange((change) => check(objectsOf(change).map(keyOf)));
    caches.slices.onChange((change) => check(objectsOf(change).map(serviceOf)));
    registering.add(ours);
  }

  return {
    synced: () => synced,
    listening: sockets.listening,
    async stop() {
      for (const cache of Object.values(caches)) cache.stop();
      await registering.stop();
      await sockets.close();
    },
  };
}
