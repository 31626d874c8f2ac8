import { networkInterfaces } from "node:os";
import { keyOf } from "../api/object.ts";
import type { Client } from "../client/client.ts";
import { createWorkQueue } from "../client/work-queue.ts";
import { canonicalIP } from "../net/ip.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Part } from "../observe/part.ts";
import type { DnsConfiguration, ServerBlock } from "./configuration/configuration.ts";
import type { ForwardFigures } from "./forward/figures.ts";
import { watchForLoop, type LoopWatch } from "./forward/loop.ts";
import { outsideOf } from "./forward/outside-of.ts";
import type { Outside } from "./forward/outside.ts";
import { hostsFiles } from "./hosts/file.ts";
import { createHosts } from "./hosts/hosts.ts";
import { DNS_NAMESPACE, DNS_SERVICE, ensureRegistered } from "./registration.ts";
import type { SocketAddress } from "./server/address.ts";
import type { Source } from "./names/source.ts";
import type { Block } from "./server/block.ts";
import { createResponder, type Responder } from "./server/respond.ts";
import { createPorts, type Served } from "./server/ports.ts";
import { ownAddresses } from "./server/own-addresses.ts";
import { createCluster, type Cluster, type SearchOptions } from "./view/cluster.ts";
import { objectsOf, serviceOf } from "./view/view.ts";

/** How the cluster finds this server: as Service `kube-system/kube-dns`. */
export interface RegistrationOf {
  /** Addresses of the Service; not empty. */
  readonly clusterIPs: readonly string[];
  /** Where pods reach this server, if not where it listens. */
  readonly endpoints?: readonly SocketAddress[] | undefined;
  /** The Node this server is on, for its endpoints. */
  readonly nodeName?: string | undefined;
  /** Where its metrics are, at each of its endpoints. */
  readonly metricsPort?: number | undefined;
}

export interface DnsOptions {
  /** Not needed where no block has names of a cluster. */
  readonly client?: Client | undefined;
  readonly clock: Clock;
  /** At least 0, below 1; should be hard to guess, as query ids to upstreams are made of it. */
  readonly random: () => number;
  readonly log: Log;
  readonly configuration: DnsConfiguration;
  /** Absent: the cluster has been told by somebody else where its DNS is. */
  readonly registration?: RegistrationOf;
  /** What is counted of asking outside, by server block. */
  readonly forwardFigures?: (block: ServerBlock) => ForwardFigures;
  /** Hears, where `loop` is set, that what is asked outside comes back here: the server is of no use and should end. */
  readonly looped?: (error: Error) => void;
  /** Present: pods that ask are known, and names that their search lists make are answered in one round trip. */
  readonly search?: SearchOptions | undefined;
  /** Others answer at the same addresses too; the kernel shares the queries out. */
  readonly reusePort?: boolean;
}

export interface Dns extends Part {
  /** Resolves when every Service, slice and namespace has been listed once: from then on names of the zone are answered. */
  synced(): Promise<void>;
  /** False while names of the zone are still SERVFAIL. */
  readonly isReady: boolean;
  /** Where it listens, with the ports it was given. */
  readonly listening: readonly SocketAddress[];
  /**
   * Does from now on what another configuration says. No query is lost: addresses that stay are never closed, and where the cluster is
   * to be looked at in another way, that is listed before the old answers go. Rejects when an address cannot be taken, or with the
   * signal's reason, and the old configuration stays in force.
   */
  configure(configuration: DnsConfiguration, signal?: AbortSignal): Promise<void>;
}

/** All addresses of this machine, by family. */
const ANY = ["0.0.0.0", "::"];

/** Every address and port that a block is listened for on. */
const addressesOf = ({ bind, port }: ServerBlock): SocketAddress[] =>
  (bind ?? ANY).map((address) => ({ address, port }));

const isAnsweredAt = (block: ServerBlock, at: SocketAddress): boolean =>
  addressesOf(block).some((address) => textOf(address) === textOf(at));

const textOf = ({ address, port }: SocketAddress): string => `${address} ${port}`;

/** Answers that upstreams are still asked for when another configuration comes: after so many milliseconds nobody waits any more. */
const LAST_ANSWERS = 10_000;

/** What is seen of the cluster, for all blocks with names of it. */
interface Seen {
  /** What of the configuration it depends on. */
  readonly of: string;
  /** Undefined where no block has names of it. */
  readonly cluster: Cluster | undefined;
  /** The cluster's names, by place of the block. */
  readonly sources: readonly (Source | undefined)[];
  /** Who has answers that a change makes untrue. */
  responders: readonly Responder[];
  isReady: boolean;
  readonly synced: Promise<void>;
}

