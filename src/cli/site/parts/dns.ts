import { usualBlock, usualCache, usualForward, usualKubernetes } from "../../../dns/configuration/usual.ts";
import { startDns } from "../../../dns/dns.ts";
import { createFigures } from "../../../dns/figures.ts";
import { parseUpstream } from "../../../dns/forward/upstream.ts";
import { hostResolver, RESOLV_CONF } from "../../../node/network-files/host-resolver.ts";
import { systemClock } from "../../../observe/clock.ts";
import { wellKnownAddresses } from "../../config.ts";
import { VERSION } from "../../version.ts";
import { openPages } from "../dns-pages.ts";
import { fromHeld, stopAtExit } from "../dns-sockets.ts";
import { random, type Ground, type RunningPart } from "./part.ts";

/** Beside port 53 of the same addresses: what Service kube-dns calls `metrics` (DNS-131). */
const PAGES_PORT = 9153;

/** Cluster DNS, on the addresses that pods route through. */
export async function startDnsPart({ client, log, given }: Ground): Promise<RunningPart> {
  const { config, sockets } = given;
  const { gateways, dns: clusterIPs } = wellKnownAddresses(config);
  // A private site has no way to the host's resolvers.
  const host = await hostResolver(config.resolvConf ?? RESOLV_CONF);
  const outside = (config.private ? [] : (host?.nameservers ?? [])).map(parseUpstream);
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
    search: { hostSearches: host?.searches ?? [], nodeName: config.nodeName },
  });
  const pages = openPages(gateways, PAGES_PORT, log, {
    notReady: () => (part.isReady ? [] : ["kubernetes"]),
    isEnding: () => false,
    metrics: () => figures.text(),
  });
  const stop = async (): Promise<void> => {
    await pages.stop();
    await part.stop();
  };
  stopAtExit(part);
  return { ready: part.synced(), stop, remove: stop };
}
