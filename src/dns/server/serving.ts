import { networkInterfaces } from "node:os";
import { canonicalIP } from "../../net/ip.ts";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import type { DnsConfiguration, ServerBlock } from "../configuration/configuration.ts";
import { pluginsOf } from "../configuration/plugins.ts";
import type { DnsFigures } from "../figures/figures.ts";
import { forwardFigures } from "../figures/forward.ts";
import type { ForwardFigures } from "../forward/figures.ts";
import type { LoopWatch } from "../forward/loop.ts";
import type { Outside } from "../forward/outside.ts";
import type { Hosts } from "../hosts/hosts.ts";
import type { Source } from "../names/source.ts";
import type { Cluster } from "../view/cluster.ts";
import { addressesOf, ANY, type SocketAddress } from "./address.ts";
import type { Block } from "./block.ts";
import type { Needed } from "./needed.ts";
import { ownAddresses } from "./own-addresses.ts";
import type { Served } from "./ports.ts";
import { logRules, type QueryLog } from "./query-log/query-log.ts";
import { createResponder } from "./respond.ts";

/** What answering stands on, whatever the configuration. */
export interface ServingGround {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Undefined where no block has names of a cluster. */
  readonly cluster: Cluster | undefined;
  /** Addresses of the DNS Service, where we are the ones who tell them. */
  readonly clusterIPs: readonly string[];
  readonly queryLog: QueryLog;
  /** Failures are logged through it: too many in a second are left out. */
  readonly within: (write: () => void) => void;
  readonly figures?: DnsFigures | undefined;
  /** What is counted of asking outside, by server block. */
  readonly forwardFigures?: ((block: ServerBlock) => ForwardFigures) | undefined;
}

/** Everything that follows from a configuration. */
export interface Serving {
  readonly served: readonly Served[];
  /** Forgets the bytes of every answer that depends on one of these words. */
  drop(changed: readonly string[]): void;
  /** The zones, of those that want it looked at, whose queries outside come back here. To be called once the sockets are open. */
  loops(): Promise<readonly string[]>;
  stop(): void;
}

const textOf = ({ address, port }: SocketAddress): string => `${address} ${port}`;

const isAnsweredAt = (block: ServerBlock, at: SocketAddress): boolean =>
  addressesOf(block).some((address) => textOf(address) === textOf(at));

/** True for an address at which this server itself answers. */
function isOwnOf(servers: readonly ServerBlock[], clusterIPs: readonly string[]): (to: SocketAddress) => boolean {
  const own = new Set([...servers.flatMap(addressesOf).map(textOf), ...clusterIPs.map((ip) => `${ip} 53`)]);
  // Where a block listens on every address of this machine, each of them is its own.
  const machine = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
  const isHere = (address: string): boolean => address.startsWith("127.") || machine.includes(address);
  return (to) =>
    own.has(textOf(to)) || (isHere(to.address) && ANY.some((address) => own.has(textOf({ address, port: to.port }))));
}

/** A server as CoreDNS names it in metrics. */
const serverName = (port: number): string => `dns://:${port}`;

/** Makes the answerers that a configuration asks for, of what was loaded for it; their sockets are somebody else's. */
export function createServing(configuration: DnsConfiguration, needed: Needed, ground: ServingGround): Serving {
  const { servers } = configuration;
  const { clock, random, log, cluster, clusterIPs, figures, queryLog, within } = ground;
  const isOwn = isOwnOf(servers, clusterIPs);
  const outsides: Outside[] = [];
  const hosts: Hosts[] = [];
  const loops: { readonly zone: string; readonly watch: LoopWatch }[] = [];

  const countedOf = (block: ServerBlock): ForwardFigures | undefined =>
    figures && forwardFigures(figures.outside, serverName(block.port), block.zones.map((zone) => `${zone}.`).join(","));

  const outsideFor = (block: ServerBlock): Outside | undefined => {
    const counted = ground.forwardFigures?.(block) ?? countedOf(block);
    const outside = needed.forward?.outsideOf(block, {
      clock,
      random,
      log,
      isOwn,
      ...(counted === undefined ? {} : { figures: counted }),
    });
    if (outside === undefined) return undefined;
    outsides.push(outside);
    if (!block.loop) return outside;
    const zone = block.zones[0]!;
    const watch = needed.forward!.watchForLoop(outside, zone, random);
    loops.push({ zone, watch });
    return watch.outside;
  };

  const blocksOf = (block: ServerBlock): Block[] => {
    const outside = outsideFor(block);
    const sources: Source[] = [];
    if (block.hosts !== undefined) {
      const { createHosts, hostsFiles } = needed.hosts!;
      const source = createHosts(block.hosts, block.zones, hostsFiles, drop, (file, names) => {
        if (figures === undefined) return;
        figures.outside.hosts(file).value = names;
        figures.outside.hostsReadAt.value = clock.now() / 1000;
      });
      hosts.push(source);
      sources.push(source);
    }
    if (block.kubernetes !== undefined && cluster !== undefined) {
      sources.push(
        cluster.source(block.kubernetes, {
          hasOutside: outside !== undefined,
          nameServers: clusterIPs.length > 0 ? clusterIPs : undefined,
          own: ownAddresses(addressesOf(block).map(({ address }) => address)).map(canonicalIP),
        }),
      );
    }
    const rules = logRules(block.log);
    const server = serverName(block.port);
    return block.zones.map((zone) => {
      for (const plugin of pluginsOf(block, configuration)) figures?.enabled(server, `${zone}.`, plugin);
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

  const drop = (words: readonly string[]): void => {
    for (const { responder } of served) responder.drop(words);
  };

  const served: Served[] = [];
  const made = new Map(servers.map((block) => [block, blocksOf(block)]));
  const addresses = new Map(servers.flatMap(addressesOf).map((address) => [textOf(address), address]));
  // Addresses at which the same blocks are asked have one responder, and one cache.
  const groups = Map.groupBy(addresses.values(), (at) =>
    servers.flatMap((block, index) => (isAnsweredAt(block, at) ? [index] : [])).join(),
  );
  for (const [indexes, group] of groups) {
    const server = serverName(group[0]!.port);
    const responder = createResponder({
      blocks: indexes.split(",").flatMap((index) => made.get(servers[Number(index)]!) ?? []),
      clients: cluster?.clients,
      serial: () => cluster?.serial ?? 0,
      log,
      random,
      ticks: () => performance.now(),
      queryLog,
      within,
      dropped: figures?.zone(server, "dropped"),
      panics: figures?.panics,
      searches: figures?.searches,
    });
    figures?.readyAnswers(server, () => responder.kept);
    served.push({ addresses: group, responder });
  }

  return {
    served,
    drop,
    async loops() {
      const found = await Promise.all(loops.map(async ({ zone, watch }) => ((await watch.detect()) ? [zone] : [])));
      return found.flat();
    },
    stop() {
      for (const outside of outsides) outside.stop();
      for (const source of hosts) source.stop();
    },
  };
}
