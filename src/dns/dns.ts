import { keyOf } from "../api/object.ts";
import type { Client } from "../client/client.ts";
import { createWorkQueue } from "../client/work-queue.ts";
import { canonicalIP } from "../net/ip.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Part } from "../observe/part.ts";
import type { DnsConfiguration, ServerBlock } from "./configuration/configuration.ts";
import type { DnsFigures } from "./figures/figures.ts";
import type { ForwardFigures } from "./forward/figures.ts";
import { DNS_NAMESPACE, DNS_SERVICE, ensureRegistered } from "./registration.ts";
import type { Opening, SocketAddress } from "./server/address.ts";
import { reachedAt } from "./server/own-addresses.ts";
import { loadNeeded } from "./server/needed.ts";
import { createPorts } from "./server/ports.ts";
import { bounded } from "./server/query-log/bounded.ts";
import { createQueryLog, LOGGED_NAMES, loggedNames } from "./server/query-log/query-log.ts";
import { createServing, type Serving } from "./server/serving.ts";
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
  /** Present: pods that ask are known, and names that their search lists make are answered in one round trip. */
  readonly search?: SearchOptions | undefined;
  /** How it comes by its sockets; absent: it makes them. */
  readonly opening?: Opening;
  /** Absent: nothing is counted. */
  readonly figures?: DnsFigures;
  /** What is counted of asking outside, by server block. */
  readonly forwardFigures?: (block: ServerBlock) => ForwardFigures;
  /** Hears, where `loop` is set, that what is asked outside comes back here: the server is of no use and should end. */
  readonly looped?: (error: Error) => void;
}

export interface Dns extends Part {
  /** Resolves when every Service, slice and namespace has been listed once: from then on names of the zone are answered. */
  synced(): Promise<void>;
  /** False while names of the zone are still SERVFAIL. */
  readonly isReady: boolean;
  /** Seconds since what it knows of the cluster was last known to be current; undefined before `synced()`. */
  age(): number | undefined;
  /** Where it listens, with the ports it was given. */
  readonly listening: readonly SocketAddress[];
  /**
   * Does from now on what another configuration says. No query is lost: addresses that stay are never closed, and where the cluster is
   * to be looked at in another way, that is listed before the old answers go. Rejects when an address cannot be taken, or with the
   * signal's reason, and the old configuration stays in force.
   */
  configure(configuration: DnsConfiguration, signal?: AbortSignal): Promise<void>;
}

const OURS = `${DNS_NAMESPACE}/${DNS_SERVICE}`;
const FAILURES_PER_SECOND = 100;
/** Answers that upstreams are still asked for when another configuration comes: after so many milliseconds nobody waits any more. */
const LAST_ANSWERS = 10_000;

/** What is seen of the cluster, for all blocks with names of it. */
interface Seen {
  /** What of the configuration it depends on. */
  readonly of: string;
  /** Undefined where no block has names of it. */
  readonly cluster: Cluster | undefined;
  /** Who has answers that a change makes untrue. */
  serving: Serving | undefined;
  isReady: boolean;
  readonly synced: Promise<void>;
}

const clusterPartOf = ({ servers }: DnsConfiguration): string =>
  JSON.stringify(servers.flatMap(({ kubernetes }) => kubernetes ?? []));

/**
 * Starts cluster DNS. Resolves as soon as it listens; until `synced()` names of the zone get SERVFAIL (DNS-080).
 * Rejects when an address cannot be taken, with nothing left open.
 */
