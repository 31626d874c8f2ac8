import { keyOf } from "../api/object.ts";
import type { Client } from "../client/client.ts";
import { createWorkQueue } from "../client/work-queue.ts";
import { canonicalIP } from "../net/ip.ts";
import type { Clock } from "../observe/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Part } from "../observe/part.ts";
import type { Clients } from "./clients/clients.ts";
import type { DnsConfiguration, ServerBlock } from "./configuration/configuration.ts";
import type { DnsFigures } from "./figures.ts";
import { outsideOf } from "./forward/outside-of.ts";
import type { Outside } from "./forward/outside.ts";
import { clusterSource } from "./names/cluster.ts";
import { createContents, type Contents } from "./names/contents.ts";
import { DNS_NAMESPACE, DNS_SERVICE, ensureRegistered } from "./registration.ts";
import type { SocketAddress } from "./server/address.ts";
import type { Source } from "./names/source.ts";
import type { Block } from "./server/block.ts";
import { bounded } from "./server/query-log/bounded.ts";
import { createQueryLog, logRules, LOGGED_NAMES, loggedNames } from "./server/query-log/query-log.ts";
import { createResponder, type Responder } from "./server/respond.ts";
import { createView, objectsOf, serviceOf } from "./view/view.ts";
import { listen, type Sockets } from "./server/listen.ts";

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
  /** Who asks; absent: search lists are not shortened, and no pod can be logged alone. */
  readonly clients?: Clients;
  /** Absent: nothing is counted. */
  readonly figures?: DnsFigures;
}

export interface Dns extends Part {
  /** Resolves when every Service, slice and namespace has been listed once: from then on names of the zone are answered. */
  synced(): Promise<void>;
  /** Where it listens, with the ports it was given. */
  readonly listening: readonly SocketAddress[];
}

const OURS = `${DNS_NAMESPACE}/${DNS_SERVICE}`;
const FAILURES_PER_SECOND = 100;

/** A server as CoreDNS names it in metrics. */
const serverName = (port: number): string => `dns://:${port}`;

/** What a block does, by the names of CoreDNS's plugins for it. */
const pluginsOf = (block: ServerBlock, configuration: DnsConfiguration): string[] =>
  Object.entries({
    cache: block.cache !== undefined,
    errors: block.errors,
    forward: block.forward.length > 0,
    health: configuration.health !== undefined,
    hosts: block.hosts !== undefined,
    kubernetes: block.kubernetes !== undefined,
    loadbalance: block.loadbalance,
    log: block.log.length > 0,
    loop: block.loop,
    prometheus: configuration.prometheus !== undefined,
    ready: configuration.ready !== undefined,
    reload: configuration.reload !== undefined,
  }).flatMap(([plugin, isOn]) => (isOn ? [plugin] : []));

/** Every address and port that a block is listened for on. */
const addressesOf = ({ bind, port }: ServerBlock): SocketAddress[] =>
  (bind ?? ["0.0.0.0", "::"]).map((address) => ({ address, port }));

const textOf = ({ address, port }: SocketAddress): string => `${address} ${port}`;

/**
 * Starts cluster DNS. Resolves as soon as it listens; until `synced()` names of the zone get SERVFAIL (DNS-080).
 * Rejects when an address cannot be taken, with nothing left open.
 */
export async function startDns(options: DnsOptions): Promise<Dns> {
  const { client, clock, random, log, registration, clients, figures } = options;
  const { servers } = options.configuration;
  const clusterIPs = (registration?.clusterIPs ?? []).map(canonicalIP);
  const own = new Set([...servers.flatMap(addressesOf).map(textOf), ...clusterIPs.map((ip) => `${ip} 53`)]);

  const isOwn = (to: SocketAddress): boolean => own.has(textOf(to));
  const ground = { clock, random, log, isOwn };

  let isReady = false;
  const followed: { readonly contents: Contents; readonly responders: Responder[] }[] = [];
  const outsides: Outside[] = [];

  const queryLog = createQueryLog({
    log,
    clock,
    clients,
    hasRules: servers.some((server) => server.log.length > 0),
    leftOut: figures?.unlogged,
  });
  const within = bounded(FAILURES_PER_SECOND, clock, (count) =>
    log.warn({ count }, "failures were left out of the log: there were too many in a second"),
  );

  const blocksOf = (block: ServerBlock): Block[] => {
    const outside = outsideOf(block, ground);
    if (outside !== undefined) outsides.push(outside);
    const sources: Source[] = [];
    const { kubernetes } = block;
    if (kubernetes !== undefined) {
      const contents = createContents(() => clock.now());
      followed.push({ contents, responders: [] });
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
          isReady: () => isReady,
        }),
      );
    }
    const rules = logRules(block.log);
    const server = serverName(block.port);
    return block.zones.map((zone) => {
      for (const plugin of pluginsOf(block, options.configuration)) figures?.enabled(server, `${zone}.`, plugin);
      return {
        apex: zone === "" ? [] : zone.split("."),
        sources,
        outside,
        rotates: block.loadbalance,
        figures: figures?.zone(server, `${zone}.`),
        log: rules,
        errors: block.errors,
      };
    });
  };

  const opened: Sockets[] = [];
  const close = async (): Promise<void> => {
    for (const outside of outsides) outside.stop();
    await Promise.all(opened.map((sockets) => sockets.close()));
  };
  for (const [port, group] of Map.groupBy(servers, ({ port }) => port)) {
    const blocks = group.flatMap(blocksOf);
    const responder = createResponder({
      blocks,
      serial: () => Math.max(0, ...followed.map(({ contents }) => contents.serial)),
      log,
      random,
      clients,
      ticks: () => performance.now(),
      queryLog,
      within,
      dropped: figures?.zone(serverName(port), "dropped"),
      panics: figures?.panics,
      searches: figures?.searches,
    });
    figures?.readyAnswers(serverName(port), () => responder.kept);
    for (const { responders } of followed) responders.push(responder);
    const addresses = new Map(group.flatMap(addressesOf).map((address) => [textOf(address), address]));
    try {
      opened.push(await listen(responder, [...addresses.values()], clock, log));
    } catch (error) {
      await close();
      throw error;
    }
  }
  const listening = opened.flatMap((sockets) => sockets.listening);

  const view = createView({ client, clock, random, log });
  for (const { contents, responders } of followed) {
    view.follow(contents, (words) => {
      for (const responder of responders) responder.drop(words);
    });
  }
  view.services.onChange((change) => {
    if (!objectsOf(change).some((object) => keyOf(object) === OURS)) return;
    queryLog.setNames(loggedNames(view.services.get(OURS)?.metadata.annotations?.[LOGGED_NAMES]));
  });
  view.slices.onChange((change) => {
    // What was there before this server is no change that it was late with.
    if (!isReady || figures === undefined || !("object" in change)) return;
    figures.cluster.programmed(change.object, view.services.get(serviceOf(change.object)), clock.now());
  });
  const synced = view.synced().then(() => {
    isReady = true;
    log.info({ services: view.services.size }, "cluster DNS answers");
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
    const check = (keys: readonly string[]): void => {
      if (keys.includes(OURS)) registering.add(OURS);
    };
    view.services.onChange((change) => check(objectsOf(change).map(keyOf)));
    view.slices.onChange((change) => check(objectsOf(change).map(serviceOf)));
    registering.add(OURS);
  }

  return {
    synced: () => synced,
    listening,
    async stop() {
      view.stop();
      await registering.stop();
      await close();
    },
  };
}
