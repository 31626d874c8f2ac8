import { usualBlock, usualCache, usualForward, usualKubernetes } from "../../../dns/configuration/usual.ts";
import { startDns } from "../../../dns/dns.ts";
import { createFigures } from "../../../dns/figures/figures.ts";
import { parseUpstream } from "../../../dns/forward/upstream.ts";
import type { Resolver } from "../../../api/pod/resolver.ts";
import type { SocketAddress } from "../../../dns/server/address.ts";
import { familyOf } from "../../../net/ip.ts";
import { hostResolver, RESOLV_CONF } from "../../../node/network-files/host-resolver.ts";
import { systemClock } from "../../../observe/clock.ts";
import type { Part } from "../../../observe/part.ts";
import { wellKnownAddresses, type SystemConfig } from "../../config.ts";
import { VERSION } from "../../version.ts";
import { fromHeld, stopAtExit } from "../held-opener.ts";
import { random, type Ground, type RunningPart } from "./part.ts";

/** Beside port 53 of the same addresses: what Service kube-dns calls `metrics` (DNS-131). */
const PAGES_PORT = 9153;
/** Milliseconds after which the pages are opened at the latest. */
const PAGES_AT = 2_000;

/**
 * Who is asked for names outside the cluster: who the flags name, else the host's resolvers, the same as pods of policy Default ask. A private
 * site has no way to any of those.
 */
function upstreamsOf(
  config: SystemConfig,
  host: Resolver | undefined,
  own: readonly string[],
): readonly SocketAddress[] {
  if (config.dnsUpstreams !== undefined) return config.dnsUpstreams;
  const servers = config.private ? [] : (host?.nameservers ?? []);
  return servers.filter((server) => familyOf(server) !== undefined && !own.includes(server)).map(parseUpstream);
}

/** Cluster DNS, on the addresses that pods route through. */
export async function startDnsPart({ client, log, given }: Ground): Promise<RunningPart> {
  const { config, sockets } = given;
  const { gateways, dns: clusterIPs } = wellKnownAddresses(config);
  const host = await hostResolver(config.resolvConf ?? RESOLV_CONF);
  const outside = upstreamsOf(config, host, [...gateways, ...clusterIPs]);
  const figures = createFigures({ version: VERSION, log });
  const part = await startDns({
    client,
    clock: systemClock,
    random,
    log,
    configuration: {
      servers: [
        {
          ...usualBlock,
          bind: gateways,
          kubernetes: usualKubernetes(config.clusterDomain),
          forward: outside.length === 0 ? [] : [usualForward(outside)],
          cache: usualCache,
          loadbalance: true,
        },
      ],
    },
    registration: { clusterIPs, nodeName: config.nodeName, metricsPort: PAGES_PORT },
    ...(sockets === undefined ? {} : { opening: { openSocket: fromHeld(sockets) } }),
    figures,
    search: { hostSearches: config.searchShortcut ? (host?.searches ?? []) : undefined, nodeName: config.nodeName },
  });
  const openPages = async (): Promise<Part> => {
    const { openPages: open } = await import("../dns-pages.ts");
    return open(gateways, PAGES_PORT, log, {
      notReady: () => (part.isReady ? [] : ["kubernetes"]),
      isEnding: () => false,
      metrics: () => figures.text(),
    });
  };
  // Whoever waits for the start waits for names; only where those are late do the pages, which say so, come before.
  let pages: Promise<Part> | undefined;
  let isStopped = false;
  const openOnce = (): void => {
    if (!isStopped) pages ??= openPages();
  };
  const cancel = systemClock.after(PAGES_AT, openOnce);
  void part.synced().then(openOnce);
  const stop = async (): Promise<void> => {
    isStopped = true;
    cancel();
    await (await pages)?.stop();
    await part.stop();
  };
  stopAtExit(part);
  return { ready: part.synced(), stop, remove: stop };
}
