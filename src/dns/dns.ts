import { keyOf } from "../api/object.ts";
import type { Client } from "../client/client.ts";
import { createWorkQueue } from "../client/work-queue.ts";
import { canonicalIP } from "../net/ip.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Part } from "../observe/part.ts";
import type { DnsConfiguration, ServerBlock } from "./configuration/configuration.ts";
import { outsideOf } from "./forward/outside-of.ts";
import type { Outside } from "./forward/outside.ts";
import { DNS_NAMESPACE, DNS_SERVICE, ensureRegistered } from "./registration.ts";
import type { SocketAddress } from "./server/address.ts";
import type { Source } from "./names/source.ts";
import type { Block } from "./server/block.ts";
import { createResponder, type Responder } from "./server/respond.ts";
import { createCluster, type SearchOptions } from "./view/cluster.ts";
import { objectsOf, serviceOf } from "./view/view.ts";
import { listen, type Sockets } from "./server/listen.ts";
import { ownAddresses } from "./server/own-addresses.ts";

/** How the cluster finds this server: as Service `kube-system/kube-dns`. */
export interface RegistrationOf {
  /** Addresses of the Service; not empty. */
  readonly clusterIPs: readonly string[];
  /** Where pods reach this server, if not where it listens. */
  readonly endpoints?: readonly SocketAddress[] | undefined;
  /** The Node this server is on, for its endpoints. */
  readonly nodeName?: string | undefined;
}

export interface DnsOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** At least 0, below 1; should be hard to guess, as query ids to upstreams are made of it. */
  readonly random: () => number;
  readonly log: Log;
  readonly configuration: DnsConfiguration;
  /** Absent: the cluster has been told by somebody else where its DNS is. */
  readonly registration?: RegistrationOf;
  /** Present: pods that ask are known, and names that their search lists make are answered in one round trip. */
  readonly search?: SearchOptions;
}

export interface Dns extends Part {
  /** Resolves when every Service, slice and namespace has been listed once: from then on names of the zone are answered. */
  synced(): Promise<void>;
  /** Seconds since what it knows of the cluster was last known to be current; undefined before `synced()`. */
  age(): number | undefined;
  /** Where it listens, with the ports it was given. */
  readonly listening: readonly SocketAddress[];
}

/** Every address and port that a block is listened for on. */
const addressesOf = ({ bind, port }: ServerBlock): SocketAddress[] =>
  (bind ?? ["0.0.0.0", "::"]).map((address) => ({ address, port }));

const textOf = ({ address, port }: SocketAddress): string => `${address} ${port}`;

/**
 * Starts cluster DNS. Resolves as soon as it listens; until `synced()` names of the zone get SERVFAIL (DNS-080).
 * Rejects when an address cannot be taken, with nothing left open.
 */
export async function startDns(options: DnsOptions): Promise<Dns> {
  const { client, clock, random, log, registration } = options;
  const { servers } = options.configuration;
  const clusterIPs = (registration?.clusterIPs ?? []).map(canonicalIP);
  const own = new Set([...servers.flatMap(addressesOf).map(textOf), ...clusterIPs.map((ip) => `${ip} 53`)]);

  const isOwn = (to: SocketAddress): boolean => own.has(textOf(to));
  const ground = { clock, random, log, isOwn };

  const responders: Responder[] = [];
  const outsides: Outside[] = [];
  const cluster = createCluster({
    client,
    clock,
    random,
    log,
    blocks: servers.flatMap(({ kubernetes }) => kubernetes ?? []),
    ...(options.search === undefined ? {} : { search: options.search }),
    registers: clusterIPs.length > 0,
    changed(words) {
      for (const responder of responders) responder.drop(words);
    },
  });

  const blocksOf = (block: ServerBlock): Block[] => {
    const outside = outsideOf(block, ground);
    if (outside !== undefined) outsides.push(outside);
    const sources: Source[] = [];
    const { kubernetes } = block;
    if (kubernetes !== undefined) {
      sources.push(
        cluster.source(kubernetes, {
          hasOutside: outside !== undefined,
          nameServers: clusterIPs.length > 0 ? clusterIPs : undefined,
          own: ownAddresses(addressesOf(block).map(({ address }) => address)).map(canonicalIP),
        }),
      );
    }
    return block.zones.map((zone) => ({
      apex: zone === "" ? [] : zone.split("."),
      sources,
      outside,
      rotates: block.loadbalance,
    }));
  };

  const opened: Sockets[] = [];
  const close = async (): Promise<void> => {
    cluster.stop();
    for (const outside of outsides) outside.stop();
    await Promise.all(opened.map((sockets) => sockets.close()));
  };
  for (const [, group] of Map.groupBy(servers, ({ port }) => port)) {
    const addresses = new Map(group.flatMap(addressesOf).map((address) => [textOf(address), address]));
    try {
      const responder = createResponder({
        blocks: group.flatMap(blocksOf),
        ...(cluster.clients === undefined ? {} : { clients: cluster.clients }),
        serial: () => cluster.serial,
        log,
        random,
      });
      responders.push(responder);
      opened.push(await listen(responder, [...addresses.values()], clock, log));
    } catch (error) {
      await close();
      throw error;
    }
  }
  const listening = opened.flatMap((sockets) => sockets.listening);

  const synced = cluster.synced().then(() => {
    log.info({ services: cluster.services?.size }, "cluster DNS answers");
  });

  const { nodeName } = registration ?? {};
  const endpoints = registration?.endpoints ?? listening;
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
    cluster.services?.onChange((change) => check(objectsOf(change).map(keyOf)));
    cluster.slices?.onChange((change) => check(objectsOf(change).map(serviceOf)));
    registering.add(ours);
  }

  return {
    synced: () => synced,
    age: () => cluster.age(),
    listening,
    async stop() {
      await registering.stop();
      await close();
    },
  };
}