/** Everything that follows from a configuration. */
interface Serving {
  readonly seen: Seen;
  readonly served: readonly Served[];
  /** What works by itself: health checks, hosts files that are looked at. */
  readonly helping: readonly { stop(): void }[];
  readonly loops: readonly { readonly zone: string; readonly watch: LoopWatch }[];
}

/**
 * Starts cluster DNS. Resolves as soon as it listens; until `synced()` names of the zone get SERVFAIL (DNS-080).
 * Rejects when an address cannot be taken, with nothing left open.
 */
export async function startDns(options: DnsOptions): Promise<Dns> {
  const { client, clock, random, log, registration } = options;
  const clusterIPs = (registration?.clusterIPs ?? []).map(canonicalIP);

  /** True for an address at which this server itself answers. */
  const isOwnOf = ({ servers }: DnsConfiguration): ((to: SocketAddress) => boolean) => {
    const own = new Set([...servers.flatMap(addressesOf).map(textOf), ...clusterIPs.map((ip) => `${ip} 53`)]);
    // Where a block listens on every address of this machine, each of them is its own.
    const machine = Object.values(networkInterfaces()).flatMap(
      (addresses) => addresses?.map(({ address }) => address) ?? [],
    );
    const isHere = (address: string): boolean => address.startsWith("127.") || machine.includes(address);
    return (to) =>
      own.has(textOf(to)) || (isHere(to.address) && ANY.some((address) => own.has(textOf({ address, port: to.port }))));
  };

  const hasOutside = (block: ServerBlock, isOwn: (to: SocketAddress) => boolean): boolean =>
    block.forward.some(({ to }) => to.some((one) => !isOwn(one)));

  /** What of a configuration decides how the cluster is seen. */
  const clusterPartOf = (configuration: DnsConfiguration): string => {
    const isOwn = isOwnOf(configuration);
    return JSON.stringify(
      configuration.servers.map((block) =>
        block.kubernetes === undefined ? null : [block.kubernetes, hasOutside(block, isOwn), addressesOf(block)],
      ),
    );
  };

  const see = (configuration: DnsConfiguration): Seen => {
    const of = clusterPartOf(configuration);
    const blocks = configuration.servers.flatMap(({ kubernetes }) => kubernetes ?? []);
    if (registration === undefined && blocks.length === 0) {
      return { of, cluster: undefined, sources: [], responders: [], isReady: true, synced: Promise.resolve() };
    }
    if (client === undefined) {
      throw new Error("starting cluster DNS: the configuration has names of a cluster, and no API server is known");
    }
    const cluster = createCluster({
      client,
      clock,
      random,
      log,
      blocks,
      ...(options.search === undefined ? {} : { search: options.search }),
      registers: clusterIPs.length > 0,
      changed(words) {
        for (const responder of seen.responders) responder.drop(words);
      },
    });
    const isOwn = isOwnOf(configuration);
    const seen: Seen = {
      of,
      cluster,
      // At once: a source takes in what comes after it.
      sources: configuration.servers.map((block) =>
        block.kubernetes === undefined
          ? undefined
          : cluster.source(block.kubernetes, {
              hasOutside: hasOutside(block, isOwn),
              nameServers: clusterIPs.length > 0 ? clusterIPs : undefined,
              own: ownAddresses(addressesOf(block).map(({ address }) => address)).map(canonicalIP),
            }),
      ),
      responders: [],
      isReady: false,
      synced: cluster.synced().then(() => {
        seen.isReady = true;
        log.info({ services: cluster.services?.size }, "cluster DNS answers");
      }),
    };
    return seen;
  };

  const make = ({ servers }: DnsConfiguration, seen: Seen): Serving => {
    const ground = { clock, random, log, isOwn: isOwnOf({ servers }) };
    const helping: { stop(): void }[] = [];
    const loops: { readonly zone: string; readonly watch: LoopWatch }[] = [];
    const responders: Responder[] = [];

    /** Where the block's names are asked for elsewhere. */
    const outsideFor = (block: ServerBlock): Outside | undefined => {
      const figures = options.forwardFigures?.(block);
      const outside = outsideOf(block, { ...ground, ...(figures === undefined ? {} : { figures }) });
      if (outside === undefined) return undefined;
      helping.push(outside);
      if (!block.loop) return outside;
      const zone = block.zones[0]!;
      const watch = watchForLoop(outside, zone, random);
      loops.push({ zone, watch });
      return watch.outside;
    };

    const blocksOf = (block: ServerBlock): Block[] => {
      const outside = outsideFor(block);
      const sources: Source[] = [];
      if (block.hosts !== undefined) {
        const source = createHosts(block.hosts, block.zones, hostsFiles, (words) => {
          for (const responder of responders) responder.drop(words);
        });
        helping.push(source);
        sources.push(source);
      }
      const names = seen.sources[servers.indexOf(block)];
      if (names !== undefined) sources.push(names);
      return block.zones.map((zone) => ({
        apex: zone === "" ? [] : zone.split("."),
        sources,
        outside,
        rotates: block.loadbalance,
      }));
    };

    const made = new Map(servers.map((block) => [block, blocksOf(block)]));
    const addresses = new Map(servers.flatMap(addressesOf).map((address) => [textOf(address), address]));
    // Addresses at which the same blocks are asked have one responder, and one cache.
    const groups = Map.groupBy(addresses.values(), (at) =>
      servers.flatMap((block, index) => (isAnsweredAt(block, at) ? [index] : [])).join(),
    );
    const served = [...groups].map(([indexes, group]): Served => {
      const responder = createResponder({
        blocks: indexes.split(",").flatMap((index) => made.get(servers[Number(index)]!) ?? []),
        ...(seen.cluster?.clients === undefined ? {} : { clients: seen.cluster.clients }),
        serial: () => seen.cluster?.serial ?? 0,
        log,
        random,
      });
      responders.push(responder);
      return { addresses: group, responder };
    });
    return { seen, served, helping, loops };
  };

  const { nodeName, metricsPort } = registration ?? {};
  const registering = createWorkQueue({
    concurrency: 1,
    clock,
    random,
    log,
    // The namespace may not be there yet in the first moments: then it is tried again soon.
    bounds: { least: 25, most: 5000 },
    work: (_key, signal) => {
      if (client === undefined) return Promise.resolve();
      const endpoints = registration?.endpoints ?? ports.listening;
      return ensureRegistered({ client, clusterIPs, endpoints, nodeName, metricsPort }, signal);
    },
  });
  const keepRegistered = ({ cluster }: Seen): void => {
    if (clusterIPs.length === 0 || cluster === undefined) return;
    const ours = `${DNS_NAMESPACE}/${DNS_SERVICE}`;
    const check = (keys: readonly string[]): void => {
      if (keys.includes(ours)) registering.add(ours);
    };
    cluster.services?.onChange((change) => check(objectsOf(change).map(keyOf)));
    cluster.slices?.onChange((change) => check(objectsOf(change).map(serviceOf)));
    registering.add(ours);
  };

  const lookForLoop = async ({ zone, watch }: Serving["loops"][number]): Promise<void> => {
    if (!(await watch.detect())) return;
    const where = zone === "" ? "every zone" : `zone ${zone}`;
    const error = new Error(
      `asking outside for ${where}: an upstream resolver sends our queries back to us; name one that does not`,
    );
    log.error({ err: error }, "queries go round in circles");
    options.looped?.(error);
  };

  /** Of configurations that are over, whose last answers are still waited for. */
  const retired = new Set<Serving>();
  const end = (serving: Serving): void => {
    retired.delete(serving);
    for (const one of serving.helping) one.stop();
  };
  const retire = (serving: Serving): void => {
    retired.add(serving);
    clock.after(LAST_ANSWERS, () => {
      if (retired.has(serving)) end(serving);
    });
  };

  const ports = createPorts(clock, log, options.reusePort);
  const putInForce = async (next: Serving): Promise<void> => {
    try {
      await ports.serve(next.served);
    } catch (error) {
      for (const one of next.helping) one.stop();
      throw error;
    }
    next.seen.responders = next.served.map(({ responder }) => responder);
    for (const loop of next.loops) void lookForLoop(loop);
  };

  const first = see(options.configuration);
  let serving = make(options.configuration, first);
  try {
    await putInForce(serving);
  } catch (error) {
    first.cluster?.stop();
    throw error;
  }
  keepRegistered(first);

  return {
    synced: () => serving.seen.synced,
    get isReady() {
      return serving.seen.isReady;
    },
    get listening() {
      return ports.listening;
    },
    async configure(configuration, signal) {
      const was = serving;
      const isSame = clusterPartOf(configuration) === was.seen.of;
      const seen = isSame ? was.seen : see(configuration);
      try {
        if (!isSame) await orAborted(seen.synced, signal);
        const next = make(configuration, seen);
        await putInForce(next);
        serving = next;
      } catch (error) {
        if (!isSame) seen.cluster?.stop();
        throw error;
      }
      retire(was);
      if (isSame) return;
      keepRegistered(seen);
      was.seen.cluster?.stop();
    },
    async stop() {
      serving.seen.cluster?.stop();
      await registering.stop();
      for (const each of [serving, ...retired]) end(each);
      await ports.close();
    },
  };
}

/** Rejects with the signal's reason when that comes first. */
async function orAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    signal.throwIfAborted();
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
