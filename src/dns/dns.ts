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
import { clusterSource } from "./names/cluster.ts";
import { createContents, type Contents } from "./names/contents.ts";
import { DNS_NAMESPACE, DNS_SERVICE, ensureRegistered } from "./registration.ts";
import type { SocketAddress } from "./server/address.ts";
import type { Source } from "./names/source.ts";
import type { Block } from "./server/block.ts";
import { createResponder, type Responder } from "./server/respond.ts";
import { createPorts, type Served } from "./server/ports.ts";
import { createView, objectsOf, serviceOf, type View } from "./view/view.ts";

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

/** Every address and port that a block is listened for on. */
const addressesOf = ({ bind, port }: ServerBlock): SocketAddress[] =>
  (bind ?? ["0.0.0.0", "::"]).map((address) => ({ address, port }));

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
  readonly view: View | undefined;
  /** By block. */
  readonly contents: readonly (Contents | undefined)[];
  /** Who has answers that a change makes untrue. */
  responders: readonly Responder[];
  isReady: boolean;
  readonly synced: Promise<void>;
}

const clusterPartOf = ({ servers }: Pick<DnsConfiguration, "servers">): string =>
  JSON.stringify(servers.map(({ kubernetes }) => kubernetes ?? null));

/** Everything that follows from a configuration. */
interface Serving {
  readonly seen: Seen;
  readonly served: readonly Served[];
  readonly outsides: readonly Outside[];
}

/**
 * Starts cluster DNS. Resolves as soon as it listens; until `synced()` names of the zone get SERVFAIL (DNS-080).
 * Rejects when an address cannot be taken, with nothing left open.
 */
export async function startDns(options: DnsOptions): Promise<Dns> {
  const { client, clock, random, log, registration } = options;
  const clusterIPs = (registration?.clusterIPs ?? []).map(canonicalIP);

  const see = ({ servers }: DnsConfiguration): Seen => {
    const of = clusterPartOf({ servers });
    if (registration === undefined && servers.every(({ kubernetes }) => kubernetes === undefined)) {
      return { of, view: undefined, contents: [], responders: [], isReady: true, synced: Promise.resolve() };
    }
    if (client === undefined) {
      throw new Error("starting cluster DNS: the configuration has names of a cluster, and no API server is known");
    }
    const view = createView({ client, clock, random, log });
    const contents = servers.map(({ kubernetes }) =>
      kubernetes === undefined ? undefined : createContents(() => clock.now()),
    );
    for (const each of contents) {
      if (each === undefined) continue;
      view.follow(each, (words) => {
        for (const responder of seen.responders) responder.drop(words);
      });
    }
    const seen: Seen = {
      of,
      view,
      contents,
      responders: [],
      isReady: false,
      synced: view.synced().then(() => {
        seen.isReady = true;
        log.info({ services: view.services.size }, "cluster DNS answers");
      }),
    };
    return seen;
  };

  const make = ({ servers }: DnsConfiguration, seen: Seen): Serving => {
    const own = new Set([...servers.flatMap(addressesOf).map(textOf), ...clusterIPs.map((ip) => `${ip} 53`)]);
    const ground = { clock, random, log, isOwn: (to: SocketAddress): boolean => own.has(textOf(to)) };
    const outsides: Outside[] = [];

    const blocksOf = (block: ServerBlock): Block[] => {
      const outside = outsideOf(block, ground);
      if (outside !== undefined) outsides.push(outside);
      const sources: Source[] = [];
      const { kubernetes } = block;
      const contents = seen.contents[servers.indexOf(block)];
      if (kubernetes !== undefined && contents !== undefined) {
        const nameServers = clusterIPs.length > 0 ? clusterIPs : addressesOf(block).map(({ address }) => address);
        const name = kubernetes.zones.find((zone) => !zone.endsWith(".arpa")) ?? "cluster.local";
        sources.push(
          clusterSource({
            zone: {
              name,
              ttl: kubernetes.ttl,
              pods: kubernetes.pods === "disabled" ? "disabled" : "insecure",
              nameServers: nameServers.map(canonicalIP),
              reverseFallthrough: outside !== undefined && kubernetes.fallthrough.length > 0,
            },
            contents,
            isReady: () => seen.isReady,
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

    const made = new Map(servers.map((block) => [block, blocksOf(block)]));
    const addresses = new Map(servers.flatMap(addressesOf).map((address) => [textOf(address), address]));
    // Addresses at which the same blocks are asked have one responder, and one cache.
    const groups = Map.groupBy(addresses.values(), (at) =>
      servers.flatMap((block, index) => (isAnsweredAt(block, at) ? [index] : [])).join(),
    );
    const served = [...groups].map(([indexes, group]): Served => {
      const responder = createResponder({
        blocks: indexes.split(",").flatMap((index) => made.get(servers[Number(index)]!) ?? []),
        serial: () => Math.max(0, ...seen.contents.flatMap((contents) => contents?.serial ?? [])),
        log,
        random,
      });
      return { addresses: group, responder };
    });
    return { seen, served, outsides };
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
  const keepRegistered = ({ view }: Seen): void => {
    if (clusterIPs.length === 0 || view === undefined) return;
    const ours = `${DNS_NAMESPACE}/${DNS_SERVICE}`;
    const check = (keys: readonly string[]): void => {
      if (keys.includes(ours)) registering.add(ours);
    };
    view.services.onChange((change) => check(objectsOf(change).map(keyOf)));
    view.slices.onChange((change) => check(objectsOf(change).map(serviceOf)));
    registering.add(ours);
  };

  const ports = createPorts(clock, log, options.reusePort);
  const putInForce = async (next: Serving): Promise<void> => {
    try {
      await ports.serve(next.served);
    } catch (error) {
      for (const outside of next.outsides) outside.stop();
      throw error;
    }
    next.seen.responders = next.served.map(({ responder }) => responder);
  };

  const first = see(options.configuration);
  let serving = make(options.configuration, first);
  try {
    await putInForce(serving);
  } catch (error) {
    first.view?.stop();
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
        if (!isSame) seen.view?.stop();
        throw error;
      }
      clock.after(LAST_ANSWERS, () => was.outsides.forEach((outside) => outside.stop()));
      if (isSame) return;
      keepRegistered(seen);
      was.seen.view?.stop();
    },
    async stop() {
      serving.seen.view?.stop();
      await registering.stop();
      for (const outside of serving.outsides) outside.stop();
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
