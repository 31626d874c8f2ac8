import { readFile } from "node:fs/promises";
import { usualBlock, usualCache, usualForward, usualKubernetes } from "../../../dns/configuration/usual.ts";
import { startDns } from "../../../dns/dns.ts";
import { parseUpstream } from "../../../dns/forward/upstream.ts";
import { familyOf } from "../../../net/ip.ts";
import { systemClock } from "../../../observe/clock.ts";
import { wellKnownAddresses, type SystemConfig } from "../../config.ts";
import { openPages } from "../dns-pages.ts";
import { random, type Ground, type RunningPart } from "./part.ts";

/** Beside port 53 of the same addresses: what Service kube-dns calls `metrics` (DNS-131). */
const PAGES_PORT = 9153;

/** The nameservers of the host, for names outside the cluster; a private site has no way to any. */
async function upstreams(config: SystemConfig, own: readonly string[]): Promise<string[]> {
  if (config.private) return [];
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]!);
  return servers.filter((server) => familyOf(server) !== undefined && !own.includes(server));
}

/** Cluster DNS, on the addresses that pods route through. */
export async function startDnsPart({ client, log, given: { config } }: Ground): Promise<RunningPart> {
  const { gateways, dns: clusterIPs } = wellKnownAddresses(config);
  const outside = (await upstreams(config, [...gateways, ...clusterIPs])).map(parseUpstream);
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
  });
  const pages = openPages(gateways, PAGES_PORT, log, {
    notReady: () => (part.isReady ? [] : ["kubernetes"]),
    isEnding: () => false,
    metrics: async () => "",
  });
  const stop = async (): Promise<void> => {
    await pages.stop();
    await part.stop();
  };
  return { ready: part.synced(), stop, remove: stop };
}
