import { usualBlock, usualCache, usualForward, usualKubernetes } from "../../../dns/configuration/usual.ts";
import { startDns } from "../../../dns/dns.ts";
import { parseUpstream } from "../../../dns/forward/upstream.ts";
import type { SocketAddress } from "../../../dns/server/address.ts";
import { familyOf } from "../../../net/ip.ts";
import { hostResolver, RESOLV_CONF } from "../../../node/network-files/host-resolver.ts";
import { systemClock } from "../../../observe/clock.ts";
import { wellKnownAddresses, type SystemConfig } from "../../config.ts";
import { fromHeld, stopAtExit } from "../dns-sockets.ts";
import { random, type Ground, type RunningPart } from "./part.ts";

/**
 * Who is asked for names outside the cluster: who the flags name, else the host's resolvers, the same as pods of policy Default ask. A private
 * site has no way to any of those.
 */
async function upstreamsOf(config: SystemConfig, own: readonly string[]): Promise<readonly SocketAddress[]> {
  if (config.dnsUpstreams !== undefined) return config.dnsUpstreams;
  if (config.private) return [];
  const resolver = await hostResolver(config.resolvConf ?? RESOLV_CONF);
  const servers = resolver?.nameservers ?? [];
  return servers.filter((server) => familyOf(server) !== undefined && !own.includes(server)).map(parseUpstream);
}

/** Cluster DNS, on the addresses that pods route through. */
export async function startDnsPart({ client, log, given }: Ground): Promise<RunningPart> {
  const { config, sockets } = given;
  const { gateways, dns: clusterIPs } = wellKnownAddresses(config);
  const outside = await upstreamsOf(config, [...gateways, ...clusterIPs]);
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
    registration: { clusterIPs, nodeName: config.nodeName },
    ...(sockets === undefined ? {} : { openSocket: fromHeld(sockets) }),
  });
  stopAtExit(part);
  return { ready: part.synced(), stop: () => part.stop(), remove: () => part.stop() };
}