export async function startDns(options: DnsOptions): Promise<Dns> {
  const { client, clock, random, log, registration, figures } = options;
  const clusterIPs = (registration?.clusterIPs ?? []).map(canonicalIP);

  const see = (configuration: DnsConfiguration): Seen => {
    const of = clusterPartOf(configuration);
    const blocks = configuration.servers.flatMap(({ kubernetes }) => kubernetes ?? []);
    if (registration === undefined && blocks.length === 0) {
      return { of, cluster: undefined, serving: undefined, isReady: true, synced: Promise.resolve() };
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
      changed: (words) => seen.serving?.drop(words),
    });
    const seen: Seen = {
      of,
      cluster,
      serving: undefined,
      isReady: false,
      synced: cluster.synced().then(() => {
        seen.isReady = true;
      }),
    };
    observe(seen, cluster);
    return seen;
  };

  /** Says when names of the cluster are answered, of what is listened for already. */
  const announce = ({ synced, cluster }: Seen): void => {
    if (cluster === undefined) return;
    void synced.then(() => log.info({ services: cluster.services?.size }, "cluster DNS answers"));
  };

  /** Registration, figures and the query log depend on what is in the cluster, too. */
  const observe = (seen: Seen, cluster: Cluster): void => {
    cluster.services?.onChange((change) => {
      if (!objectsOf(change).some((object) => keyOf(object) === OURS)) return;
      queryLog.setNames(loggedNames(cluster.services?.get(OURS)?.metadata.annotations?.[LOGGED_NAMES]));
      if (clusterIPs.length > 0) registering.add(OURS);
    });
    cluster.slices?.onChange((change) => {
      if (clusterIPs.length > 0 && objectsOf(change).some((slice) => serviceOf(slice) === OURS)) registering.add(OURS);
      // What was there before this server is no change that it was late with.
      if (!seen.isReady || figures === undefined || !("object" in change)) return;
      figures.cluster.programmed(change.object, cluster.services?.get(serviceOf(change.object)), clock.now());
    });
    if (clusterIPs.length > 0) registering.add(OURS);
  };

  const { nodeName, metricsPort } = registration ?? {};
  const ports = createPorts(clock, log, options.opening);
  const registering = createWorkQueue({
    concurrency: 1,
    clock,
    random,
    log,
    // The namespace may not be there yet in the first moments: then it is tried again soon.
    bounds: { least: 25, most: 5000 },
    work: (_key, signal) => {
      const endpoints = registration?.endpoints ?? reachedAt(ports.listening);
      if (client === undefined || endpoints.length === 0) return Promise.resolve();
      return ensureRegistered({ client, clusterIPs, endpoints, nodeName, metricsPort }, signal);
    },
  });

  let seen: Seen;
  const logs = ({ servers }: DnsConfiguration): boolean => servers.some((server) => server.log.length > 0);
  let hasRules = logs(options.configuration);
  const queryLog = createQueryLog({
    log,
    clock,
    clients: {
      of: (address) => seen.cluster?.clients?.of(address),
      get isAnyLogged() {
        return seen.cluster?.clients?.isAnyLogged ?? false;
      },
    },
    hasRules: () => hasRules,
    leftOut: figures?.unlogged,
  });
  const within = bounded(FAILURES_PER_SECOND, clock, (count) =>
    log.warn({ count }, "failures were left out of the log: there were too many in a second"),
  );
  const { forwardFigures } = options;

  /** Of configurations that are over, whose last answers are still waited for. */
  const retired = new Set<Serving>();
  const retire = (over: Serving): void => {
    retired.add(over);
    clock.after(LAST_ANSWERS, () => {
      if (retired.delete(over)) over.stop();
    });
  };

  const putInForce = async (configuration: DnsConfiguration, on: Seen): Promise<Serving> => {
    const { cluster } = on;
    const needed = await loadNeeded(configuration);
    const next = createServing(configuration, needed, {
      clock,
      random,
      log,
      cluster,
      clusterIPs,
      queryLog,
      within,
      figures,
      forwardFigures,
    });
    const before = on.serving;
    // Changes that come while sockets are opened must reach both.
    on.serving =
      before === undefined ? next : { ...next, drop: (words) => [before, next].forEach((each) => each.drop(words)) };
    try {
      await ports.serve(next.served);
    } catch (error) {
      on.serving = before;
      next.stop();
      throw error;
    }
    on.serving = next;
    hasRules = logs(configuration);
    if (clusterIPs.length > 0) registering.add(OURS);
    void next.loops().then((zones) => {
      for (const zone of zones) {
        const where = zone === "" ? "every zone" : `zone ${zone}`;
        const error = new Error(
          `asking outside for ${where}: an upstream resolver sends our queries back to us; name one that does not`,
        );
        log.error({ err: error }, "queries go round in circles");
        options.looped?.(error);
      }
    });
    return next;
  };

  seen = see(options.configuration);
  figures?.watchAge(() => seen.cluster?.age());
  let serving: Serving;
  try {
    serving = await putInForce(options.configuration, seen);
  } catch (error) {
    seen.cluster?.stop();
    await registering.stop();
    throw error;
  }
  announce(seen);

  return {
    synced: () => seen.synced,
    get isReady() {
      return seen.isReady;
    },
    age: () => seen.cluster?.age(),
    get listening() {
      return ports.listening;
    },
    async configure(configuration, signal) {
      const was = { seen, serving };
      const isSame = clusterPartOf(configuration) === was.seen.of;
      const next = isSame ? was.seen : see(configuration);
      try {
        if (!isSame) await orAborted(next.synced, signal);
        serving = await putInForce(configuration, next);
      } catch (error) {
        if (!isSame) next.cluster?.stop();
        throw error;
      }
      seen = next;
      if (!isSame) announce(seen);
      retire(was.serving);
      if (!isSame) was.seen.cluster?.stop();
    },
    async stop() {
      // Before anything is waited for: what is asked from here on is for who has these sockets next.
      const closed = ports.close();
      seen.cluster?.stop();
      await closed;
      await registering.stop();
      for (const each of [serving, ...retired]) each.stop();
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
